"""From a setting's document to what the platform is asked to create, and back to compare the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scimops.attributes import ENTERPRISE, normal_path
from scimops.errors import UsageError, nearest
from scimops.grouping import group_key
from scimops.platform import SettingDetail
from scimops.setting import BUILT_IN_FIELDS, FieldMapping, Setting

DEPARTMENT = f"{ENTERPRISE}:department"


@dataclass(frozen=True)
class Ids:
    """The platform's resource ids: SCIM attribute path → id, custom field → id, the target group's."""

    attributes: Mapping[str, str]
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    target_group: str | None = None


def sent_mappings(setting: Setting) -> list[FieldMapping]:
    """The mappings the platform must be told: of the criterion and of every custom field.

    Raises:
        UsageError: the groups hang on a column of the export that no SCIM attribute carries.
    """
    field_, mapped = setting.grouping_field, {mapping.field for mapping in setting.field_mappings}
    if field_ not in (None, "department") and field_ not in mapped:
        raise UsageError(
            f'The groups hang on "{field_}", which no SCIM attribute carries to the platform.',
            advice=f'Add it to field_mappings, such as `- attribute: userType` with `field: "{field_}"`.',
            where="group_settings.criterion.field",
        )
    return list(setting.field_mappings)


def body_of(setting: Setting, ids: Ids, *, own: bool) -> dict[str, Any]:
    """The body of `POST /api/scim` (OpenAPI `CreateScimIntegrationRequest`).

    `own` adds the object `scimops`, which only the embedded platform takes: rules that the published API has no field
    for, and attributes that its list of SCIM fields does not have.

    Raises:
        UsageError: a mapped attribute is none that this platform takes; says the nearest.
    """
    known = {normal_path(path): key for path, key in ids.attributes.items()}
    mappings = sent_mappings(setting)
    more = [one for one in mappings if normal_path(one.attribute) not in known]
    by = _grouping_id(setting, known)
    if not own and more:
        hint = nearest(more[0].attribute, ids.attributes) or "Map one of its list of SCIM fields."
        raise UsageError(f'The platform has no SCIM field "{more[0].attribute}".', advice=hint, where="field_mappings")
    if not own and by is None and setting.grouping_field is not None:
        raise UsageError(
            f'The platform has no SCIM field for the criterion "{setting.grouping_field}".',
            advice="Choose another criterion, or the identity provider's groups.",
            where="group_settings.criterion.field",
        )
    body = {
        "name": setting.name, "groupResourceId": ids.target_group, "groupBySCIMFieldResourceId": by,
        "syncPlatformGroup": setting.by_idp_groups,
        "fieldMappings": [
            {
                "customFieldResourceId": ids.custom_fields[one.field],
                "scimFieldResourceId": known[normal_path(one.attribute)],
            }
            for one in mappings if one not in more
        ],
    }  # fmt: skip
    return body | ({"scimops": _additions(setting, more, by)} if own else {})


def _grouping_id(setting: Setting, known: Mapping[str, str]) -> str | None:
    """The SCIM field that decides the group; None without one, and where the platform's list does not have it."""
    if setting.grouping_field == "department":
        return known.get(normal_path(DEPARTMENT))
    for mapping in setting.field_mappings:
        if mapping.field == setting.grouping_field:
            return known.get(normal_path(mapping.attribute))
    return None


def _additions(setting: Setting, more: list[FieldMapping], by: str | None) -> dict[str, Any]:
    said = setting.model_dump(mode="json", exclude_defaults=True)
    groups = said.get("group_settings", {})
    added = {name: groups[name] for name in ("aliases", "duplicates", "inactive") if name in groups}
    parts = ("identity", "scope", "columns", "allowed_domains", "seats", "max_age")
    added |= {name: said[name] for name in parts if name in said}
    if more:
        added["field_mappings"] = [mapping.model_dump() for mapping in more]
    if by is None and setting.grouping_field is not None:
        added["group_by"] = setting.grouping_field
    return added


@dataclass(frozen=True)
class Difference:
    """One thing in which the document and the platform differ; `fixed`: it can never be changed there."""

    what: str
    document: str
    platform: str
    fixed: bool = True


def differences(setting: Setting, there: SettingDetail) -> list[Difference]:
    """In what a document and a setting of the platform differ.

    What the platform does not keep (scope, seats, columns of the export) is not compared.
    """
    groups, found = setting.group_settings, []
    if setting.name != there["name"]:
        found.append(Difference("name", setting.name, there["name"], fixed=False))
    if group_key(groups.target_group or "") != group_key(there["groupName"] or ""):
        found.append(Difference("target group", _shown(groups.target_group), _shown(there["groupName"])))
    wanted = _criterion(setting.by_idp_groups, setting.grouping_field)
    is_there = _criterion(there["syncPlatformGroup"], there["groupByCustomFieldName"])
    if wanted.casefold() != is_there.casefold():
        found.append(Difference("grouping criterion", wanted, is_there))
    return (
        found
        + _mapping_differences(setting, there)
        + _own_differences(setting, there.get("scimops", {}).get("setting"))
    )


def _mapping_differences(setting: Setting, there: SettingDetail) -> list[Difference]:
    wanted = {mapping.field: normal_path(mapping.attribute) for mapping in setting.field_mappings}
    mapped = {row["customFieldName"]: _normal(row["scimPath"]) for row in there["mappingDetails"] or []}
    mapped = {field: path for field, path in mapped.items() if field in wanted or field not in BUILT_IN_FIELDS}
    return [
        Difference(f'field "{name}"', _shown(wanted.get(name)), _shown(mapped.get(name)))
        for name in dict.fromkeys([*wanted, *mapped])
        if wanted.get(name) != mapped.get(name)
    ]


def _own_differences(setting: Setting, there: Mapping[str, Any] | None) -> list[Difference]:
    """Rules that only the embedded platform keeps."""
    if there is None:
        return []
    theirs, ours = there.get("group_settings", {}), setting.group_settings.model_dump(mode="json")
    return [
        Difference(name, _shown(ours[name]), _shown(theirs.get(name)))
        for name in ("aliases", "duplicates", "inactive")
        if ours[name] != theirs.get(name)
    ]


def _criterion(by_groups: bool, field: str | None) -> str:
    return "the identity provider's groups" if by_groups else field or "none"


def _normal(path: str) -> str:
    try:
        return normal_path(path)
    except ValueError:
        return path


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {one}" for key, one in value.items()) or "none"
    return "none" if value is None else str(value)
