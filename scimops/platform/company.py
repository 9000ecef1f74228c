"""For which company a connection acts: found out and compared with the configuration before anything else is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimops.http.answers import Json
from scimops.http.exchange import Request
from scimops.http.faults import AnswerError, OtherCompanyError
from scimops.platform.answers import flag_of, needed, rows_of
from scimops.platform.paging import PAGE, pages

if TYPE_CHECKING:
    from scimops.connections import Connection

Ask = Callable[[Request], Any]

SEARCH = "/api/companies/search"
COMPANIES = "the companies of this credential"


@dataclass(frozen=True)
class Company:
    """A company on the platform."""

    id: str
    name: str


def find_company(ask: Ask, connection: Connection) -> Company:
    """The company of a connection.

    Raises:
        OtherCompanyError: it has another id or name than the configuration says, or there are several.
    """
    rows = rows_of(ask(Request("GET", "/api/companies/my", COMPANIES)))
    wanted = connection.company_id or ""
    if not connection.reseller:
        return _compared(_the_only(rows), wanted, connection.company_name)
    found = [*_all_of(rows)]
    if wanted not in {company.id for company in found}:
        found = [Company(needed(row, "companyResourceId"), needed(row, "companyName"))
                 for row in _search(ask, connection.company_name or "")]  # fmt: skip
    company = next((one for one in found if one.id == wanted), None)
    if company is None:
        raise OtherCompanyError(
            f"The reseller's credential does not see the company {_named(connection.company_name, wanted)}.",
            advice="Correct company_id and company_name of the connection. Nothing was read or written.",
        )
    return _compared(company, wanted, connection.company_name)


def all_companies(ask: Ask) -> list[Company]:
    """Every company that the credential sees.

    Raises:
        IncompleteSourceError: the list was not read whole.
    """
    return [Company(needed(row, "companyResourceId"), needed(row, "companyName")) for row in _search(ask, "")]


def seats_of(ask: Ask, company: Company) -> int | None:
    """The seats of a company (`companies/search`); None: not limited."""
    row = next((row for row in _search(ask, company.name) if row.get("companyResourceId") == company.id), None)
    if row is None:
        raise AnswerError(f'The platform\'s list of companies does not have "{company.name}".')
    if not flag_of(row, "isNumberOfUsersLimited"):
        return None
    seats = needed(row, "numberOfUsers")
    if not re.fullmatch(r"[0-9]{1,9}", seats):
        raise AnswerError("The answer has no number of seats.")
    return int(seats)


def _search(ask: Ask, text: str) -> Iterator[Json]:
    def page(number: int, size: int) -> Any:
        body = {"pageNumber": number, "pageSize": size, "orderBy": "CreateTime", "ascending": True,
                "filter": {"Condition": "AND", "SearchInputTextValue": text}}  # fmt: skip
        return ask(Request("POST", SEARCH, COMPANIES, body=body))

    for rows in pages(page, COMPANIES, "companyResourceId", PAGE):
        yield from rows


def _all_of(rows: list[Json]) -> Iterator[Company]:
    for row in rows:
        yield Company(needed(row, "resourceId"), needed(row, "name"))
        yield from _all_of(rows_of(row.get("children")))


def _the_only(rows: list[Json]) -> Company:
    """The company of a credential that is no reseller's; those below it are not acted for."""
    if not rows:
        raise OtherCompanyError("The credential sees no company.", advice="Ask the platform's admin for another one.")
    if len(rows) > 1:
        raise OtherCompanyError(
            f"The credential sees {len(rows)} companies, so it is a reseller's.",
            advice="Add reseller: true, company_id and company_name to the connection.",
        )
    return Company(needed(rows[0], "resourceId"), needed(rows[0], "name"))


def _compared(company: Company, wanted_id: str, wanted_name: str | None) -> Company:
    if wanted_id in ("", company.id) and (not wanted_name or _folded(company.name) == _folded(wanted_name)):
        return company
    raise OtherCompanyError(
        f"The credential acts for {_named(company.name, company.id)}, and the connection names "
        f"{_named(wanted_name, wanted_id)}.",
        advice="Correct the connection, or use a credential of that company. Nothing was read or written.",
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _named(name: str | None, company_id: str) -> str:
    return " ".join(part for part in (f'"{name}"' if name else "", f"({company_id})" if company_id else "") if part)
