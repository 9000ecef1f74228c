"""A SCIM setting: which attributes go to which fields, and what decides a person's group.

Settings are documents that people review and version: YAML, read strictly (an unknown key, a wrong type, a duplicate
key, an anchor is an error with its line) and written back with their comments kept.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scimops.attributes import normal_path
from scimops.errors import nearest
from scimops.yaml_documents import load_document, parse_document, save_document, validated

BUILT_IN_FIELDS = ("email", "firstName", "lastName", "department", "phone")
"""Fields the platform has by itself; nothing need be mapped to them (facts: getting-started-with-scim)."""

COLUMN_KEYS = (
    "externalId", "userName", *BUILT_IN_FIELDS, "active", "userType", "groups", "createdOn", "hiredOn", "leftOn",
)  # fmt: skip
"""Fields of a user that `columns` may read from another column of the export."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _says_something(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    if _CONTROLS.search(value):
        raise ValueError("must not hold control characters")
    return value


Text = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_says_something)]
Span = Annotated[str, Field(pattern=r"^[1-9]\d{0,4}[hdw]$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True)


class FieldMapping(_Part):
    """A SCIM attribute path and the field of the platform that its value goes to."""

    attribute: Text = Field(description='SCIM attribute path, such as addresses[type eq "work"].country')
    field: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_says_something)] = Field(
        description="name of the field on the platform"
    )

    @field_validator("attribute")
    @classmethod
    def _is_path(cls, value: str) -> str:
        try:
            normal_path(value)
        except ValueError:
            raise ValueError(
                'is no SCIM attribute path; such are title, name.givenName, addresses[type eq "work"].country'
            ) from None
        return value


class Identity(_Part):
    """From which columns of the export a person's keys are read; null = as the shape has it."""

    externalId: Text | None = Field(None, description="column of the externalId")  # noqa: N815  # SCIM's name
    userName: Text | None = Field(None, description="column of the userName")  # noqa: N815  # SCIM's name
    email: Text | None = Field(None, description="column of the e-mail address")


class Scope(_Part):
    """Who will be provisioned at all (design rule 12). Nothing said: everyone."""

    user_types: list[Text] = Field([], description="only these user types, such as Member; upper and lower case alike")
    active_only: bool = Field(False, description="only people who are active")
    assigned: Text | None = Field(
        None, description="a file beside the setting with one userName, e-mail or externalId a line: only these people"
    )


class Criterion(_Part):
    """What decides the group: a field, or the identity provider's own groups; exactly one of the two."""

    field: Text | None = Field(None, description="department, or a field of field_mappings or columns")
    idp_groups: Literal[True] | None = Field(None, description="true: mirror the identity provider's groups")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.field is None) == (self.idp_groups is None):
            raise ValueError("needs exactly one of field and idp_groups")
        return self


class GroupSettings(_Part):
    """Which group a person lands in."""

    target_group: Text | None = Field(None, description="group for everyone without a criterion, else the fallback")
    criterion: Criterion | None = Field(None, description="what decides the group")
    aliases: dict[Text, Text] = Field({}, description="value: group name, such as R&D: Engineering")
    duplicates: Literal["reject_all", "keep_first", "keep_active"] = Field(
        "reject_all", description="which of several people with one userName or e-mail address is kept"
    )
    inactive: Literal["no_group", "keep_group", "reject"] = Field(
        "no_group", description="what becomes of people who are not active"
    )


class Limit(_Part):
    """How much of one kind a plan may do: a number, a share of the people there, or both; the first reached counts."""

    number: Annotated[int, Field(ge=0)] | None = Field(None, description="at most so many")
    percent: Annotated[int, Field(ge=0, le=100)] | None = Field(None, description="at most this share, in percent")


_LATER = ("window", "grace", "seats")


