"""Logs as CSV, to the records that the APIs give: Entra ID's provisioning log and Okta's system log.

Of Entra ID these are the admin centre's download (:mod:`scimops.audit.logs.download` has its other two files) and the
table AADProvisioningLogs of Azure Monitor. The columns of the table are documented, those of the download are not; so a
column is known by its name without spaces and case.

Of Okta it is the admin console's "Download CSV". Its columns are not documented: they are the LogEvent's own names in
snake case, with a dot between (`outcome.result`), and the targets as `target0.type`, `target1.type` and so on.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/aadprovisioninglogs
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl

from scimops.audit.logs.documents import Found, Page
from scimops.audit.logs.pieces import Pieces
from scimops.errors import SourceError
from scimops.idp.source import Source
from scimops.idp.table import ROW

CUT_OFF = "its row is cut off or cannot be read"
_Place = tuple[str, ...]
CHANGE_ID: _Place = ("changeId",)
_PLACES: dict[_Place, tuple[str, ...]] = {
    ("activityDateTime",): ("activitydatetime", "date", "activitydate", "timegenerated"),
    ("provisioningAction",): ("provisioningaction", "action"),
    ("provisioningStatusInfo", "status"): ("status", "provisioningstatus", "statusinfostatus", "resulttype"),
    ("provisioningStatusInfo", "errorInformation", "errorCode"): ("errorcode", "statuserrorcode", "resultsignature"),
    ("provisioningStatusInfo", "errorInformation", "reason"): ("statusreason", "reason", "resultdescription"),
    ("provisioningStatusInfo",): ("provisioningstatusinfo", "statusinfo"),
    ("tenantId",): ("aadtenantid", "tenantid"),
    CHANGE_ID: ("changeid",),
    ("sourceIdentity",): ("sourceidentity",),
    ("sourceIdentity", "id"): ("sourceid", "sourceidentityid"),
    ("sourceIdentity", "displayName"): ("identity", "sourceidentitydisplayname", "sourceidentityname"),
    ("sourceIdentity", "identityType"): ("identitytype", "sourceidentitytype", "sourceidentityidentitytype"),
    ("sourceIdentity", "details", "userPrincipalName"): ("userprincipalname", "sourceidentityuserprincipalname"),
    ("targetIdentity",): ("targetidentity",),
    ("targetIdentity", "id"): ("targetid", "targetidentityid"),
    ("initiatedBy", "displayName"): ("initiatedbydisplayname", "initiatedbyname"),
    ("initiatedBy",): ("initiatedby",),
    ("servicePrincipal",): ("serviceprincipal",),
    ("servicePrincipal", "displayName"): ("serviceprincipaldisplayname", "serviceprincipalname", "applicationname"),
    ("modifiedProperties",): ("modifiedproperties",),
    ("provisioningSteps",): ("provisioningsteps",),
}
"""Where a value belongs, and the columns that may have it, the first one first."""

_NEEDED: tuple[_Place, ...] = (("activityDateTime",), ("provisioningAction",))
_OKTA = ("timestamp", "event_type", "outcome.result")
_OF_OKTA: dict[str, _Place] = {
    "timestamp": ("published",), "event_type": ("eventType",), "display_message": ("displayMessage",),
    "outcome.result": ("outcome", "result"), "outcome.reason": ("outcome", "reason"),
    "actor.alternate_id": ("actor", "alternateId"), "actor.display_name": ("actor", "displayName"),
}  # fmt: skip
_TARGET = re.compile(r"target(\d{1,3})\.(id|type|alternate_id|display_name)")
_TARGET_NAMES = {"alternate_id": "alternateId", "display_name": "displayName"}
Make = Callable[[dict[str, Any]], dict[str, Any]]


def records(pieces: Pieces, page: Page) -> Iterator[Found]:
    """The rows of a file as records; one that cannot be read with why.

    Raises:
        SourceError: it is no provisioning log of Entra ID and no system log of Okta.
    """
    wanted, make = _shape(pieces.headers, pieces.source.name)
    last = 0
    for frame, rejected in pieces.rows(wanted):
        for row, values in in_order(frame, rejected):
            last = row if values is None else 0
            yield (make(values), "") if values is not None else (None, CUT_OFF)
    page.broken = broken(pieces, last)


def broken(pieces: Pieces, last: int) -> str:
    """Where a file breaks off that was read whole; `last` is its last row where that cannot be read."""
    if last:
        return f"it breaks off in record {last}"
    return "" if _ends_with_a_line(pieces.source) else "its last line has no end"


def _shape(headers: list[str], name: str) -> tuple[list[str], Make]:
    """The columns that a log of this header is read from, and what makes a record of them."""
    if set(_OKTA) <= set(headers):
        return [one for one in headers if one in _OF_OKTA or _TARGET.fullmatch(one)], _okta_record
    if columns := event_columns(headers):
        return list(dict.fromkeys(columns.values())), partial(event_record, columns)
    raise SourceError("is no log that scimops knows.", where=name,
                      advice="Of CSV files Entra ID's ProvisioningLogs and Okta's system log are read. Of everything "
                             "else download JSON.")  # fmt: skip


def event_columns(headers: list[str]) -> dict[_Place, str]:
    """Where the values of Entra ID's events are in a file of this header; nothing where it has no events."""
    columns = _columns(headers)
    status = any(place[0] == "provisioningStatusInfo" for place in columns)
    return columns if status and all(place in columns for place in _NEEDED) else {}


