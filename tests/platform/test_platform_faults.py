"""Faults of the other end, on real sockets: each is one sentence with what to do, and holds no secret."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime

import pytest
from ends import (
    COMPANY,
    NAME,
    QUICK,
    SECRET,
    SECRET_NAME,
    TOKEN,
    Asked,
    End,
    answer,
    caught,
    client_of,
    connection_to,
    good,
    page,
    running_end,
    token_answer,
)

from scimops.connections import Connection
from scimops.errors import UsageError
from scimops.platform import Platform, Retries, connect, faults

HTML = answer(b"<!doctype html><title>Sign in</title>", kind="text/html; charset=utf-8")
GROUPS, FIELDS = "/api/target-groups/search", "/api/custom-fields/company"
TOKEN_OF_SETTING = "scimops_of-a-setting"
SETTING = {"name": "Entra", "syncPlatformGroup": False}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_NAME, SECRET)


@pytest.fixture
def end() -> Iterator[End]:
    with running_end() as running:
        yield running


@pytest.fixture
def client(end: End) -> Iterator[Platform]:
    with client_of(end) as platform:
        yield platform


def refused(message: str, status: int = 400) -> bytes:
    return answer({"data": None, "status": "ERROR", "message": message, "validationMessages": []}, status)


READ_FAULTS: list[tuple[bytes | None, type[faults.PlatformError], str]] = [
    (HTML, faults.AnswerError, "a web page came where data was expected"),
    (answer(b"a,b\n", kind="text/csv"), faults.AnswerError, 'data of the type "text/csv" came where JSON'),
    (answer(b'{"data": [', kind="application/json"), faults.AnswerError, "its JSON is cut off or broken"),
    (answer(b"[" * 100_000), faults.AnswerError, "its JSON is cut off or broken"),
    (answer(b'{"data": NaN, "status": "SUCCESS"}'), faults.AnswerError, "its JSON is cut off or broken"),
    (answer(b'{"data": "\xff"}'), faults.AnswerError, "its JSON is cut off or broken"),
    (answer([1, 2]), faults.AnswerError, "it has no envelope"),
    (answer({"status": "MAYBE", "data": []}), faults.AnswerError, 'its status is "MAYBE"'),
    (good({"name": 1}), faults.AnswerError, "no list stands where one was expected"),
    (good([{"name": "x"}]), faults.AnswerError, 'no text at "resourceId"'),
    (answer(b"\x1f\x8bbroken", Content_Encoding="gzip"), faults.AnswerError, "its compression is broken"),
    (answer({"status": "ERROR", "data": []}), faults.RefusedError, "it says failure and no reason"),
    (answer({"isSuccess": False, "data": None, "messages": ["No licence."]}), faults.RefusedError, "No licence."),
    (answer({"status": "VALIDATION_ERROR", "validationMessages": ["a", "b"]}), faults.RefusedError, "a b"),
    (refused("Not valid."), faults.RefusedError, "Not valid."),
    (refused("Reseller."), faults.RefusedError, "Reseller."),
    (refused("No right.", 403), faults.ForbiddenError, "has no right to the custom fields. It says: No right."),
    (refused("Gone.", 404), faults.NotFoundError, "The platform does not have the custom fields. It says: Gone."),
    (answer(b"<h1>404</h1>", 404, "text/html"), faults.AddressError, "There is no management API"),
    (answer(b"", 301, Location="https://u:p@other.example/a?x=1#f"), faults.RedirectError, "https://other.example/a;"),
    (answer(b"", 302, Location="/login"), faults.RedirectError, "/login; nothing is followed"),
    (answer(b"", 304), faults.RedirectError, "nowhere"),
    (refused("Boom.", 500), faults.ServerFaultError, "The platform failed (500)"),
    (answer(b"<h1>Bad gateway</h1>", 502, "text/html"), faults.ServerFaultError, "The platform failed (502)"),
    (refused("Wait.", 429), faults.BusyError, "asks us to wait (429). Try again later."),
    (answer(b"", 503), faults.BusyError, "is not available (503)"),
    (None, faults.UnreachableError, "The connection was cut while reading the custom fields"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", faults.UnreachableError, "The connection was cut"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", faults.UnreachableError, "The connection was cut"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), READ_FAULTS)
def test_what_can_come_instead_of_an_answer(
    end: End, client: Platform, caplog: pytest.LogCaptureFixture, reply: bytes | None,
    kind: type[faults.PlatformError], words: str,
) -> None:  # fmt: skip
    end.on(FIELDS, reply)
    error = caught(kind, client.custom_fields, caplog)
    assert words in str(error)
    assert error.advice
    assert "?x=1" not in str(error)
    assert "u:p" not in str(error)
    again = kind in (faults.BusyError, faults.UnreachableError) or "502" in words
    assert end.paths() == [FIELDS] * (QUICK.attempts if again else 1)


def test_a_fault_that_passes_is_not_seen(end: End, client: Platform) -> None:
    end.on(FIELDS, None, answer(b"", 502), refused("Wait.", 429), good([]))
    with connect(connection_to(end.url), Retries(attempts=4, first=0.01, most=0.02)) as platform:
        assert platform.custom_fields() == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited before asking again; nothing waits."""
    seconds: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", seconds.append)
    return seconds


