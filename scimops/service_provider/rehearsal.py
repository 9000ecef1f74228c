"""The rehearsal: a file of what an identity provider really sent, request by request, and what became of it.

One JSON document a line (NDJSON), the first of each run of the server says what the file is. Values are kept, so the
file is personal data and its owner's alone. `Authorization` is never in it, nor a password, nor the token wherever it
stands. :mod:`scimops.idp.rehearsal` reads it as an export.

Each line is one write, so lines of several processes do not mix. Where a line cannot be written (the disk is full) the
server goes on and says so once; as soon as it can write again a line says how many requests are missing, and a reader
takes the recording for the part that it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import logging
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from traceback import format_tb
from typing import Any, BinaryIO
from urllib.parse import unquote

import sqlalchemy as sa
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse

from scimops.errors import UsageError
from scimops.idp.rehearsal import FORMAT, VERSION, header_of
from scimops.idp.table import mentions_password
from scimops.service_provider.database import Database
from scimops.service_provider.directory import settings_of
from scimops.service_provider.rehearsal_lines import (
    NOT_SHOWN,
    RecordedStorage,
    beside,
    kept_body,
    refusals,
)  # fmt: skip
from scimops.service_provider.tables import companies, settings, users

log = logging.getLogger("scimops")
_LONGEST_PATH = 300
_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def begin_recording(path: Path, database: Database, name: str, url: str) -> str:
    """Make the file, or have an earlier recording of the same setting go on, with a first line of this run.

    The last line of a server that was killed while it wrote is taken out; the new first line says so.

    Returns:
        The id of the setting `name` of the first company, whose requests are to be recorded.

    Raises:
        UsageError: the file is there and is no recording of this setting, or cannot be written.
    """
    with database.read() as connection:
        company = sa.select(companies.c.id).order_by(companies.c.created).limit(1)
        named = settings_of(connection.scalars(company).one()).where(settings.c.name == name)
        setting = connection.execute(named).one()
        mine = sa.select(sa.func.count()).select_from(users).where(users.c.setting_n == setting.n)
        people = connection.scalar(mine)
    head = {
        "format": FORMAT, "version": VERSION, "setting": name, "setting_id": setting.id, "url": url, "at": _now(),
        "people_before": people,
    }  # fmt: skip
    try:
        if path.exists() and not stat.S_ISREG(path.lstat().st_mode):
            raise _refused(path, "this is no regular file.")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _NO_LINKS, 0o600)
    except OSError as error:
        raise _refused(path, f"it cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "r+b", buffering=0) as stream:
        first = header_of(stream.read(1 << 16))
        size = stream.seek(0, os.SEEK_END)
        if size and (first is None or first.get("setting_id") != setting.id):
            what = f"a recording of {first.get('setting')}" if first else "something else"
            raise _refused(path, f"the file is there and is {what}.")
        cut = _cut_off(stream, size)
        path.chmod(0o600)
        os.write(stream.fileno(), _line(head | {"cut": cut}))
    return str(setting.id)


def _refused(path: Path, message: str) -> UsageError:
    return UsageError(message, where=str(path), advice="Name a new file for the recording.")


def _cut_off(stream: BinaryIO, size: int) -> bool:
    """Take out what stands behind the last end of a line."""
    end = size
    while end:
        start = max(0, end - (1 << 16))
        stream.seek(start)
        at = stream.read(end - start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    stream.truncate(end)
    return end < size


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _line(document: Mapping[str, Any]) -> bytes:
    """A document as a line; half surrogate pairs, which are no UTF-8, as JSON escapes them."""
    try:
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(document).encode() + b"\n"


class Recorder:
    """Writes the requests of one setting to a recording that :func:`begin_recording` began. Safe for many threads.

    Requests without a valid token are noted without what they say; those of other settings are nobody's business.
    """

    storage = RecordedStorage

    def __init__(self, path: Path, setting_id: str) -> None:
        self.path, self.setting_id = path, setting_id
        self._lock = threading.Lock()
        self._lost, self._torn = 0, False
        self._handle = -1
        with contextlib.suppress(OSError):  # the first line that cannot be written says it
            self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | _NO_LINKS)

    def note(self, scope: Mapping[str, Any], request: ScimRequest, response: ScimResponse, storage: Any) -> None:
        """Record a request with its answer. Whatever happens here, the answer stays what it is."""
        try:
            if request.subject is None or request.subject.setting_id == self.setting_id:
                line = _line(_document(scope, request, response, storage))
                self._write(_without_token(line, request.header("Authorization")))
        except Exception as error:
            # where it happened, without the values it happened with: they are people's data
            log.error("fault in the recording: %s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
            self._lost += 1

    def close(self) -> None:
        """End; a last try to say what is missing."""
        if self._lost:
            self._write(b"")
        if self._handle >= 0:
            os.close(self._handle)

    def _write(self, line: bytes) -> None:
        with self._lock:
            missing = _line({"at": _now(), "lost": self._lost}) if self._lost else b""
            try:
                self._append(missing + line)
            except OSError as error:
                if not self._lost:
                    log.error("the recording cannot be written (%s); serving goes on without it", error.strerror)
                self._lost += 1 if line else 0
                return
            if self._lost:
                log.warning("the recording goes on; %d requests are missing in it", self._lost)
            self._lost = 0

    def _append(self, data: bytes) -> None:
        """One write; where only a part of it fits, the next begins a line of its own."""
        data = b"\n" + data if self._torn else data
        written = os.write(self._handle, data)
        self._torn = data[:written][-1:] != b"\n"
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _document(
    scope: Mapping[str, Any], request: ScimRequest, response: ScimResponse, storage: Any
) -> dict[str, Any]:  # fmt: skip
    status = int(response.status)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    line: dict[str, Any] = {
        "at": _now(), "method": request.method, "path": path, "query": None, "status": status,
        "user_agent": request.header("User-Agent"),
    }  # fmt: skip
    if request.subject is None:  # anybody may have sent this
        return line | {"path": path[:_LONGEST_PATH]}
    query = scope["query_string"].decode("latin-1")
    line["query"] = NOT_SHOWN if mentions_password(unquote(query)) else query
    line["content_type"] = request.header("Content-Type")
    body, note = kept_body(request.body)
    text = isinstance(body, str)
    if text or not note:
        line["body_text" if text else "body"] = body
    line |= {"note": note} if note else {}
    if status >= 400:
        line["detail"] = (response.body or {}).get("detail")
    if request.method.upper() in ("POST", "PUT", "PATCH", "DELETE") and not text:
        line["effects"] = _effects(request, body, response, storage)
    return line


def _effects(request: ScimRequest, body: Any, response: ScimResponse, storage: Any) -> list[dict[str, Any]]:
    status, answer, method = int(response.status), response.body or {}, request.method.upper()
    effects: list[dict[str, Any]] = list(getattr(storage, "effects", ())) if status < 400 else []
    parts = request.path.strip("/").split("/")
    place = parts[0].lower()
    if method == "POST" and (place == "bulk" or parts[-1].lower() == "users"):
        effects += refusals(body, status, answer)
    if place == "users" and status < 400:
        user = parts[1] if len(parts) > 1 else effects[0]["user"] if effects else None
        if user and (more := beside(method, body, request.subject.setting)):
            effects.append({"user": user, **more})
    return effects


def _without_token(line: bytes, authorization: str | None) -> bytes:
    """A line without the token of its request, wherever the client repeated it."""
    for word in (authorization or "").split():
        if len(word) > len("Bearer"):
            line = line.replace(json.dumps(word, ensure_ascii=False)[1:-1].encode(), b"(token)")
    return line