def in_order(frame: pl.DataFrame, rejected: list[int]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The rows of a piece by their numbers; those that cannot be read as None."""
    waiting = rejected[::-1]
    for row in frame.iter_rows(named=True):
        while waiting and waiting[-1] < row[ROW]:
            yield waiting.pop(), None
        yield row[ROW], row
    for number in reversed(waiting):
        yield number, None


def bare_name(header: str) -> str:
    """A column's name without spaces, marks and case."""
    return re.sub(r"[^a-z]", "", header.lower())


def _columns(headers: list[str]) -> dict[_Place, str]:
    bare = {bare_name(header).removesuffix("utc"): header for header in reversed(headers)}
    found = {place: next((bare[name] for name in names if name in bare), "") for place, names in _PLACES.items()}
    places = sorted((place for place in found if found[place]), key=len)  # wholes first, then parts of them
    return {place: found[place] for place in places}


def _okta_record(row: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"published": None, "eventType": None, "outcome": {}, "actor": {}}
    targets: dict[int, dict[str, str]] = {}
    for header, value in row.items():
        if header in _OF_OKTA:
            _put(record, _OF_OKTA[header], value)
        elif value and (found := _TARGET.fullmatch(header)):
            targets.setdefault(int(found[1]), {})[_TARGET_NAMES.get(found[2], found[2])] = value
    return record | {"target": [targets[number] for number in sorted(targets)]}


def event_record(columns: dict[_Place, str], row: dict[str, Any]) -> dict[str, Any]:
    """A row of Entra ID's events as Microsoft Graph gives the same."""
    record: dict[str, Any] = {"provisioningStatusInfo": {}}
    for place, header in columns.items():
        value = _value(row[header])
        if place == ("activityDateTime",):
            value = _in_utc(value, header)
        _put(record, place, value)
    return record


def _value(text: str | None) -> Any:
    """A cell: JSON where it is an object or a list, with the names of Graph (`Status` is `status`)."""
    value = json_value(text)
    return [_named(one) for one in value] if isinstance(value, list) else _named(value)


def json_value(text: str | None) -> Any:
    """A cell: JSON where it is an object or a list, else the text itself."""
    if not text or text[0] not in "{[":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _named(value: Any) -> Any:
    return {key[:1].lower() + key[1:]: inner for key, inner in value.items()} if isinstance(value, dict) else value


def _in_utc(value: Any, header: str) -> Any:
    zoned = not isinstance(value, str) or re.search(r"(Z|UTC|[+-]\d\d:?\d\d)\s*$", value, re.IGNORECASE)
    return value if zoned or "utc" not in header.lower() else f"{value.strip()}Z"


def _put(record: dict[str, Any], place: _Place, value: Any) -> None:
    if value is None or value == "":
        return
    *path, name = place
    for part in path:
        inner = record.get(part)
        if not isinstance(inner, dict):
            inner = record[part] = {}
        record = inner
    record[name] = record.get(name) or value


def _ends_with_a_line(source: Source) -> bool:
    with source.path.open("rb") as stream:
        stream.seek(-min(4, source.state[0]), 2)
        return stream.read().rstrip(b"\0").endswith((b"\n", b"\r"))
