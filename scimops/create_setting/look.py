"""What an admin should know before a setting is created: a look at the platform that changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from scimops import findings
from scimops.create_setting.body import Ids, body_of, differences, sent_mappings
from scimops.create_setting.notices import NOTICES
from scimops.create_setting.record import Created
from scimops.findings import Finding
from scimops.grouping import ARRIVING, group_key, identity_key
from scimops.setting import Setting

if TYPE_CHECKING:
    from scimops.platform import CustomField, Platform, SettingRow, TargetGroup, TargetUser
    from scimops.preview import Preview

TEXT_TYPES = ("Text", "String", "SingleLineText")
"""Data types of a custom field that take what SCIM sends."""

notice = partial(findings.finding, catalogue=NOTICES)


@dataclass(frozen=True)
class Look:
    """What is there, what would be made, what to know. `findings`: errors first.

    `existing` is the setting made from this document, where there is one. `ids` are the resource ids found;
    `fields_to_make` and `make_target_group` say what is missing.
    """

    company: str
    ids: Ids
    fields_to_make: list[str]
    make_target_group: bool
    existing: Created | None
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        """Is there something that forbids to create the setting?"""
        return any(finding.level == "error" for finding in self.findings)


def look(
    platform: Platform, setting: Setting, preview: Preview | None, made: Created | None, connection: str
) -> Look:  # fmt: skip
    """Look at everything that matters before `setting` is created on `platform`; changes nothing.

    Args:
        platform: from :func:`scimops.platform.connect`.
        setting: the document.
        preview: of the people who will arrive; None: unknown.
        made: what the record beside the document says of this connection.
        connection: its name, for the sentences.

    Raises:
        UsageError: the setting cannot be created there: says what in it.
        ScimopsError: the platform cannot be read.
    """
    company = platform.company()
    groups, rows = platform.target_groups(), platform.settings()
    by_key = {identity_key(field["name"]): field for field in platform.custom_fields()}
    wanted = [mapping.field for mapping in sent_mappings(setting)]
    existing = made if made and made.setting_id in {row["resourceId"] for row in rows} else None
    target = _target_group(setting, groups)
    ids = Ids(
        {field["name"]: field["resourceId"] for field in platform.scim_fields()},
        {name: by_key[identity_key(name)]["resourceId"] for name in wanted if identity_key(name) in by_key},
        target,
    )
    body_of(setting, replace(ids, custom_fields=dict.fromkeys(wanted, "")), own=platform.capabilities().own)
    missing = [name for name in wanted if name not in ids.custom_fields]
    make_group = setting.group_settings.target_group is not None and target is None
    found: list[Finding] = []
    if existing:
        found.append(notice("setting_there", connection=connection, id=existing.setting_id, name=existing.name))
    elif find_again(platform, setting, made, rows) is not None:
        found.append(notice("found_again", name=setting.name))
    elif named(rows, setting.name):
        found.append(notice("name_taken", company=company.name, name=setting.name))
    found += _field_notices(wanted, by_key, missing)
    if make_group:
        found.append(notice("target_group_to_make", name=setting.group_settings.target_group))
    found += _people_notices(platform, preview, groups) if preview else [notice("no_preview")]
    found += [*_undocumented(platform, setting, preview), notice("fixed_at_creation")]
    order = {level: place for place, level in enumerate(findings.LEVELS)}
    return Look(company.name, ids, missing, make_group, existing, sorted(found, key=lambda one: order[one.level]))


def named(rows: Iterable[SettingRow], name: str) -> list[SettingRow]:
    """The settings of a company that have this name, upper and lower case alike."""
    key = identity_key(name)
    return [row for row in rows if identity_key(row["name"]) == key]


def find_again(
    platform: Platform, setting: Setting, made: Created | None, rows: Iterable[SettingRow] | None = None
) -> str | None:  # fmt: skip
    """The id of the setting that was made when the answer to an earlier attempt never came; None where there is none.

    It has the document's name and says what the document says; the record knows of the attempt. `rows` are the
    company's settings where they were read a moment ago.
    """
    if made is None or made.setting_id is not None:
        return None
    for row in named(platform.settings() if rows is None else rows, setting.name):
        if not differences(setting, platform.setting(row["resourceId"])):
            return row["resourceId"]
    return None


def _target_group(setting: Setting, groups: Iterable[TargetGroup]) -> str | None:
    """The group of the company with the target group's key; of several the oldest, which comes first."""
    name = setting.group_settings.target_group
    same = (group["resourceId"] for group in groups if name and group_key(group["name"]) == group_key(name))
    return next(same, None)


