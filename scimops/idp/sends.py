"""What an identity provider must be told so that a setting's fields arrive: one line for each field.

From those lines come the guide's table of mappings, OneLogin's SCIM JSON template, and what arrives for one person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scimops.attributes import CORE, ENTERPRISE, PATHS, AttributePath, normal_path, parse_path
from scimops.idp.shape import IdentityProvider, Sent
from scimops.setting import BUILT_IN_FIELDS, Setting

KEYS = ("externalId", "userName", "active")
"""What a person needs beside the setting's fields: who they are, and whether they may be trained at all."""


@dataclass(frozen=True)
class Need:
    """One field of a setting, and what the identity provider must send it as.

    `attribute` is null where the setting names none: then nothing can be sent. `target` is the attribute's name as the
    identity provider's forms want it, `source` its own attribute (empty: only the admin knows).
    """

    field: str
    attribute: str | None
    target: str
    source: str
    by_default: bool | None
    criterion: bool
    note: str = ""
    advice: str = ""
    instead: str = ""

    @property
    def path(self) -> AttributePath | None:
        """The parts of the attribute."""
        return parse_path(self.attribute) if self.attribute else None

    @property
    def namespace(self) -> str:
        """The URN of the schema that the attribute belongs to."""
        return (self.path.urn if self.path else "") or CORE

    @property
    def custom(self) -> bool:
        """Is the attribute of neither SCIM's core schema nor its enterprise extension?"""
        return self.namespace.lower() not in (CORE.lower(), ENTERPRISE.lower())

    @property
    def type(self) -> str:
        """The attribute's type, in the words of the forms."""
        return "Boolean" if self.field == "active" else "String"


def needs_of(idp: IdentityProvider, setting: Setting) -> list[Need]:
    """What `idp` must send for `setting`: who people are, the built-in fields, every mapped field."""
    attributes: dict[str, str | None] = {name: PATHS[name][-1] for name in (*KEYS, *BUILT_IN_FIELDS)}
    attributes |= dict.fromkeys(setting.custom_fields)
    attributes |= {mapping.field: mapping.attribute for mapping in setting.field_mappings}
    known = {normal_path(sent.attribute): sent for sent in idp.sends}
    sources: dict[str, str] = {}
    return [_need(idp, setting, field, attribute, known, sources) for field, attribute in attributes.items()]


def _need(
    idp: IdentityProvider, setting: Setting, field: str, attribute: str | None, known: Mapping[str, Sent],
    sources: dict[str, str],
) -> Need:  # fmt: skip
    criterion = field == setting.grouping_field
    column = setting.columns.get(field, "")
    if attribute is None:
        return Need(field, None, "", column, False, criterion)
    path = parse_path(attribute)
    sent = known.get(normal_path(attribute))
    if sent is None:
        source = _source(idp, path, sources, normal_path(attribute)) or column
        sent = Sent(attribute, source, False if idp.sends and idp.open else None)
    words = {"attribute": attribute, "namespace": path.urn or CORE, "name": _plain(path), "target": idp.target(path)}
    advice = idp.how_to_add.format(**words, source=sent.source or f"the attribute that holds {field}")
    return Need(
        field, attribute, idp.target(path), sent.source, sent.by_default, criterion, sent.note, advice, sent.instead
    )


def _plain(path: AttributePath) -> str:
    """A short name for the attribute, of letters, digits and _: the sub-attribute, else the attribute."""
    return re.sub(r"\W", "_", path.sub if path.sub and path.sub != "value" else path.name, flags=re.ASCII)


def _source(idp: IdentityProvider, path: AttributePath, sources: dict[str, str], normal: str) -> str:
    """The name of an attribute that the table does not know; two attributes never share one."""
    name = _plain(path)
    while idp.source and sources.setdefault(name, normal) != normal:
        name += "_2"
    return idp.source.format(name=name) if idp.source else ""


def resource_of(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A SCIM User with these values at these attribute paths, and the schemas it needs.

    The work e-mail address is marked primary. Of two paths that name one place the first counts.
    """
    body: dict[str, Any] = {"schemas": [CORE]}
    for attribute, value in values:
        path = parse_path(attribute)
        place = body
        if path.urn:
            if path.urn.lower() not in (urn.lower() for urn in body["schemas"]):
                body["schemas"].append(ENTERPRISE if path.urn.lower() == ENTERPRISE.lower() else path.urn)
            place = _inside(body, next(urn for urn in body["schemas"] if urn.lower() == path.urn.lower()), {})
        if path.many:
            _item(_inside(place, path.name, []), path).setdefault(path.sub or "value", value)
        elif path.sub or (path.urn and path.name.lower() == "manager"):
            _inside(place, path.name, {}).setdefault(path.sub or "value", value)
        else:
            place.setdefault(path.name, value)
    return body


def _inside(place: dict[str, Any], name: str, empty: Any) -> Any:
    """What stands in `place` under `name`, whatever its case (RFC 7643 §2.1); `empty` is put there first.

    Where a path of another make put something else, that stays, and `empty` is given to be forgotten.
    """
    key = next((key for key in place if key.lower() == name.lower()), name)
    found = place.setdefault(key, empty)
    return found if isinstance(found, type(empty)) else empty


def _item(items: list[dict[str, Any]], path: AttributePath) -> dict[str, Any]:
    """The item of a list that the path means; it is added where it is not there."""
    kind: dict[str, Any] = {path.by: path.of} if path.by else {}
    for item in items:
        if kind.items() <= item.items():
            return item
    items.append(kind | ({"primary": True} if (path.name.lower(), path.of.lower()) == ("emails", "work") else {}))
    return items[-1]


def template_of(needs: Iterable[Need]) -> dict[str, Any]:
    """The resource with each field's source in its place: OneLogin's SCIM JSON template."""
    return resource_of((need.attribute, need.source) for need in needs if need.attribute and need.source)


def sample_of(needs: Iterable[Need], values: Mapping[str, Any]) -> dict[str, Any]:
    """What arrives for one person whose fields have these `values`, once all of `needs` are mapped."""
    return resource_of(
        (need.attribute, values[need.field]) for need in needs if need.attribute and values.get(need.field) is not None
    )
