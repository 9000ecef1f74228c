"""THE grouping rule (design section 4): which group one person lands in, and why.

Rules 1 to 4 are one Python function of one value, :meth:`Grouping.place`. A preview calls it once per distinct value
and joins; the service provider calls it once per request. What is said of many people at once (duplicates, counts,
first spellings) is one Narwhals expression, :func:`assign_groups`, which runs wherever the frame lives.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scimops.errors import SettingError
from scimops.setting import Setting

if TYPE_CHECKING:
    import narwhals as nw

REASONS: dict[str, str] = {
    "matched": "lands in the group of their own value",
    "alias": "lands in a group by an alias",
    "fallback_blank": "has no value and lands in the target group",
    "everyone": "lands in the target group, like everyone",
    "idp_group": "lands in the groups they have at the identity provider",
    "fallback_no_idp_group": "is in no group at the identity provider and lands in the target group",
    "ungrouped": "arrives without a group",
    "inactive": "is not active: no group, no training",
    "out_of_scope": "is not in the scope and will not be sent",
    "rejected_no_email": "has no e-mail address and will be rejected",
    "rejected_bad_email": "has an unusable e-mail address and will be rejected",
    "rejected_no_username": "has no userName and will be rejected",
    "rejected_value_too_long": "has a value that is too long and will be rejected",
    "rejected_duplicate": "shares a userName or e-mail address with another account and will be rejected",
    "rejected_unreadable": "cannot be read from the file and will be rejected",
}
"""Every reason with its sentence: what becomes of a person who has it. A person has exactly one."""

ARRIVING = ("matched", "alias", "fallback_blank", "everyone", "idp_group", "fallback_no_idp_group", "ungrouped")
OWN = ("matched", "alias", "idp_group")
"""Reasons of those whom a value of their own, or a group of theirs, led to a group."""

REJECTED = tuple(reason for reason in REASONS if reason.startswith("rejected_"))

_FORMAT = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF])
_SPACES = re.compile(r"\s+")
_DOTTED = re.compile("i\u0307+")


def group_key(value: str) -> str:
    """The key of a group: values with one key are one group (design rule 2). Empty for a blank value.

    Format characters go, compatibility forms and upper and lower case are one (Unicode NFKC and case folding), the
    Turkish dotless ı and dotted İ are i, runs of white space are one space. Idempotent.
    """
    if value.isascii():
        return " ".join(value.casefold().split())
    text = value.translate(_FORMAT)
    text = unicodedata.normalize("NFKC", _fold_twice(text))
    text = _DOTTED.sub("i", unicodedata.normalize("NFD", text).replace("ı", "i"))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.split())


def _fold_twice(text: str) -> str:
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    return text


def identity_key(value: str) -> str:
    """The key by which userNames and e-mail addresses are compared (design rule 8): NFKC, case fold, trim."""
    return unicodedata.normalize("NFKC", value).casefold().strip()


def spelling(value: str) -> str:
    """A value as a group may be named after it: runs of white space are one space, none at the ends."""
    return _SPACES.sub(" ", value).strip()


EMAIL = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@.\s\x00-\x1f\x7f-\x9f]+(\.[^@.\s\x00-\x1f\x7f-\x9f]+)*$"
"""A usable e-mail address, for Python's and Polars' regular expressions alike: one @, a domain, no spaces."""

MAX_EMAIL = 320
_EMAIL = re.compile(EMAIL)
_HALF = re.compile(r"[\ud800-\udfff]")


def usable_email(value: str) -> bool:
    """Is this e-mail address usable, in files and on the wire alike (design rule 1)? Half characters are not."""
    return len(value) <= MAX_EMAIL and _EMAIL.fullmatch(value) is not None and not _HALF.search(value)


@dataclass(frozen=True)
class Placement:
    """Where one value leads: the key of the group (None = no group), its name where that is fixed, the reason.

    `name` is None where the group is named after the first spelling met; `reason` is one of :data:`ARRIVING`.
    """

    key: str | None
    name: str | None
    reason: str


@dataclass(frozen=True)
class ExistingGroup:
    """A group the platform has: what rule 4 needs to choose between several with one key."""

    name: str
    id: str = ""
    own: bool = False
    scim: bool = False
    created: str = ""


@dataclass(frozen=True)
class Grouping:
    """The group settings of a setting, with everything that depends on no person worked out once.

    Raises:
        SettingError: two aliases are one key (design rule 2) and lead to two groups.
    """

    setting: Setting
    existing: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(init=False)
    alias_names: Mapping[str, str] = field(init=False)
    target_key: str | None = field(init=False)

    def __post_init__(self) -> None:
        groups = self.setting.group_settings
        names = {name: group_key(name) for name in groups.aliases.values()}
        object.__setattr__(self, "aliases", _aliases(groups.aliases, names))
        object.__setattr__(self, "alias_names", {key: name for name, key in reversed(names.items())})
        target = group_key(groups.target_group) if groups.target_group else None
        object.__setattr__(self, "target_key", target or None)

    def place(self, value: str | None) -> Placement:
        """Rules 1 to 6 for one value of the criterion; with the identity provider's groups, for one group's name."""
        if self.setting.by_idp_groups:
            key = group_key(value) if value else ""
            return self._named(key, "idp_group") if key else self._fallback("fallback_no_idp_group")
        if self.setting.grouping_field is None:
            return self._fallback("everyone")
        key = group_key(value) if value else ""
        if not key:
            return self._fallback("fallback_blank")
        if alias := self.aliases.get(key):
            return self._named(alias, "alias")
        return self._named(key, "matched")

    def _fallback(self, reason: str) -> Placement:
        if self.target_key is None:
            return Placement(None, None, "ungrouped")
        return self._named(self.target_key, reason)

    def _named(self, key: str, reason: str) -> Placement:
        """Rule 4: the existing group, the target group, the alias's name, else the first spelling met."""
        if (existing := self.existing.get(key)) is not None:
            return Placement(key, existing, reason)
        target = self.setting.group_settings.target_group if key == self.target_key else None
        name = target or self.alias_names.get(key)
        return Placement(key, spelling(name) if name else None, reason)


