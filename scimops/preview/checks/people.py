"""Checks of who comes along: foreign domains, seats, guests, rooms and service accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.errors import ROW_NUMBERS_KEPT, Finding, finding
from scimops.grouping import identity_key
from scimops.preview.checks.common import arriving, listed, rows_with

if TYPE_CHECKING:
    from scimops.preview import Preview

_GUEST = "#ext#"
_ROOM = (
    r"^(conf(erence)?|meeting|board)[._ -]?room|^room[._-]|^(info|office|sales|support|reception|scanner|printer|"
    r"noreply|no-reply|hello|contact|jobs|billing|invoices?|helpdesk|accounts?|hr|marketing)@"
)
_SERVICE = (
    r"^(svc|service|srv|sa|adm|admin|sql|backup|sync|test|bot|api)[._-]|"
    r"^(admin|administrator|root|postmaster|backup|test)@"
)


def foreign_domains(preview: Preview) -> Finding | None:
    """People whose e-mail domain the platform has not authorised."""
    allowed = [identity_key(domain).lstrip("@") for domain in preview.setting.allowed_domains]
    if not allowed:
        return None
    domain = pl.col("email_key").str.extract(r"@(.+)$")
    foreign = arriving() & ~domain.is_in(allowed)
    rows = rows_with(preview, foreign)
    if not rows["count"]:
        return None
    counts = preview.people.filter(foreign).select(domain.alias("domain"))["domain"].value_counts(sort=True)
    names = [
        f"{name} ({count:,})" for name, count in counts.sort("count", "domain", descending=[True, False]).iter_rows()
    ]
    return finding("domain_not_allowed", **rows, domains=listed(names))


def seats(preview: Preview) -> Finding | None:
    """More active people than the licence has seats."""
    needed, there = preview.numbers.seats, preview.setting.seats
    if there is None or needed <= there:
        return None
    return finding("seats_exceeded", count=needed - there, needed=needed, seats=there)


def guests(preview: Preview) -> Finding | None:
    """Guests that the scope does not leave out."""
    kinds = preview.people["userType"]
    kinds = kinds.filter(kinds.str.len_bytes() == len("guest")).unique()
    types = kinds.filter(kinds.str.to_lowercase() == "guest")
    named = pl.col("user_key").str.contains(_GUEST, literal=True)
    rows = rows_with(
        preview, named if types.is_empty() else named | pl.col("userType").is_in(types.implode()), arriving()
    )
    return finding("guests", **rows) if rows["count"] else None


def no_persons(preview: Preview) -> list[Finding]:
    """Mailboxes that are nobody's (rooms, equipment), accounts of services and administrators."""
    kinds = {"shared_mailboxes": _ROOM, "service_accounts": _SERVICE}
    some = preview.people.lazy().filter(pl.col("user_key").str.contains("|".join(kinds.values())))
    there = some.select("row", "userName", "user_key", "reason", "active").collect().filter(arriving())
    found = []
    for code, pattern in kinds.items():
        alike = there.filter(pl.col("user_key").str.contains(pattern))
        rows = alike["row"].head(ROW_NUMBERS_KEPT).to_list()
        if rows:
            found.append(finding(code, count=alike.height, row_numbers=rows, sample=alike["userName"][0]))
    return found