def test_retry_after_in_seconds_is_obeyed(end: End, client: Platform, waits: list[float]) -> None:
    end.on(FIELDS, answer(b"", 429, Retry_After="2"), good([]))
    assert client.custom_fields() == []
    assert len(waits) == 1
    assert 2 <= waits[0] <= 2.1


def test_waits_grow_and_are_shuffled(end: End, waits: list[float]) -> None:
    end.on(FIELDS, answer(b"", 502))
    with connect(connection_to(end.url), Retries(attempts=6, first=1, most=8)) as platform:
        caught(faults.ServerFaultError, platform.custom_fields)
    for wait, own in zip(waits, (1, 2, 4, 8, 8), strict=True):
        assert own < wait < 2 * own


def test_retry_after_as_a_date_is_obeyed(end: End, client: Platform, waits: list[float]) -> None:
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)  # by the platform's own clock, whatever ours says
    until = format_datetime(now + dt.timedelta(seconds=2), usegmt=True)
    end.on(FIELDS, answer(b"", 503, Retry_After=until, Date=format_datetime(now, usegmt=True)), good([]))
    assert client.custom_fields() == []
    assert len(waits) == 1
    assert 2 <= waits[0] <= 2.1


def test_a_longer_wait_is_not_waited_for(end: End, client: Platform) -> None:
    end.on(FIELDS, answer(b"", 429, Retry_After="7200"), good([]))
    assert "Try again in 2 hours." in str(caught(faults.BusyError, client.custom_fields))
    assert end.paths() == [FIELDS]


def test_a_nonsense_retry_after_is_as_none(end: End, client: Platform) -> None:
    end.on(FIELDS, *(answer(b"", 429, Retry_After=text) for text in ("-1", "soon")), good([]))
    assert client.custom_fields() == []


UNCERTAIN: list[tuple[bytes | None, str]] = [
    (None, "The connection was cut after the request was sent"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "The connection was cut after the request was sent"),
    (answer(b"", 500), "The platform failed (500)"),
    (answer(b"", 502), "The platform failed (502)"),
    (HTML, "it seems, but the answer cannot be read: a web page"),
    (answer({"status": "MAYBE", "data": {}}), "it seems, but the answer cannot be read"),
    (good({}), "It holds no token."),
    (good(None), "Something that is no object"),
    (good({"results": [{"token": 5}]}), "It holds no token."),
]


@pytest.mark.parametrize(("reply", "words"), UNCERTAIN)
def test_a_creation_whose_answer_is_lost_may_have_happened_and_is_not_repeated(
    end: End, client: Platform, caplog: pytest.LogCaptureFixture, reply: bytes | None, words: str
) -> None:
    end.on("/api/scim", reply)
    error = caught(faults.UncertainError, lambda: client.create_setting(SETTING), caplog)
    assert words in str(error)
    assert 'he SCIM setting "Entra" was made' in str(error)
    assert "Look on the platform before you try again." in str(error)
    assert end.paths() == ["/api/scim"]