def _aliases(aliases: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """From the key of each value to the key of the group it means."""
    written: dict[str, str] = {}
    for value, name in aliases.items():
        other = written.setdefault(group_key(value), value)
        if names[aliases[other]] != names[name]:
            raise SettingError(
                f'"{other}" and "{value}" are one value but lead to two groups.', where="group_settings.aliases",
                advice="Upper and lower case and spaces do not count. Keep one of them.",
            )  # fmt: skip
    return {key: names[aliases[value]] for key, value in written.items()}


def assign_group(grouping: Grouping, value: str | None, active: bool | None = True) -> Placement | None:
    """One person's group under `grouping`; None for a person who is inactive and so in no group (rule 9)."""
    if active is False and grouping.setting.group_settings.inactive != "keep_group":
        return None
    return grouping.place(value)


def existing_by_key(groups: Iterable[ExistingGroup]) -> dict[str, str]:
    """Rule 4's choice among existing groups: this setting's own, then SCIM groups, then the oldest, then lowest id."""
    best: dict[str, tuple[tuple[bool, bool, bool, str, int, str], str]] = {}
    for group in groups:
        key = group_key(group.name)
        rank = (not group.own, not group.scim, not group.created, group.created, len(group.id), group.id)
        if key and (key not in best or rank < best[key][0]):
            best[key] = (rank, group.name)
    return {key: name for key, (_, name) in best.items()}


def assign_groups(people: nw.LazyFrame[Any], values: nw.LazyFrame[Any], grouping: Grouping) -> nw.LazyFrame[Any]:
    """The one reason of each person, and their group: rules 8 and 9 over a whole population, then the values' groups.

    Args:
        people: one row a person: `n` (order in the file), `early` (a reason found from the row alone, or null),
            `user_key`, `email_key`, `active`, `value` (the criterion's value; null = blank).
        values: one row a distinct value: `value`, `group_key`, `reason`, from :meth:`Grouping.place`.
        grouping: the group settings; places the blank value.

    Returns:
        `n`, `reason`, `group_key` (null = no group) of each person.
    """
    import narwhals as nw

    groups, blank = grouping.setting.group_settings, grouping.place(None)
    free = nw.col("early").is_null()
    frame = people.with_columns(slot=nw.when(free).then(nw.col("user_key")))
    frame = frame.with_columns(clash=_loses(groups.duplicates))
    frame = frame.with_columns(slot=nw.when(free & ~nw.col("clash")).then(nw.col("email_key")))
    frame = frame.with_columns(clash=nw.col("clash") | _loses(groups.duplicates))
    frame = frame.join(values, on="value", how="left")
    is_blank = nw.col("reason").is_null()
    reason = nw.when(is_blank).then(nw.lit(blank.reason)).otherwise(nw.col("reason"))
    key = nw.when(is_blank).then(nw.lit(blank.key, nw.String)).otherwise(nw.col("group_key"))
    stays = free & ~nw.col("clash")
    if groups.inactive != "keep_group":
        on = nw.coalesce(nw.col("active"), nw.lit(True))
        reason = nw.when(on).then(reason).otherwise(nw.lit("inactive"))
        stays = stays & on
    reason = nw.when(nw.col("clash")).then(nw.lit("rejected_duplicate")).otherwise(reason)
    return frame.select(
        "n", reason=nw.when(free).then(reason).otherwise(nw.col("early")), group_key=nw.when(stays).then(key)
    )


def _loses(policy: str) -> nw.Expr:
    """Does a person lose the clash over their `slot` (null = takes no part)? Design rule 8."""
    import narwhals as nw

    several = ~nw.col("slot").is_null() & (nw.col("n").count().over("slot") > 1)
    if policy == "keep_first":
        return several & (nw.col("n") != nw.col("n").min().over("slot"))
    if policy == "keep_active":
        alive = nw.coalesce(nw.col("active"), nw.lit(True)).cast(nw.Int64)
        return several & ~((alive == 1) & (alive.sum().over("slot") == 1))
    return several
