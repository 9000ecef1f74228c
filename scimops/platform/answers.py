"""What an answer of the management API says: its envelope, typed values of its rows.

Two envelopes are known (platform facts): `{data, status, message, validationMessages}` of the OpenAPI file, and
`{isSuccess, data, messages}` of the quickstart page. A good HTTP status whose envelope says failure is a failure.
What came is shown by no repr: it may hold a token or people's data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from scimops.http.answers import Answer, Json, read_json
from scimops.http.faults import AnswerError

_GOOD = frozenset({"success", "succeeded", "ok", "true", "200"})
_BAD = re.compile(r"error|fail|invalid|denied|forbidden|unauthor|not|conflict|exception|false", re.IGNORECASE)


@dataclass(frozen=True)
class Envelope:
    """What an answer says: `ok` is None where that is not known, and `problem` says why."""

    ok: bool | None
    data: Any = field(default=None, repr=False)
    texts: str = field(default="", repr=False)
    problem: str = field(default="", repr=False)


def read_envelope(answer: Answer) -> Envelope:
    """What the envelope of an answer says; 204 without a body is a good answer."""
    if answer.status == 204 and not answer.body:
        return Envelope(True)
    document, problem = read_json(answer)
    if problem:
        return Envelope(None, problem=problem)
    if not isinstance(document, dict) or not {"data", "status", "isSuccess"} & set(document):
        return Envelope(None, problem="it has no envelope of the management API")
    texts = _texts(document)
    ok = _says(document)
    if not answer.good:
        return Envelope(False, None, texts)
    if ok is None:
        return Envelope(None, problem=_status_is(document.get("status")))
    return Envelope(ok, document.get("data"), texts)


def _says(document: Json) -> bool | None:
    if "isSuccess" in document:
        return document["isSuccess"] is True
    status = document.get("status")
    if status is None:  # of enrolments the file lets it be null
        return True if document.get("data") is not None else None
    word = str(status).strip().casefold()
    if word in _GOOD:
        return True
    return False if _BAD.search(word) else None


def _status_is(value: Any) -> str:
    """A status that is no word is not repeated: a text cut short escapes redaction."""
    known = isinstance(value, str) and re.fullmatch(r"[A-Za-z_ ]{1,30}", value)
    return f'its status is "{value}"' if known else "its status is no word of success or failure"


def _texts(document: Json) -> str:
    found: list[str] = []
    for name in ("message", "messages", "validationMessages"):
        value = document.get(name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.strip() and text.strip() not in found:
                found.append(text.strip())
    return " ".join(found)


# Typed values of what came; each raises AnswerError where another type stands there


def row_of(value: Any) -> Json:
    """An object."""
    if not isinstance(value, dict):
        raise AnswerError("Something that is no object stands where one was expected.", advice=NOT_THE_API)
    return value


def rows_of(value: Any) -> list[Json]:
    """A list of objects; null is an empty one."""
    if not isinstance(value, list | None):
        raise AnswerError("Something that is no list stands where one was expected.", advice=NOT_THE_API)
    return [row_of(row) for row in value or []]


def text_of(row: Json, key: str) -> str | None:
    """A text, or null."""
    value = row.get(key)
    if not isinstance(value, str | None):
        raise _wrong(key, "text")
    return value


def needed(row: Json, key: str) -> str:
    """A text that must be there."""
    value = text_of(row, key)
    if not value:
        raise _wrong(key, "text")
    return value


def number_of(row: Json, key: str) -> int:
    """A whole number that must be there."""
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, "whole number")
    return value


def flag_of(row: Json, key: str) -> bool:
    """True or false; absent is false."""
    value = row.get(key)
    if not isinstance(value, bool | None):
        raise _wrong(key, "true or false")
    return bool(value)


def checked(row: Json, must: str = "", texts: str = "", flags: str = "", numbers: str = "") -> Json:
    """`row`, whose named keys hold what they should; names are separated by spaces."""
    for key in must.split():
        needed(row, key)
    for key in texts.split():
        text_of(row, key)
    for key in flags.split():
        flag_of(row, key)
    for key in numbers.split():
        number_of(row, key)
    return row


NOT_THE_API = "Check the URL of the connection: it must be the platform's management API."


def _wrong(key: str, kind: str) -> AnswerError:
    return AnswerError(f'The answer has no {kind} at "{key}".', advice=NOT_THE_API)
