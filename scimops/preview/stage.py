"""The first stage of a preview: everything that looks at text, done once per distinct value on one machine.

What it leaves to the pipeline are comparisons, joins and windows over plain keys, which any backend computes alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from scimops.errors import SettingError
from scimops.grouping import EMAIL, MAX_EMAIL, Grouping, group_key, identity_key
from scimops.mapping import CUSTOM_LIMIT, LIMITS, MappedUsers
from scimops.setting import Setting

CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{80}-\x{9f}]"
"""Control characters that no value of a user may have: all but tab, line feed and carriage return."""


@dataclass(frozen=True)
class Staged:
    """What the pipeline works on.

    `people`: the mapped users with `n`, `early`, `user_key`, `email_key`; `values`: each distinct value's place;
    `memberships`: with the identity provider's groups, `n` and `value` of each membership, else empty.
    """

    people: pl.DataFrame
    values: pl.DataFrame
    memberships: pl.DataFrame


def stage(users: MappedUsers, setting: Setting, grouping: Grouping, controls: bool, folder: Path) -> Staged:
    """Work out what a row alone decides: its keys, whether it can be sent at all, where each value leads.

    `controls`: control characters are possible. `folder`: where the setting's file of assigned people is looked for.

    Raises:
        SettingError: the file of assigned people cannot be read.
    """
    people = users.frame.with_row_index("n").with_columns(pl.col("n").cast(pl.Int64))
    memberships = people.select("n", "value").clear()
    if setting.by_idp_groups:
        memberships = _memberships(people)
        first = memberships.group_by("n", maintain_order=True).first()
        people = people.drop("value").join(first, on="n", how="left", maintain_order="left")
    people = people.with_columns(keyed(people, "userName", "user_key"))
    people = people.with_columns(_email_keys(people))
    if setting.scope.user_types:
        people = people.with_columns(keyed(people, "userType", "type_key"))
    people = people.with_columns(_early(people, _checks(people, setting, controls, _assigned(setting, folder))))
    distinct = (memberships if setting.by_idp_groups else people)["value"].drop_nulls().unique()
    return Staged(people, _places(distinct, grouping), memberships)


def _memberships(people: pl.DataFrame) -> pl.DataFrame:
    """One row a person and group, blank group names left out."""
    long = people.select("n", value=pl.col("idp_groups")).explode("value").drop_nulls()
    blank = [name for name in long["value"].unique() if not group_key(name)]
    return long.filter(~pl.col("value").is_in(blank))


def _places(distinct: pl.Series, grouping: Grouping) -> pl.DataFrame:
    """Where each distinct value leads; values that are blank by their key are left out, like null."""
    values = distinct.to_list()
    places = [grouping.place(value) for value in values]
    frame = pl.DataFrame(
        {
            "value": values,
            "group_key": [place.key for place in places],
            "name": [place.name for place in places],
            "reason": [place.reason for place in places],
        },
        schema=dict.fromkeys(("value", "group_key", "name", "reason"), pl.String),
    )
    return frame.filter(pl.col("reason").is_in(["matched", "alias", "idp_group"]))


def keyed(people: pl.DataFrame, column: str, name: str) -> pl.Expr:
    """The identity keys of a column: ASCII in one sweep, each other distinct value once through identity_key()."""
    plain = pl.col(column).str.to_lowercase()
    other = people.select(pl.col(column).filter(_not_ascii(column)).unique())[column]
    if other.is_empty():
        return plain.alias(name)
    keys = pl.col(column).replace_strict(other, _apply(identity_key, other), default=None, return_dtype=pl.String)
    return pl.when(_not_ascii(column)).then(keys).otherwise(plain).alias(name)


def keyed_people(people: pl.DataFrame) -> pl.DataFrame:
    """`people` with the keys by which they are compared, `user_key` and `email_key`."""
    return people.with_columns(keyed(people, "userName", "user_key"), keyed(people, "email", "email_key"))


def _email_keys(people: pl.DataFrame) -> pl.Series:
    """The keys of the e-mail addresses. Most are the userName, and have its key; the others are worked out."""
    other = people["email"].ne_missing(people["userName"])
    some = people.select("email").filter(other)
    keys = some.select(keyed(some, "email", "email_key")).to_series()
    return people["user_key"].clone().scatter(other.arg_true(), keys).alias("email_key")


def may_repeat(values: pl.Series) -> pl.Series:
    """Which values may occur more than once: those whose hash does. That is much cheaper than to compare texts."""
    hashes = values.hash()
    ordered = np.sort(hashes.to_numpy())
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    return hashes.is_in(pl.Series(twice).unique().implode())


def _not_ascii(column: str) -> pl.Expr:
    return pl.col(column).str.len_bytes() != pl.col(column).str.len_chars()


def _apply(function: Callable[[str], str], values: pl.Series) -> pl.Series:
    return pl.Series([function(value) for value in values], dtype=pl.String)


def _early(people: pl.DataFrame, checks: Sequence[tuple[pl.Expr, str]]) -> pl.Series:
    """The reason that a row alone decides, or null: the first check it fails, looked for in the few that fail any."""
    failing = people.select(pl.any_horizontal([failed for failed, _ in checks]).fill_null(False)).to_series()
    first = pl.lit(None, pl.String)
    for failed, reason in reversed(checks):
        first = pl.when(failed).then(pl.lit(reason)).otherwise(first)
    reasons = people.filter(failing).select(first.alias("early")).to_series()
    free = pl.repeat(None, people.height, dtype=pl.String, eager=True)
    return free.scatter(failing.arg_true(), reasons).alias("early")


def _checks(
    people: pl.DataFrame, setting: Setting, controls: bool, assigned: list[str] | None
) -> list[tuple[pl.Expr, str]]:
    """What a row alone may fail and the reason it has then, in the order of design rule 8."""
    texts = [name for name, kind in people.schema.items() if kind == pl.String and name not in _OURS]
    email = pl.col("email")
    checks: list[tuple[pl.Expr, str]] = []
    if controls:
        broken = [pl.col(name).str.contains(CONTROLS) for name in texts]
        if setting.by_idp_groups:
            broken.append(pl.col("idp_groups").list.eval(pl.element().str.contains(CONTROLS)).list.any())
        checks.append((pl.any_horizontal(broken).fill_null(False), "rejected_unreadable"))
    if (outside := _outside(setting, assigned)) is not None:
        checks.append((outside, "out_of_scope"))
    checks.append((pl.col("userName").is_null(), "rejected_no_username"))
    checks.append((email.is_null(), "rejected_no_email"))
    usable = email.str.contains(EMAIL) & (email.str.len_chars() <= MAX_EMAIL)
    checks.append((~usable, "rejected_bad_email"))
    if long := [pl.col(name).str.len_chars() > limit for name, limit in _limits(people).items()]:
        checks.append((pl.any_horizontal(long).fill_null(False), "rejected_value_too_long"))
    return checks


_OURS = ("file", "user_key", "email_key", "type_key", "value")


def _limits(people: pl.DataFrame) -> dict[str, int]:
    """The limits that any value can exceed at all: a text has no more characters than bytes."""
    custom = {name: CUSTOM_LIMIT for name in people.columns if name.startswith("field.")}
    limits = {name: limit for name, limit in LIMITS.items() if name != "email"} | custom
    longest = people.select(pl.col(name).str.len_bytes().max() for name in limits).row(0, named=True)
    return {name: limit for name, limit in limits.items() if (longest[name] or 0) > limit}


def _outside(setting: Setting, assigned: list[str] | None) -> pl.Expr | None:
    """Who is not in the scope (design rule 12); None where the setting has no scope."""
    scope, outside = setting.scope, []
    if scope.user_types:
        wanted = [identity_key(name) for name in scope.user_types]
        outside.append(~pl.col("type_key").is_in(wanted).fill_null(False))
    if scope.active_only:
        outside.append(pl.col("active").fill_null(True).not_())
    if assigned is not None:
        known = [pl.col(name).is_in(assigned).fill_null(False) for name in ("user_key", "email_key", "externalId")]
        outside.append(~pl.any_horizontal(known))
    return pl.any_horizontal(outside) if outside else None


def _assigned(setting: Setting, folder: Path) -> list[str] | None:
    """The keys of the people whom the scope's file names, one a line."""
    if setting.scope.assigned is None:
        return None
    path = folder / setting.scope.assigned
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingError(
            "the file of assigned people cannot be read.",
            where=f"scope.assigned: {path}",
            advice="It is UTF-8 text with one userName, e-mail address or externalId a line, beside the setting.",
        ) from None
    names = [line.strip().strip('",;') for line in lines]
    return sorted({key for name in names if name for key in (name, identity_key(name))})