def test_a_token_in_an_answer_that_cannot_be_used_is_in_no_error(end: End, client: Platform) -> None:
    made = "scimops_0123456789"
    for body in (b'{"data": {"token": "%s"}' % made.encode(), b'{"data": {"token": ["%s"]}, "status": "SUCCESS"}'):
        end.on("/api/scim", answer(body % made.encode() if b"%s" in body else body))
        caught(faults.UncertainError, lambda: client.create_setting(SETTING), None, made)


def test_a_refused_creation_did_not_happen(end: End, client: Platform) -> None:
    cases: list[tuple[bytes, type[faults.PlatformError]]] = [
        (refused("There is one.", 409), faults.NameTakenError),
        (refused("Name already exists."), faults.NameTakenError),
        (answer({"isSuccess": False, "messages": ["The name is already in use."]}), faults.NameTakenError),
        (refused("The target group does not exist."), faults.RefusedError),
        (refused("Wait.", 429), faults.BusyError),
        (refused("Wait.", 503), faults.BusyError),
        (refused("No.", 403), faults.ForbiddenError),
    ]
    for reply, kind in cases:
        end.asked.clear()
        end.on("/api/scim", reply)
        caught(kind, lambda: client.create_setting(SETTING))
        assert end.paths() == ["/api/scim"]


def test_a_conflict_that_is_not_about_a_name_does_not_say_so(end: End, client: Platform) -> None:
    end.on("/api/scim/abc/revoke", refused("Busy with it.", 409))
    assert "Busy with it." in str(caught(faults.RefusedError, lambda: client.revoke("abc")))


def test_both_places_of_a_token_are_known(end: End, client: Platform) -> None:
    for data in ({"token": TOKEN_OF_SETTING}, {"results": [{"token": TOKEN_OF_SETTING}]}):
        end.on("/api/scim/abc/revoke", good(data))
        assert client.revoke("abc").reveal() == TOKEN_OF_SETTING
    end.on("/api/scim/abc/revoke", answer({"isSuccess": True, "data": {"token": TOKEN_OF_SETTING}, "messages": None}))
    assert client.revoke("abc").reveal() == TOKEN_OF_SETTING


def test_a_slow_platform(end: End, caplog: pytest.LogCaptureFixture) -> None:
    def late(_: Asked) -> bytes:
        time.sleep(1.5)
        return good([])

    end.on(FIELDS, late).on("/api/scim", late)
    once = Retries(attempts=1)
    with connect(connection_to(end.url, timeout=0.3), once) as platform:
        error = caught(faults.UnreachableError, platform.custom_fields, caplog)
        assert "No answer came within 0.3 seconds" in str(error)
        error = caught(faults.UncertainError, lambda: platform.create_setting(SETTING), caplog)
        assert "No answer came within 0.3 seconds after the request was sent" in str(error)


