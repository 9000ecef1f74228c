"""Checks of who people are: userName, e-mail address, externalId, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.errors import Finding, finding
from scimops.grouping import ARRIVING
from scimops.idp import IDPS
from scimops.mapping import CUSTOM_LIMIT, LIMITS
from scimops.preview.checks.common import first_of, kept, rows_with
from scimops.preview.stage import may_repeat

if TYPE_CHECKING:
    from scimops.preview import Preview

_REASON = pl.col("reason")


def no_username(preview: Preview) -> Finding | None:
    """People without a userName."""
    return _rejected(preview, "rejected_no_username", "no_username", column=_column(preview, "userName"))


def no_email(preview: Preview) -> Finding | None:
    """People without an e-mail address."""
    return _rejected(preview, "rejected_no_email", "no_email", column=_column(preview, "email"))


def bad_email(preview: Preview) -> Finding | None:
    """People whose e-mail address is none."""
    sample = (
        first_of(preview, _REASON == "rejected_bad_email", "email") if "rejected_bad_email" in preview.reasons else ""
    )
    return _rejected(preview, "rejected_bad_email", "bad_email", sample=sample[:80])


def _rejected(preview: Preview, reason: str, code: str, **values: Any) -> Finding | None:
    if reason not in preview.reasons:
        return None
    return finding(code, **rows_with(preview, _REASON.eq(reason)), **values)


def _column(preview: Preview, name: str) -> str:
    return preview.mapped.columns.get(name, name)


def too_long(preview: Preview) -> list[Finding]:
    """People with a value longer than the platform takes, field by field."""
    if "rejected_value_too_long" not in preview.reasons:
        return []
    custom = {name: CUSTOM_LIMIT for name in preview.people.columns if name.startswith("field.")}
    found = []
    for name, limit in (LIMITS | custom).items():
        rows = rows_with(preview, (_REASON == "rejected_value_too_long") & (pl.col(name).str.len_chars() > limit))
        if rows["count"]:
            found.append(finding("value_too_long", **rows, field=name.removeprefix("field."), limit=limit))
    return found


def email_from_username(preview: Preview) -> Finding | None:
    """People whose e-mail address is really their userName, because the export's mail is empty or not there."""
    columns = preview.mapped.columns
    no_mail = "email" in preview.export.shape.coalesce and columns.get("email") == columns.get("userName")
    rows = rows_with(preview, pl.lit(no_mail) | pl.col("filled_in"), kept())
    return finding("email_from_username", **rows) if rows["count"] else None


def duplicate_username(preview: Preview) -> Finding | None:
    """People who lose a clash over a userName."""
    return _clash(preview, "user_key", "userName", "duplicate_username", pl.lit(True))


def duplicate_email(preview: Preview) -> Finding | None:
    """People who lose a clash over an e-mail address only."""
    return _clash(preview, "email_key", "email", "duplicate_email", ~_shared("user_key"))


def _shared(key: str) -> pl.Expr:
    return (pl.len().over(key) > 1) & pl.col(key).is_not_null()


def _clash(preview: Preview, key: str, column: str, code: str, only: pl.Expr) -> Finding | None:
    if "rejected_duplicate" not in preview.reasons:
        return None
    rows = preview.clashing.filter((_REASON == "rejected_duplicate") & _shared(key) & only)
    if not rows.height:
        return None
    return finding(code, count=rows.height, row_numbers=rows["row"].head(100), sample=rows[column][0])


def duplicate_external_id(preview: Preview) -> Finding | None:
    """Two rows with one externalId."""
    ids = preview.people.select("row", "externalId").filter(may_repeat(preview.people["externalId"]))
    rows = ids.filter(pl.col("externalId").is_duplicated() & pl.col("externalId").is_not_null())["row"]
    if rows.is_empty():
        return None
    return finding(
        "duplicate_external_id", count=len(rows), row_numbers=rows.head(100), column=_column(preview, "externalId")
    )


def clash_order(preview: Preview) -> Finding | None:
    """On the channel `idp` nobody knows who of a clash comes first."""
    if preview.channel != "idp" or "rejected_duplicate" not in preview.reasons:
        return None
    both = preview.clashing
    lost = both.filter(_REASON == "rejected_duplicate")
    names = both.filter(_shared("user_key"))["user_key"].n_unique()
    mails = both.filter(_shared("email_key") & ~_shared("user_key"))["email_key"].n_unique()
    return finding("clash_order_unknown", count=lost.height, row_numbers=lost["row"].head(100), clashes=names + mails)


def hidden_active(preview: Preview) -> Finding | None:
    """With keep_first, an inactive row that is kept hides an active one (design rule 8)."""
    if preview.setting.group_settings.duplicates != "keep_first" or "rejected_duplicate" not in preview.reasons:
        return None
    off = pl.col("active").fill_null(True).not_()
    keepers = preview.people.filter(off & _REASON.is_in([*ARRIVING, "inactive"]))
    lost = (_REASON == "rejected_duplicate") & ~off
    same = pl.col("user_key").is_in(keepers["user_key"].implode()) | pl.col("email_key").is_in(
        keepers["email_key"].implode()
    )
    rows = rows_with(preview, lost & same)
    return finding("kept_inactive_hides_active", **rows) if rows["count"] else None


def changing_id(preview: Preview) -> Finding | None:
    """The externalId is read from a column that changes."""
    column = preview.mapped.columns.get("externalId")
    advice = IDPS[preview.export.idp].changing_ids.get(column or "")
    return finding("external_id_changes", column=column, advice=advice) if column and advice else None


def absent_id(preview: Preview) -> Finding | None:
    """There is no externalId at all."""
    return finding("external_id_absent") if "externalId" not in preview.mapped.columns else None


def differing_username(preview: Preview) -> Finding | None:
    """UserName and e-mail address are not the same."""
    if preview.mapped.columns.get("userName") == preview.mapped.columns.get("email"):
        return None
    rows = rows_with(preview, pl.col("user_key") != pl.col("email_key"), kept())
    return finding("username_differs_from_email", **rows) if rows["count"] else None


def unknown_active(preview: Preview) -> Finding | None:
    """The export does not say who is active."""
    rows = rows_with(preview, pl.col("active").is_null(), kept())
    if not rows["count"]:
        return None
    rules = preview.export.shape.active
    shape = preview.export.shape
    advice = shape.add.format(column=rules[0].header) if rules else "Add a column that says who is active."
    return finding("active_unknown", **rows, advice=advice)
