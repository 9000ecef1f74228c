"""Who sends a SCIM request: the setting behind a bearer token (RFC 6750), with few look-ups and no write.

A token that was good stays good for :data:`KEPT_SECONDS` in this process without a look-up; so revoking one, deleting
a setting or renaming it takes effect everywhere within that time. The database is asked by hash only, and the memory
holds hashes only: no token is in a log, an error or a traceback.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from scim2_models import SCIMException, UnauthorizedException

from scimops.service_provider.database import Database, DatabaseGoneError, utc
from scimops.service_provider.directory import Subject, document_of
from scimops.service_provider.placement import now
from scimops.service_provider.setting_tokens import USE_SECONDS, find_token, note_use, state_of
from scimops.setting import Setting
from scimops.tokens import hash_token, looks_like_token, verify_token

KEPT_SECONDS = 5.0
KEPT_TOKENS = 10_000
FAILURES, FAILURE_SECONDS = 10, 60.0
"""So many failures within so many seconds are answered 401; those beyond 429 with Retry-After."""

ADDRESSES = 10_000
TOLD_SECONDS = 60.0
"""A token that has ended is told of once in this time, however often it is sent."""


@dataclass(frozen=True)
class Ended:
    """A token that has expired or was revoked, of a setting that is still there."""

    company_id: str
    setting_n: int
    token_name: str


class TooManyRequestsException(SCIMException):
    """One address failed too often (RFC 6585 §4); `retry_after` are seconds."""

    status = 429
    _default_detail = "Too many requests with a wrong token came from this address."

    def __init__(self, retry_after: int, ended: Ended | None = None) -> None:
        super().__init__(detail=f"{self._default_detail} Try again in {retry_after} seconds.", ended=ended)
        self.retry_after = retry_after


@dataclass
class Failures:
    """Counts failures by address, in bounded memory; the longest silent address is forgotten first."""

    clock: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, address: str) -> int:
        """Note one more failure: 0, or in how many seconds this address may fail again."""
        key, moment = _network(address), self.clock()
        with self._lock:
            since, count = self._seen.pop(key, (moment, 0))
            if moment - since >= FAILURE_SECONDS:
                since, count = moment, 0
            self._seen[key] = since, count + 1
            while len(self._seen) > ADDRESSES:
                self._seen.popitem(last=False)
        return 0 if count < FAILURES else max(1, round(since + FAILURE_SECONDS - moment))


def _network(address: str) -> str:
    """Whoever has one IPv6 address has the 64 bits below it too."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if known.version == 6:
        return str(ipaddress.ip_network((int(known) >> 64 << 64, 64)))
    return str(known)


@dataclass(frozen=True)
class _Kept:
    subject: Subject
    expires: dt.datetime | None
    until: float


@dataclass
class Authenticator:
    """Tells which setting a request acts as.

    A good token is good whatever else comes from its address, so nobody behind a shared proxy is locked out by others;
    slowed down are only those who fail.
    """

    database: Database
    clock: Callable[[], float] = time.monotonic
    failures: Failures = field(default_factory=Failures)
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    _settings: OrderedDict[int, tuple[str, Setting]] = field(default_factory=OrderedDict)
    _told: OrderedDict[int, float] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def subject_of(self, authorization: str | None, address: str) -> Subject:
        """The setting whose token the `Authorization` header of a request carries.

        Raises:
            UnauthorizedException: no token, or none that is good. Its context has `ended` (:class:`Ended`) where the
                setting's log is to tell of it: once in a minute for a token that has ended.
            TooManyRequestsException: so again and again from this address.
            DatabaseGoneError: the database cannot be asked.
        """
        scheme, _, text = (authorization or "").strip().partition(" ")
        token = text.strip()
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedException(detail="Send the token of the SCIM setting: Authorization: Bearer TOKEN.")
        if not looks_like_token(token):
            self._fail(address, "This is no token of this service. Was it copied whole?")
        hashed = hash_token(token)
        kept = self._kept.get(hashed)
        if kept is None or kept.until <= self.clock() or (kept.expires is not None and kept.expires <= now()):
            kept = self._look_up(token, hashed, address)
        return kept.subject

    def forget(self) -> None:
        """Have every token looked up again: for a process that has just revoked one."""
        with self._lock:
            self._kept.clear()

    def _look_up(self, token: str, hashed: str, address: str) -> _Kept:
        with self.database.read() as connection:
            row = find_token(connection, hashed)
        if row is None or not verify_token(token, row.hash):
            self._fail(address, "This token is not known.")
        if row.deleted is not None:
            self._fail(address, "This token was revoked.")
        if state_of(row) == "revoked":
            self._fail(address, "This token was revoked.", self._ended(row))
        if state_of(row) == "expired":
            said = "This token has expired. Have a new one made and put it into the identity provider."
            self._fail(address, said, self._ended(row))
        self._note_use(row)
        subject = Subject(row.company_id, row.n, row.id, self._setting(row), row.token_name)
        kept = _Kept(subject, utc(row.expires), self.clock() + KEPT_SECONDS)
        with self._lock:
            self._kept.pop(hashed, None)
            self._kept[hashed] = kept
            _shorten(self._kept, KEPT_TOKENS)
        return kept

    def _note_use(self, row: Any) -> None:
        """At most once a minute; a request is not refused because this cannot be written now."""
        moment, used = now(), utc(row.last_used)
        if used is not None and moment - used < dt.timedelta(seconds=USE_SECONDS):
            return
        with contextlib.suppress(DatabaseGoneError), self.database.write() as connection:
            note_use(connection, row.token_n, moment)

    def _setting(self, row: Any) -> Setting:
        """The setting of a row: the same object as long as nothing in it changed."""
        text = row.document if isinstance(row.document, str) else json.dumps(row.document, sort_keys=True, default=str)
        with self._lock:
            known = self._settings.get(row.n)
        if known is None or known[0] != text:
            known = (text, document_of(row))
            with self._lock:
                self._settings[row.n] = known
                _shorten(self._settings, KEPT_TOKENS)
        return known[1]

    def _ended(self, row: Any) -> Ended | None:
        moment = self.clock()
        with self._lock:
            told = self._told.get(row.token_n)
            if told is not None and moment - told < TOLD_SECONDS:
                return None
            self._told.pop(row.token_n, None)
            self._told[row.token_n] = moment
            _shorten(self._told, KEPT_TOKENS)
        return Ended(row.company_id, row.n, row.token_name)

    def _fail(self, address: str, detail: str, ended: Ended | None = None) -> NoReturn:
        if wait := self.failures.add(address):
            raise TooManyRequestsException(wait, ended)
        raise UnauthorizedException(detail=detail, ended=ended)


def _shorten(kept: OrderedDict[Any, Any], longest: int) -> None:
    while len(kept) > longest:
        kept.popitem(last=False)