def test_an_answer_that_drips(end: End) -> None:
    def drips(_: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(100):
            time.sleep(0.05)
            yield b" "

    end.on(FIELDS, drips)
    with client_of(end, timeout=0.2) as platform:
        assert "it was not whole after 1 seconds" in str(caught(faults.AnswerError, platform.custom_fields))


def test_an_answer_without_end(end: End, client: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimops.http.exchange.MAX_BODY", 1 << 20)
    end.on(FIELDS, answer(b'{"data": "' + b"x" * (2 << 20) + b'"}'))
    assert "it is larger than 1 MiB" in str(caught(faults.AnswerError, client.custom_fields))


def test_a_compressed_answer_is_measured_unpacked(end: End, client: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setattr("scimops.http.exchange.MAX_BODY", 1 << 20)
    end.on(FIELDS, answer(gzip.compress(b" " * (4 << 20)), Content_Encoding="gzip"))
    assert "it is larger than 1 MiB" in str(caught(faults.AnswerError, client.custom_fields))


def test_wrong_credentials(end: End, caplog: pytest.LogCaptureFixture) -> None:
    for reply in (
        answer({"error": "invalid_client", "error_description": f"{SECRET} is wrong"}, 401),
        answer({"error": "invalid_client"}, 400),
        answer({"error": f"invalid {SECRET}"}, 400),
        answer(b"<h1>401</h1>", 401, "text/html"),
    ):
        end.on("/connect/token", reply)
        with client_of(end) as platform:
            error = caught(faults.CredentialsError, platform.settings, caplog)
            assert "does not take the client id and secret" in str(error)


def test_a_token_endpoint_that_is_none(end: End, caplog: pytest.LogCaptureFixture) -> None:
    cases: list[tuple[bytes, type[faults.PlatformError]]] = [
        (answer(b"", 404, "text/html"), faults.AddressError),
        (answer({"status": "404", "detail": "no"}, 404), faults.AddressError),
        (HTML, faults.AnswerError),
        (answer(b"", 302, Location="https://login.example/"), faults.RedirectError),
        (answer({"access_token": TOKEN}), faults.AnswerError),
        (answer({"access_token": f"{TOKEN}\r\nX: y", "expires_in": 3600}), faults.AnswerError),
        (answer({"access_token": ["x"], "expires_in": 3600}), faults.AnswerError),
        (answer([]), faults.AnswerError),
    ]
    for reply, kind in cases:
        end.on("/connect/token", reply)
        with client_of(end) as platform:
            caught(kind, platform.settings, caplog)
            assert {one.path for one in end.asked} == {"/connect/token"}


def test_the_token_is_asked_for_with_a_form_once(end: End, client: Platform) -> None:
    end.on(FIELDS, good([]))
    client.custom_fields()
    client.custom_fields()
    first, *rest = end.asked
    assert first.path == "/connect/token"
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.body == (b"grant_type=client_credentials&client_id=client-1"
                          b"&client_secret=s3cr3t%2Bof%2Fthe%3Dclient&scope=api1")  # fmt: skip
    assert [one.path for one in rest] == ["/api/companies/my", FIELDS, FIELDS]
    assert {one.headers["authorization"] for one in rest} == {f"Bearer {TOKEN}"}
    assert "x-keepnet-company-id" not in rest[0].headers


def test_a_token_is_renewed_before_its_end(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("scimops.platform.session.time.monotonic", lambda: now[0])
    end.on("/connect/token", token_answer("first-one"), token_answer("second-one")).on(FIELDS, good([]))
    with client_of(end) as platform:
        for now[0] in (1000.0, 1000 + 3600 - 61, 1000 + 3600 - 59):
            platform.custom_fields()
    used = [one.headers["authorization"] for one in end.asked if one.path == FIELDS]
    assert used == ["Bearer first-one", "Bearer first-one", "Bearer second-one"]


def test_a_token_that_cannot_be_renewed_is_no_uncertain_change(end: End) -> None:
    end.on("/connect/token", token_answer(life=0.001), HTML).on("/api/scim", good({"token": TOKEN_OF_SETTING}))
    with client_of(end) as platform:
        caught(faults.AnswerError, lambda: platform.create_setting(SETTING))
    assert end.paths() == []


def test_many_threads_need_one_token(end: End, client: Platform) -> None:
    end.on(FIELDS, good([]))
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda _: client.custom_fields(), range(16))] == [[]] * 16
    assert [one.path for one in end.asked][:2] == ["/connect/token", "/api/companies/my"]
    assert end.paths() == [FIELDS] * 16


def test_what_cannot_be_sent_is_not(end: End, client: Platform) -> None:
    for name in ("\ud800", float("nan")):
        caught(faults.RefusedError, lambda name=name: client.create_setting(SETTING | {"name": name}))
    assert end.paths() == []


def test_a_token_that_ended_early_is_renewed_once(end: End) -> None:
    end.on("/connect/token", token_answer("first-one"), token_answer("second-one"))

    def only_the_second(asked: Asked) -> bytes:
        return (
            good({"token": TOKEN_OF_SETTING})
            if asked.headers["authorization"] == "Bearer second-one"
            else refused("Expired.", 401)
        )

    end.on("/api/scim", only_the_second)
    with client_of(end) as platform:
        assert platform.create_setting(SETTING).reveal() == TOKEN_OF_SETTING  # 401 is known not to have happened
    assert end.paths() == ["/api/scim", "/api/scim"]


def test_a_token_that_is_refused_at_once_names_the_clock(end: End, caplog: pytest.LogCaptureFixture) -> None:
    there = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(hours=3, minutes=1), usegmt=True)
    end.on(FIELDS, answer({"status": "ERROR", "message": f"bad {TOKEN}"}, 401, Date=there))
    with client_of(end) as platform:
        error = caught(faults.ClockError, platform.custom_fields, caplog)
    assert "that it gave a moment ago. This computer's clock is 3 hours behind the platform's." in str(error)
    assert [one.path for one in end.asked].count("/connect/token") == 2
    end.on("/connect/token", token_answer(life=0))
    with client_of(end) as platform:
        assert "gave a moment ago" in str(caught(faults.ClockError, platform.custom_fields, caplog))


def test_what_the_platform_repeats_of_a_secret_is_taken_out(end: End, client: Platform) -> None:
    def echo(asked: Asked) -> bytes:
        return refused(f"You sent {asked.headers} and {SECRET} \x1b[31m\u202e end", 400)

    end.on(FIELDS, echo)
    error = caught(faults.RefusedError, client.custom_fields)
    assert "Bearer [secret]" in str(error)
    assert "\x1b" not in str(error)
    assert "\u202e" not in str(error)
    end.on(FIELDS, answer(b"", 302, Location=f"https://x.example/{SECRET}/{TOKEN}?{TOKEN}"))
    caught(faults.RedirectError, client.custom_fields)
    end.on(FIELDS, answer({"status": f"{TOKEN}", "data": []}))
    caught(faults.AnswerError, client.custom_fields)


def test_the_secret_and_the_token_are_in_no_repr_and_no_log(
    end: End, client: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    end.on(FIELDS, good([])).on("/api/scim", good({"token": TOKEN_OF_SETTING}))
    client.custom_fields()
    made = client.create_setting(SETTING)
    session = client._session
    shown = f"{client!r} {session!r} {vars(session)} {vars(client)} {made!r} {vars(session._wire)} {caplog.text}"
    assert SECRET not in shown
    assert TOKEN not in shown


NOWHERE: list[tuple[str, type[faults.PlatformError], str]] = [
    ("http://127.0.0.1:1", faults.UnreachableError, "does not answer at all"),
    ("https://no-such-host.invalid", faults.UnreachableError, "There is no computer with the name"),
]


@pytest.mark.parametrize(("url", "kind", "words"), NOWHERE)
def test_nobody_is_there(url: str, kind: type[faults.PlatformError], words: str) -> None:
    with connect(connection_to(url), QUICK) as platform:
        assert words in str(caught(kind, platform.settings))


def test_a_connection_to_a_scim_endpoint_is_none_to_the_api() -> None:
    scim = Connection(name="acme", kind="scim", url="https://a.example", token=f"env:{SECRET_NAME}")
    with pytest.raises(UsageError, match="leads to a SCIM endpoint"):
        connect(scim)


def test_the_environment_says_nothing_of_proxies(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    end.on(FIELDS, good([]))
    with client_of(end) as platform:
        assert platform.custom_fields() == []


def test_the_proxy_of_the_connection_is_used(end: End) -> None:
    with running_end() as proxy:
        proxy.handlers = {f"{end.url}{path}": list(replies) for path, replies in end.handlers.items()}
        proxy.handlers[f"{end.url}{FIELDS}"] = [good([])]
        with client_of(end, proxy=proxy.url) as platform:
            assert platform.custom_fields() == []
        assert end.asked == []
        assert [one.path for one in proxy.asked][-1] == f"{end.url}{FIELDS}"


def test_a_proxy_that_is_not_there_is_named(end: End) -> None:
    with client_of(end, proxy="http://127.0.0.1:1") as platform:
        assert "http://127.0.0.1:1 does not answer" in str(caught(faults.UnreachableError, platform.custom_fields))


def test_a_company_id_that_is_none_is_not_sent(end: End) -> None:
    with client_of(end, reseller=True, company_id="é", company_name=NAME) as platform:
        caught(faults.RefusedError, platform.settings)
    assert [one.path for one in end.asked] == ["/connect/token"]


def test_another_company_is_refused_before_anything_is_asked(end: End) -> None:
    cases: list[dict[str, object]] = [
        {"company_id": "other0000001"}, {"company_name": "Other Ltd"},
        {"company_id": COMPANY, "company_name": "Other Ltd"}, {"company_id": "other0000001", "company_name": NAME},
    ]  # fmt: skip
    for said in cases:
        with client_of(end, **said) as platform:
            error = caught(faults.OtherCompanyError, lambda: platform.create_setting(SETTING))
            assert f'"{NAME}" ({COMPANY})' in str(error)
            assert any(str(value) in str(error).partition("names")[2] for value in said.values())
    assert end.paths() == []
    with client_of(end, company_id=COMPANY, company_name=" example LTD ") as platform:
        assert platform.company().name == NAME


def test_a_resellers_credential_needs_a_company(end: End) -> None:
    with pytest.raises(ValueError, match="company_id"):
        connection_to(end.url, reseller=True)
    both = [{"resourceId": COMPANY, "name": NAME}, {"resourceId": "other0000001", "name": "Other Ltd"}]
    end.on("/api/companies/my", good(both))
    with client_of(end) as platform:
        assert "reseller: true" in str(caught(faults.OtherCompanyError, platform.settings))


def test_a_reseller_finds_its_company_in_the_search(end: End) -> None:
    row = {"companyResourceId": COMPANY, "companyName": NAME}
    end.on("/api/companies/my", good([{"resourceId": "reseller0001", "name": "Reseller"}]))
    end.on("/api/companies/search", page([row], 1, 100, 1)).on(FIELDS, good([]))
    with client_of(end, reseller=True, company_id=COMPANY, company_name=NAME) as platform:
        platform.custom_fields()
    assert {one.headers.get("x-keepnet-company-id") for one in end.asked[1:]} == {COMPANY}
    assert "x-keepnet-company-id" not in end.asked[0].headers
    with client_of(end, reseller=True, company_id="other0000001", company_name="Other") as platform:
        assert '"Other" (other0000001)' in str(caught(faults.OtherCompanyError, platform.custom_fields))


def test_our_additions_go_to_no_other_platform(end: End, client: Platform) -> None:
    assert not client.capabilities().own
    calls: list[Callable[[], object]] = [
        lambda: client.create_setting(SETTING | {"scimops": {"aliases": {"R&D": "Engineering"}}}),
        lambda: list(client.provisioning_log("abc")), lambda: list(client.setting_people("abc")),
        lambda: client.tokens("abc"), lambda: client.rotate_token("abc"), lambda: client.revoke_token("abc", "d"),
    ]  # fmt: skip
    for call in calls:
        assert "nothing was sent" in str(caught(faults.OnlyOursError, call))
    assert end.paths() == ["/api/scim/fields"]


def test_an_id_that_is_none_is_not_sent(end: End, client: Platform) -> None:
    for wrong in ("", "..", "a/b", "a?b", "a b", "é", "x" * 65):
        with pytest.raises(faults.NotFoundError):
            client.setting(wrong)
    assert end.asked == []


def test_a_job_that_is_none_and_jobs_in_either_form(end: End, client: Platform) -> None:
    job = {"resourceId": "j1", "name": "SCIM", "isFinished": True}
    for data, ids in (
        ({"jobId": 0, "resourceId": None}, []),
        (job, ["j1"]),
        ([job, job | {"resourceId": "j2"}], ["j1", "j2"]),
    ):
        end.on("/api/jobs", good(data))
        assert [one["resourceId"] for one in client.jobs()] == ids
