"""The guide to connect an identity provider to a setting: its text, values and tables, before they are drawn.

A value never passes through Markdown: the template is parsed first, and values are put into the parsed pieces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import polars as pl

from scimops.errors import UsageError, nearest
from scimops.idp import IDPS, IdentityProvider
from scimops.idp.guides import setting_guide, setting_names
from scimops.idp.sends import Need, needs_of, sample_of, template_of
from scimops.idp.shape import plain_target
from scimops.present.words import many, visible
from scimops.setting import Setting

if TYPE_CHECKING:
    from markdown_it.token import Token

    from scimops.preview import Preview

TOKEN = "the token you copied when the setting was created"  # noqa: S105  # the words in its place
SAMPLE: dict[str, Any] = {
    "externalId": "3f2b8c9e-5d1a-4c7e-9b60-2a8d4e6f1c35", "userName": "anna.muster@example.com", "active": True,
    "email": "anna.muster@example.com", "firstName": "Anna", "lastName": "Muster", "department": "Engineering",
    "phone": "+47 22 00 00 00",
}  # fmt: skip
"""A person for examples; a field that is not here has its own name for a value."""

_BLOCK = re.compile(r"^\{\{(facts|mappings|template|sample|seats)\}\}$", re.MULTILINE)
_VALUE = re.compile(r"\{\{(\w+)\}\}")
_PARAMETER = re.compile(r"\{\$parameters\.(\w+)\}")
_ATTRIBUTE = re.compile(r"[\w.${}]+|\w+\(.*\)")


@dataclass(frozen=True)
class Cell:
    """A cell of a table: a text, one to be pasted, or a badge (yes, no, maybe).

    `also` is pasted with it, `note` explains it.
    """

    text: str
    kind: Literal["text", "paste", "yes", "no", "maybe"] = "text"
    note: str = ""
    also: str = ""


@dataclass(frozen=True)
class Prose:
    """Markdown with the names of values in it."""

    markdown: str


@dataclass(frozen=True)
class Grid:
    """A table; rows of `marked` numbers stand out."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    marked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Code:
    """A text to be pasted, or to be compared with, over several lines."""

    caption: str
    text: str


Block = Prose | Grid | Code


@dataclass(frozen=True)
class Guide:
    """How to connect one identity provider to one setting: blocks in order, and the values of its prose."""

    idp: str
    title: str
    values: dict[str, str]
    blocks: list[Block]
    files: dict[str, str]


def make_guide(idp: str, setting: Setting, url: str | None = None, preview: Preview | None = None) -> Guide:
    """The guide for `setting`; with a preview of an export its counts are in it.

    Args:
        idp: entra, okta, onelogin, jumpcloud or other.
        setting: the setting.
        url: the URL that the identity provider sends to; not given: the guide says where it was shown.
        preview: of the export of the identity provider, under this setting.

    Raises:
        UsageError: there is no such guide, or `url` is none that an identity provider can be told.
    """
    if idp not in setting_names():
        advice = nearest(idp, setting_names()) or f"Known: {', '.join(setting_names())}."
        raise UsageError(f'There is no guide for "{idp}".', advice=advice)
    provider = IDPS["generic" if idp == "other" else idp]
    needs = needs_of(provider, setting)
    template = json.dumps(template_of(needs), indent=2, ensure_ascii=False)
    values = _values(setting, needs, _checked(url))
    made: dict[str, Callable[[], list[Block]]] = {
        "facts": lambda: [_facts(setting, values)],
        "mappings": lambda: [_mappings(provider, needs), *_sends(preview, provider)],
        "template": lambda: [Code("SCIM JSON Template", template)],
        "sample": lambda: [Code("One person, as it arrives", _sample(provider, needs))],
        "seats": lambda: [_seats(preview)] if preview else [],
    }
    text = setting_guide(idp, _flags(setting, needs, preview))
    blocks: list[Block] = []
    for number, piece in enumerate(_BLOCK.split(text)):
        blocks += made[piece]() if number % 2 else [Prose(piece)] if piece.strip() else []
    files = {"onelogin_scim_template.json": template + "\n"} if idp == "onelogin" else {}
    title = f"Connect {provider.title if idp != 'other' else 'an identity provider'} to {setting.name}"
    return Guide(idp, title, values, blocks, files)


