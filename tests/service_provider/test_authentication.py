"""Bearer tokens: who is let in, for how long, at what cost, and what a wrong one is told."""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from scim2_models import UnauthorizedException

from scimops.service_provider import authentication, directory, setting_tokens
from scimops.service_provider.authentication import Authenticator, Failures, TooManyRequestsException
from scimops.service_provider.database import Database
from scimops.service_provider.tables import tokens
from scimops.tokens import TOKENS, make_token


@dataclass
class Clock:
    """A clock that goes when it is told."""

    moment: float = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(database: Database, clock: Clock) -> Authenticator:
    return Authenticator(database, clock, Failures(clock))


@pytest.fixture
def statements(database: Database) -> list[str]:
    """The statements that the database was sent since."""
    seen: list[str] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _seen(*event: Any) -> None:
        seen.append(event[2])

    return seen


def bearer(token: str) -> str:
    return f"Bearer {token}"


def test_a_token_names_its_setting(authenticator: Authenticator, setting_factory: Callable[..., Any]) -> None:
    made = setting_factory(token_name="entra")
    for header in (bearer(made.token), f"bearer {made.token}", f"  BEARER   {made.token} "):
        subject = authenticator.subject_of(header, "192.0.2.1")
        assert (subject.company_id, subject.setting_n, subject.setting_id) == (made.company_id, made.n, made.id)
        assert (subject.setting, subject.token_name) == (made.setting, "entra")


def test_a_good_token_costs_no_statement_for_a_while_and_one_write_a_minute(
    authenticator: Authenticator, setting_factory: Callable[..., Any], statements: list[str], clock: Clock
) -> None:
    made = setting_factory()
    authenticator.subject_of(bearer(made.token), "a")
    first = authenticator.subject_of(bearer(made.token), "a").setting
    del statements[:]
    for _ in range(100):
        authenticator.subject_of(bearer(made.token), "a")
    assert statements == []
    clock.moment += authentication.KEPT_SECONDS
    again = authenticator.subject_of(bearer(made.token), "a")
    assert [s.split()[0] for s in statements if s.split()[0] in ("SELECT", "UPDATE", "INSERT")] == ["SELECT"]
    assert again.setting is first  # worked out once


def test_last_used_is_written_at_most_once_a_minute(
    database: Database, authenticator: Authenticator, setting_factory: Callable[..., Any], clock: Clock
) -> None:
    made = setting_factory()

    def used() -> Any:
        with database.read() as connection:
            return setting_tokens.utc(connection.scalar(sa.select(tokens.c.last_used)))

    authenticator.subject_of(bearer(made.token), "a")
    first = used()
    assert abs(first - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=10)
    clock.moment += 10
    authenticator.subject_of(bearer(made.token), "a")
    assert used() == first
    with database.write() as connection:
        connection.execute(sa.update(tokens).values(last_used=first - dt.timedelta(seconds=61)))
    clock.moment += 10
    authenticator.subject_of(bearer(made.token), "a")
    assert used() > first


def test_revoking_takes_effect_within_seconds(
    database: Database, authenticator: Authenticator, setting_factory: Callable[..., Any], clock: Clock
) -> None:
    made = setting_factory()
    authenticator.subject_of(bearer(made.token), "a")
    with database.write() as connection:
        directory.delete_setting(connection, made.company_id, made.id)
    clock.moment += authentication.KEPT_SECONDS
    with pytest.raises(UnauthorizedException, match="was revoked"):
        authenticator.subject_of(bearer(made.token), "a")


def test_a_token_ends_at_its_very_end_although_it_is_remembered(
    database: Database, authenticator: Authenticator, setting_factory: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = setting_factory(expires_in=dt.timedelta(seconds=60))
    authenticator.subject_of(bearer(made.token), "a")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=61)
    monkeypatch.setattr(authentication, "now", lambda: later)
    monkeypatch.setattr(setting_tokens, "now", lambda: later)
    with pytest.raises(UnauthorizedException, match="has expired"):
        authenticator.subject_of(bearer(made.token), "a")