class Safeguards(_Part):
    """What a plan must not do without a person's approval. On by default; a limit with nothing in it is off."""

    deactivate: Limit = Field(default_factory=lambda: Limit(number=500, percent=20), description="people who end")
    delete: Limit = Field(default_factory=lambda: Limit(number=500, percent=20), description="people who are deleted")
    leave: Limit = Field(default_factory=lambda: Limit(percent=20), description="people who leave a group")
    leave_each: Limit = Field(default_factory=lambda: Limit(percent=50), description="the same, of each group alone")
    move: Limit = Field(default_factory=Limit, description="people who go from one group to another")
    empty_groups: Annotated[int, Field(ge=0)] | None = Field(0, description="groups that lose their last member")
    minimum: Annotated[int, Field(ge=1)] = Field(
        20, description="people below which a share says nothing: of five people one is 20 %"
    )
    over: Literal["withhold", "stop"] = Field(
        "withhold", description="withhold what removes and go on with the rest, or do nothing at all"
    )
    protect: list[Text] = Field([], description="userNames or e-mail addresses never removed; * stands for any text")
    window: Span | None = Field(
        "7d", description="what applies of so long a time before took away counts towards the limits, too; null: none"
    )
    grace: Span | None = Field(
        None, description="how long somebody must be missing from the exports before they are deactivated: 3d"
    )
    seats: bool = Field(True, description="people who start, against the free seats of the licence")

    @model_serializer(mode="wrap")
    def _without_later_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keys that format 1 has had only later are left out where nobody said them: older plans keep their seal."""
        return {key: value for key, value in handler(self).items() if key not in _LATER or key in self.model_fields_set}


class Setting(_Part):
    """A SCIM setting, format 1.

    Raises:
        SettingError: from :func:`load_setting` and :func:`parse_setting`, with line, key and what is allowed.
    """

    format: Literal[1] = Field(1, description="version of this document's format")
    name: Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_says_something)] = Field(
        description="name of the setting"
    )
    field_mappings: list[FieldMapping] = Field([], description="custom fields beyond the five built-in ones")
    identity: Identity = Field(default_factory=Identity)
    scope: Scope = Field(default_factory=Scope)
    group_settings: GroupSettings = Field(default_factory=GroupSettings)
    safeguards: Safeguards = Field(default_factory=Safeguards)
    columns: dict[Text, Text] = Field({}, description="field or attribute: column of the export, where it is another")
    allowed_domains: list[Text] = Field([], description="e-mail domains the platform has authorised; none said: all")
    seats: Annotated[int, Field(ge=0)] | None = Field(None, description="seats of the licence")
    max_age: Span | None = Field(None, description="how old an export may be: 12h, 7d, 2w")

    @model_validator(mode="after")
    def _mapped_fields_are_new(self) -> Self:
        names = [mapping.field for mapping in self.field_mappings]
        for number, name in enumerate(names):
            key = f"field_mappings.{number}.field"
            if name in COLUMN_KEYS:
                advice = f'Name another field, or say `columns: {name}: COLUMN` to read "{name}" from another column.'
                raise _wrong(key, f'is "{name}", which every person has already', advice)
            if name in names[:number]:
                raise _wrong(key, f'is "{name}", which stands there twice', "Keep one.")
        return self

    @model_validator(mode="after")
    def _criterion_exists(self) -> Self:
        field = self.grouping_field
        if field is not None and field not in self.fields:
            hint = nearest(field, self.fields) or f"Allowed: {', '.join(self.fields)}."
            raise _wrong("group_settings.criterion.field", "is no field of this setting", hint)
        return self

    @property
    def fields(self) -> list[str]:
        """Every field a person has under this setting: built-in, mapped, read from a column by name."""
        named = [name for name in self.columns if name not in COLUMN_KEYS and not _is_attribute(name)]
        return list(dict.fromkeys([*BUILT_IN_FIELDS, *(mapping.field for mapping in self.field_mappings), *named]))

    @property
    def custom_fields(self) -> list[str]:
        """The fields beyond the built-in ones."""
        return self.fields[len(BUILT_IN_FIELDS) :]

    @property
    def grouping_field(self) -> str | None:
        """The field that decides the group; None without a criterion and with the identity provider's groups."""
        criterion = self.group_settings.criterion
        return criterion.field if criterion else None

    @property
    def by_idp_groups(self) -> bool:
        """Are the groups the identity provider's own?"""
        criterion = self.group_settings.criterion
        return bool(criterion and criterion.idp_groups)

    @property
    def max_age_span(self) -> dt.timedelta | None:
        """`max_age` as a span of time."""
        return None if self.max_age is None else span_of(self.max_age)


def span_of(text: str) -> dt.timedelta:
    """A `Span` of a setting, such as `12h`, `7d` or `2w`, as a span of time."""
    return dt.timedelta(**{{"h": "hours", "d": "days", "w": "weeks"}[text[-1]]: int(text[:-1])})


def _wrong(key: str, what: str, advice: str) -> PydanticCustomError:
    """What :mod:`scimops.yaml_documents` shows with the line of `key`."""
    return PydanticCustomError("wrong_key", "{text}", {"text": f"{key}|{what}|{advice}"})


def _is_attribute(name: str) -> bool:
    """Is this key of `columns` an attribute path, not the name of a field such as `Org Unit Path [Required]`?"""
    try:
        normal_path(name)
    except ValueError:
        return False
    return "[" in name or ":" in name


def quick_setting(group_by: str | None = None, target_group: str | None = None, name: str = "Preview") -> Setting:
    """The setting that `--group-by` and `--target-group` mean.

    `group_by` is `department`, the name of a column of the export (it becomes a field of that name), a SCIM attribute
    path (it becomes a field named by its end), `idp-groups`, or `none`.

    Raises:
        SettingError: a name is blank, too long or holds control characters.
    """
    document: dict[str, Any] = {"name": name, "group_settings": {"target_group": target_group}}
    if group_by == "idp-groups":
        document["group_settings"]["criterion"] = {"idp_groups": True}
    elif group_by is not None and group_by != "none":
        field, more = _named_field(group_by)
        document["group_settings"]["criterion"] = {"field": field}
        document |= more
    return validated(document, Setting)


def _named_field(column: str) -> tuple[str, dict[str, Any]]:
    """The field that a column or an attribute path becomes, and what a setting says of it."""
    if column in BUILT_IN_FIELDS:
        return column, {}
    if _is_attribute(column):
        field = column.rsplit(":", 1)[-1]
        return field, {} if field in BUILT_IN_FIELDS else {"field_mappings": [{"attribute": column, "field": field}]}
    field = column[:1].upper() + column[1:] if column in COLUMN_KEYS else column
    return field, {"columns": {field: column}}


def load_setting(path: str | Path) -> Setting:
    """The setting in the YAML file `path`.

    Raises:
        SettingError: there is no such file, or something in it is wrong: says where and what is allowed.
    """
    return load_document(path, Setting)


def parse_setting(text: str, name: str = "setting") -> Setting:
    """The setting in YAML `text`; `name` is what errors call the document.

    Raises:
        SettingError: as in :func:`load_setting`.
    """
    return parse_document(text, Setting, name)


def save_setting(setting: Setting, path: str | Path) -> None:
    """Write `setting` to `path`; comments and order of a document that is there already are kept."""
    save_document(setting, path)