def _checked(url: str | None) -> str | None:
    """`url` if an identity provider can be told it; a secret in a URL ends up in logs."""
    if url is None:
        return None
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url.strip()):
        raise UsageError("--url is no web address.", advice="Give it as the platform shows it: https://…/scim.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("--url holds more than an address.", advice="Leave out what stands before @ and after ? or #.")
    return url.strip()


def _flags(setting: Setting, needs: Sequence[Need], preview: Preview | None) -> set[str]:
    by_groups = setting.by_idp_groups
    flags = {"groups" if by_groups else "not_groups", "counts" if preview else "no_counts"}
    flags |= {"field"} if setting.grouping_field else set()
    return flags | ({"custom"} if any(need.attribute and need.custom for need in needs) else set())


def _values(setting: Setting, needs: Sequence[Need], url: str | None) -> dict[str, str]:
    """What the names in the text stand for; a URL that is not known has no value to be pasted."""
    target, field = setting.group_settings.target_group, setting.grouping_field
    landing = f"the target group “{target}”" if target else "no group"
    source = next((need.source or need.field for need in needs if need.criterion), "")
    values = {"name": setting.name, "token": TOKEN, "landing": landing, "criterion_source": source}
    if setting.by_idp_groups:
        values |= {"criterion": "the identity provider's own groups", "person": "a group of their own", "made": ""}
    elif field:
        values |= {"criterion": field, "field": field, "person": f"a value for {field}"}
        values["made"] = f"the platform makes the groups from {field}"
    else:
        values |= {"criterion": "nothing: everyone is treated alike", "person": "an e-mail address"}
        values["made"] = f"everybody goes into {landing}"
    return values | ({"url": url, "entra_url": f"{url}?aadOptscim062020"} if url else {})


UNKNOWN = {
    "url": "the URL that the platform shows beside the token",
    "entra_url": "the URL that the platform shows beside the token, with ?aadOptscim062020 at its end",
}
"""The words for values that are not known."""


def _facts(setting: Setting, values: dict[str, str]) -> Grid:
    address = Cell(values["url"], "paste") if "url" in values else Cell(UNKNOWN["url"])
    rows = [
        ("Setting", Cell(setting.name)), ("Groups come from", Cell(values["criterion"])),
        ("Target group", Cell(setting.group_settings.target_group or "none")), ("URL", address), ("Token", Cell(TOKEN)),
    ]  # fmt: skip
    return Grid("", ("", ""), [(Cell(name), cell) for name, cell in rows])


def _mappings(idp: IdentityProvider, needs: Sequence[Need]) -> Grid:
    """What must be mapped: the identity provider's attribute, the name as its forms want it, whether it is sent."""
    split = idp.target is not plain_target
    target = "External name, External namespace" if split else "SCIM attribute"
    columns = ("Field", f"{idp.title} attribute" if idp.sends else "Your attribute", target, "Type", "Sent?")
    rows = []
    for need in needs:
        kind: Literal["paste", "text"] = "paste" if idp.typed_in else "text"
        name = Cell(need.attribute or "none: name one under field_mappings", kind if need.attribute else "text")
        if split and need.attribute:
            name = Cell(need.target, kind, also=need.namespace)
        field = Cell(need.field, note="decides the group" if need.criterion else "")
        rows.append((field, _source(idp, need), name, Cell(need.type), _sent(need)))
    marked = tuple(number for number, need in enumerate(needs) if need.criterion)
    return Grid("What this setting needs", columns, rows, marked)


def _source(idp: IdentityProvider, need: Need) -> Cell:
    if not need.source:
        return Cell("left out" if need.field == "externalId" and need.note else f"the one that holds {need.field}")
    parameter = _PARAMETER.fullmatch(need.source)
    if parameter and need.by_default is False:
        return Cell(parameter[1], "paste", f"in the template {need.source}")
    return Cell(need.source, "paste" if idp.typed_in and _ATTRIBUTE.fullmatch(need.source) else "text")


def _sent(need: Need) -> Cell:
    if need.attribute is None:
        return Cell("cannot be sent", "no")
    if need.instead:
        return Cell("to be changed", "no", f"The default is {need.instead}. {need.note}")
    words = {True: "sent by default", False: "to be added", None: "not verified"}
    kinds: dict[bool | None, Literal["yes", "no", "maybe"]] = {True: "yes", False: "no", None: "maybe"}
    return Cell(words[need.by_default], kinds[need.by_default], need.note)


def _sends(preview: Preview | None, idp: IdentityProvider) -> list[Block]:
    """Of the people of an export, how many have a value for each field; and what should be known of it."""
    if preview is None:
        return []
    from scimops.preview.sends import sends_of

    sends = sends_of(preview, idp.name)
    rows = []
    for line in sends.frame.iter_rows(named=True):
        known = line["with_value"] is not None
        share = f"{line['percent']} %" if known and line["percent"] is not None else ""
        counted = f"{line['with_value']:,} of {line['people']:,}" if known else "the export has no such column"
        rows.append((Cell(line["field"]), Cell(line["column"] or ""), Cell(counted), Cell(share)))
    marked = tuple(number for number, line in enumerate(sends.frame["criterion"]) if line)
    grid = Grid(
        "How many have a value, in your export", ("Field", "Column", "People with a value", "Share"), rows, marked
    )
    told = [one for one in sends.findings if one.code != "fields_not_sent_by_default"]  # the mappings say it themselves
    known_of = [
        (Cell(one.level, "maybe" if one.level == "info" else "no"), Cell(one.message), Cell(one.advice)) for one in told
    ]
    return [grid, *([Grid("What to know", ("", "What was found", "What to do"), known_of)] if known_of else [])]


def _sample(idp: IdentityProvider, needs: Sequence[Need]) -> str:
    values = {need.field: SAMPLE.get(need.field, need.field) for need in needs}
    values |= {"active": "true"} if idp.name == "onelogin" else {}  # all that its template sends is text
    left_out = {need.field for need in needs if need.field == "externalId" and not need.source and need.note}
    kept = {field: value for field, value in values.items() if field not in left_out}
    return json.dumps(sample_of(needs, kept), indent=2, ensure_ascii=False)


def _seats(preview: Preview) -> Grid:
    """What each scope costs in seats, counted in the export."""
    scope, numbers = preview.setting.scope, preview.numbers
    no_person = pl.col("reason").str.starts_with("rejected")
    everybody = preview.people.filter(~no_person & pl.col("active").fill_null(True)).height
    counts = {finding.code: finding.count for finding in preview.findings}
    narrowed = bool(scope.user_types or scope.assigned or scope.active_only)
    kinds = (("guests", "guest", "guests"), ("shared_mailboxes", "room or mailbox", "rooms or mailboxes"),
             ("service_accounts", "service account", "service accounts"))  # fmt: skip
    among = ", ".join(many(counts[code], one, several) for code, one, several in kinds if code in counts)
    rows = [
        (Cell("The people of the setting's scope"), Cell(f"{numbers.seats:,}"), Cell(""))
        if narrowed
        else (Cell("Assigned people only"), Cell("not known"), Cell("Name them in the setting: scope: assigned: FILE")),
        (Cell("All users"), Cell(f"{everybody:,}"), Cell(f"among those in scope {among}" if among else "")),
    ]
    if (seats := preview.setting.seats) is not None:
        short = f"{everybody - seats:,} too few for all users" if everybody > seats else ""
        rows.append((Cell("Seats of the licence"), Cell(f"{seats:,}"), Cell(short)))
    return Grid("What each choice costs, in your export", ("Scope", "Seats", ""), rows)


def parsed(markdown: str) -> list[Token]:
    """The pieces of a text, before values are put into them."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown)


def filled(tokens: Sequence[Token], values: dict[str, str]) -> Iterator[Token]:
    """The same pieces with values in them; code that is to be pasted says so in its `meta`."""
    for token in tokens:
        if token.children is not None:
            token.children = list(filled(token.children, values))
        elif token.type == "code_inline":
            name = _VALUE.fullmatch(token.content)
            if name and name[1] not in values:
                token.type, token.tag = "text", ""
            token.meta["paste"] = bool(name) or token.content.startswith("=")
            token.content = token.content.removeprefix("=") if not name else token.content
        if token.type in ("text", "code_inline"):
            token.content = _VALUE.sub(
                lambda found: visible(values.get(found[1], UNKNOWN.get(found[1], ""))), token.content
            )
        yield token