def test_a_wrong_token_is_refused_without_telling_more_than_is_harmless(
    authenticator: Authenticator, setting_factory: Callable[..., Any], statements: list[str]
) -> None:
    made = setting_factory()
    del statements[:]
    for header in (None, "", "Bearer", "Bearer ", f"Basic {made.token}", made.token):
        with pytest.raises(UnauthorizedException, match="Authorization: Bearer TOKEN"):
            authenticator.subject_of(header, "b")
    for number, text in enumerate((made.token[:-1], made.token + "x", "é\x00", "x" * 10_000, "Bearer x")):
        with pytest.raises(UnauthorizedException, match="copied whole"):
            authenticator.subject_of(bearer(text), f"192.0.2.{number}")
    assert statements == []  # a typing error costs no look-up
    with pytest.raises(UnauthorizedException, match="not known"):
        authenticator.subject_of(bearer(make_token().reveal()), "c")


def test_whoever_fails_is_slowed_down_and_a_good_token_is_let_in_all_the_same(
    authenticator: Authenticator, setting_factory: Callable[..., Any], clock: Clock
) -> None:
    made = setting_factory()
    for _ in range(authentication.FAILURES):
        with pytest.raises(UnauthorizedException):
            authenticator.subject_of(bearer("wrong"), "192.0.2.1")
    for wrong in ("wrong", make_token().reveal()):
        with pytest.raises(TooManyRequestsException) as refused:
            authenticator.subject_of(bearer(wrong), "192.0.2.1")
        assert (refused.value.status, refused.value.retry_after) == (429, 60)
    assert authenticator.subject_of(bearer(made.token), "192.0.2.1").setting_n == made.n
    with pytest.raises(UnauthorizedException):
        authenticator.subject_of(bearer("wrong"), "192.0.2.2")
    clock.moment += authentication.FAILURE_SECONDS
    with pytest.raises(UnauthorizedException):
        authenticator.subject_of(bearer("wrong"), "192.0.2.1")


def test_one_ipv6_network_is_one_address_and_memory_is_bounded(clock: Clock) -> None:
    failures = Failures(clock)
    waits = [failures.add(f"2001:db8::{n:x}") for n in range(authentication.FAILURES + 1)]
    assert waits == [0] * authentication.FAILURES + [60]
    assert failures.add("2001:db8:0:1::1") == 0
    for n in range(authentication.ADDRESSES + 500):
        failures.add(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(failures._seen) == authentication.ADDRESSES


def test_memory_of_tokens_is_bounded(
    authenticator: Authenticator, setting_factory: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "KEPT_TOKENS", 2)
    for _ in range(4):
        authenticator.subject_of(bearer(setting_factory().token), "a")
    assert len(authenticator._kept) == len(authenticator._settings) == 2


def test_no_token_is_in_a_log_an_error_or_a_repr(
    authenticator: Authenticator, setting_factory: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, wrong = setting_factory().token, make_token().reveal()
    authenticator.subject_of(bearer(good), "a")
    shown = [repr(authenticator), repr(authenticator.subject_of(bearer(good), "a"))]
    for _ in range(authentication.FAILURES + 1):
        try:
            authenticator.subject_of(bearer(wrong), "a")
        except (UnauthorizedException, TooManyRequestsException) as error:
            shown += [str(error), repr(error), "".join(traceback.format_exception(error)), str(error.to_error())]
    text = "\n".join([*shown, caplog.text])
    assert good not in text
    assert wrong not in text
    assert not TOKENS.search(text)


def test_a_disk_that_is_full_lets_readers_in(
    database: Database, authenticator: Authenticator, setting_factory: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = setting_factory()

    def full(*_: Any) -> None:
        raise sa.exc.OperationalError("update", {}, Exception("disk full"))

    monkeypatch.setattr(authentication, "note_use", full)
    assert authenticator.subject_of(bearer(made.token), "a").setting_n == made.n