def _field_notices(wanted: list[str], by_key: Mapping[str, CustomField], missing: list[str]) -> Iterable[Finding]:
    for name in wanted:
        there = by_key.get(identity_key(name))
        if there and there["fieldDataType"] not in TEXT_TYPES:
            yield notice("field_of_another_type", name=name, type=there["fieldDataType"])
    if missing:
        yield notice("field_to_make", fields=len(missing), names=", ".join(missing))


def _people_notices(platform: Platform, preview: Preview, groups: list[TargetGroup]) -> Iterable[Finding]:
    arriving = preview.people.filter(pl.col("reason").is_in(ARRIVING))["email"].drop_nulls()
    keys = {identity_key(email) for email in arriving.to_list()}
    there: Counter[tuple[str, str]] = Counter()
    known = taken = 0
    for user in platform.target_users():
        taken += user.get("status") == "Active"
        if identity_key(user.get("email") or "") in keys:
            there[_origin(user)] += 1
            known += user.get("status") == "Active"
    others = {name: count for (kind, name), count in there.items() if kind == "scim"}
    rest = {name: count for (kind, name), count in there.items() if kind != "scim"}
    if others:
        yield notice("people_of_another_setting", count=sum(others.values()), by=_counted(others))
    if rest:
        takes_over = 11 in platform.capabilities().rules
        advice = (
            "The setting takes them over: same person, same trainings, placed by its rule."
            if takes_over
            else "What becomes of them is not documented: test with one of them first."
        )
        yield notice("people_there", count=sum(rest.values()), by=_counted(rest), advice=advice)
    seats, new = platform.seats(), preview.numbers.seats - known
    if seats is not None and new > seats - taken:
        yield notice("seats_short", needed=new, free=max(seats - taken, 0))
    yield from _group_notices(preview, groups)


def _group_notices(preview: Preview, groups: list[TargetGroup]) -> Iterable[Finding]:
    wanted = {group.group_key for group in preview.groups}
    same = [group for group in groups if group_key(group["name"]) in wanted]
    if same:
        sample = ", ".join(f"{one['name']} ({_maker(one)}, {findings.people(one['userCount'])})" for one in same[:5])
        more = f" and {len(same) - 5:,} more" if len(same) > 5 else ""
        yield notice("groups_there", groups=len(same), sample=sample + more)


def _undocumented(platform: Platform, setting: Setting, preview: Preview | None) -> Iterable[Finding]:
    """What the platform does not say of the rules that matter here; what it lacks stands in the preview."""
    rules = platform.capabilities().rules
    if 11 not in rules:
        yield notice("undocumented", what="by which attribute it knows a person again who was renamed")
    if setting.grouping_field and 10 not in rules:
        yield notice(
            "undocumented", what=f"whether a person whose {setting.grouping_field} changes leaves the old group"
        )
    if preview is None and setting.grouping_field and 2 not in rules:
        yield notice("undocumented", what="whether Sales and SALES become one group")


def _origin(user: TargetUser) -> tuple[str, str]:
    if name := user.get("scimSettingName"):
        return "scim", name
    if name := user.get("ldapConfigName"):
        return "ldap", f"LDAP {name}"
    return "hand", "by hand or from a file"


def _maker(group: TargetGroup) -> str:
    if name := group.get("scimSettingName"):
        return f"SCIM setting {name}"
    if name := group.get("ldapConfigName"):
        return f"LDAP {name}"
    return "by SCIM" if group["isScimGroup"] else "by hand"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())
