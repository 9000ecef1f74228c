"""Who is told of a run and of what: the decision, the message, real services that take it and such that do not."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
from chains import a_record
from services import SLACK, TEAMS, mail_server, web_server

from scimops.cli import app
from scimops.cli.notify import routes_of, tell_of
from scimops.errors import ScimopsError, SettingError
from scimops.jobs.audited import run_audited
from scimops.jobs.ledger import append
from scimops.jobs.notifications import Message, Notifications, Route, decide, joined, load_notifications, message_of
from scimops.jobs.notify import Ran, notify, runs_before, send
from scimops.jobs.record import Notebook
from scimops.jobs.verify import verify

HOSTILE = "R&D <!channel> <at>the.boss</at> [safe](http://evil.example) <http://evil.example|safe>\nexit code: 0 {{x}}"
PARTS = ("hunter2-in-a-url", "T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ", "643e69f83c8944", "sig-iXvmuH-77")


def a_run(outcome="completed", exit_code=0, counts=None, name="job.ipynb", **changes):
    """The record of a notebook that ended so."""
    notebook = Notebook(name=name, path=f"/x/{name}", sha256="0" * 64)
    known = {"kind": "notebook", "notebook": notebook, "command": None, "outcome": outcome, "exit_code": exit_code}
    return a_record(who="anna@example.com").model_copy(update={**known, "counts": counts or {}, **changes})


def routes(*names, **changes):
    return [Route(name=name, to="env:SCIMOPS_TO", **changes) for name in names]


@pytest.fixture
def web(tmp_path, monkeypatch):
    with web_server(tmp_path) as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def mail():
    with mail_server() as found:
        yield found


@pytest.fixture
def to(monkeypatch):
    """A route to a URL, which stands in the environment."""

    def make(url, name="", **changes):
        variable = f"SCIMOPS_TO_{len([key for key in os.environ if key.startswith('SCIMOPS_TO_')])}"
        monkeypatch.setenv(variable, url)
        return Route(name=name or url.partition(":")[0], to=f"env:{variable}", **changes)

    return make


# -- The document ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes:\n  - name: a\n    to: https://hooks.slack.com/hunter2-in-a-url", 'line 3: "routes.0.to" is no'),
        ("routes:\n  - {name: a, to: env:PATH}", "is no reference. The URL of a service holds a secret"),
        ("routes:\n  - {name: a, to: keyring:a, when: [failure]}", 'line 2: "routes.0.when" is not known here'),
        ("routes:\n  - {name: a, to: keyring:a, on: [failed]}", 'is "failed". Allowed: failure, withheld'),
        ("routes:\n  - {name: a, to: keyring:a, details: all}", "Allowed: counts or findings"),
        ("routes:\n  - {name: a, to: keyring:a}\n  - {name: a, to: keyring:b}", 'two routes are called "a"'),
        ("routes: []", '"routes"'), ("format: 1", '"routes" is missing'),
    ],
)  # fmt: skip
def test_a_wrong_document_says_where_and_repeats_no_url(tmp_path, text, said):
    path = tmp_path / "notifications.yaml"
    path.write_text(text + "\n")
    with pytest.raises(SettingError) as caught:
        load_notifications(path)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_document_in_the_documentation_is_right(tmp_path):
    from scimops.jobs import notifications

    text = notifications.__doc__.split("::\n\n", 1)[1].split("\n\n")[0]
    path = tmp_path / "notifications.yaml"
    path.write_text(text + "\n")
    document = load_notifications(path)
    assert [(route.name, len(route.on)) for route in document.routes] == [("night watch", 4), ("Acme's admin", 2)]


@pytest.mark.parametrize(
    ("companies", "notebooks", "taken"),
    [
        (["*"], ["*"], True), (["acme"], ["*"], True), (["Acm?"], ["*"], True), (["Other", "region=e*"], ["*"], True),
        (["Other"], ["*"], False), (["region=us"], ["*"], False), (["*"], ["02_*"], True), (["*"], ["05_*"], False),
        (["*"], ["02_preview_groups"], True), (["*"], ["02_preview_groups.ipynb"], True), (["[A]cme"], ["*"], False),
    ],
)  # fmt: skip
def test_a_route_is_for_some_companies_and_notebooks(companies, notebooks, taken):
    (route,) = routes("a", companies=companies, notebooks=notebooks)
    assert route.takes("02_preview_groups.ipynb", "Acme", {"region": "eu"}) == taken


# -- The decision ---------------------------------------------------------------------------------

OK, FOUND, HELD, INCOMPLETE = ("completed", 0), ("completed", 3), ("completed", 4), ("failed", 5)
FAILED, TIMED, DIED, BROKEN = ("failed", 1), ("timed_out", 124), ("kernel_died", 138), ("broken", None)
BY_A_PERSON, BY_THE_SYSTEM = ("cancelled", 130), ("cancelled", 143)
SEVEN, EIGHT = {"to_fix": 7, "people": 1}, {"to_fix": 8, "people": 9}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, (OK,), ""), ((OK,), (OK,), ""), ((OK, SEVEN), (OK, SEVEN), ""), ((OK, EIGHT), (OK, SEVEN), ""),
        ((FOUND, SEVEN), (FOUND, SEVEN), ""), ((OK, {"people": 1}), (OK, {"people": 900}), ""),
        (None, (BY_A_PERSON,), ""), ((OK,), (BY_A_PERSON,), ""), ((FAILED,), (BY_A_PERSON,), ""),
        (None, (FAILED,), "failure"), ((OK,), (FAILED,), "failure"), ((FAILED,), (FAILED,), "failure"),
        ((OK,), (TIMED,), "failure"), ((OK,), (DIED,), "failure"), ((OK,), (BROKEN,), "failure"),
        ((OK,), (BY_THE_SYSTEM,), "failure"), ((OK,), (INCOMPLETE,), "failure"),
        ((OK,), (("completed", 5),), "failure"), ((OK,), (HELD,), "withheld"), ((HELD,), (HELD,), "withheld"),
        ((OK, SEVEN), (HELD, EIGHT), "withheld new_findings"), (None, (OK, SEVEN), "new_findings"),
        ((OK, SEVEN), (OK, EIGHT), "new_findings"), (None, (FOUND,), "new_findings"),
        ((OK,), (FOUND,), "new_findings"), ((OK,), (FOUND, SEVEN), "new_findings"), ((HELD,), (FOUND,), "recovery"),
        ((FAILED,), (OK,), "recovery"), ((HELD,), (OK,), "recovery"), ((BROKEN,), (OK,), "recovery"),
        ((BY_THE_SYSTEM,), (OK,), "recovery"), ((BY_A_PERSON,), (OK,), ""), ((OK, SEVEN), (FAILED, EIGHT), "failure"),
    ],
)  # fmt: skip
def test_what_is_told(before, now, told):
    one = a_run(*before[0], *before[1:]) if before else None
    compared = one if one and one.outcome == "completed" else None
    assert decide(a_run(*now[0], *now[1:]), one, compared) == tuple(told.split())


def test_a_failure_in_between_makes_no_findings_new():
    night, failed = a_run(*OK, SEVEN), a_run(*FAILED)
    assert decide(a_run(*OK, SEVEN), failed, night) == ("recovery",)
    assert decide(a_run(*OK, EIGHT), failed, night) == ("new_findings", "recovery")


def test_the_runs_before_come_from_the_ledger(tmp_path):
    ledger = tmp_path / "runs.ndjson"
    good, failed, stopped, other, last, later = (
        a_run(*OK, SEVEN), a_run(*FAILED), a_run(*BY_A_PERSON), a_run(*DIED, name="other.ipynb"),
        a_run(*OK), a_run(*OK),
    )  # fmt: skip
    for record in (good, failed, stopped, other, last, later):
        append(record, ledger)
    assert [found.id for found in runs_before(last, ledger) if found] == [failed.id, good.id]
    assert [found.id for found in runs_before(later, ledger) if found] == [last.id, last.id]
    assert runs_before(good, ledger) == (None, None)
    assert runs_before(other, ledger) == (None, None)
    assert runs_before(a_record(), ledger) == (None, None), "a command has none before it"


# -- The message ----------------------------------------------------------------------------------


def test_a_message_names_nobody_and_is_plain(tmp_path):
    found = {"to_fix": 1234, "anna@example.com": 1, "Anna Smith": 2}
    run = a_run(*FOUND, found, folder="/data/out", name="02_preview_groups.ipynb", parameters={"who": "anna"})
    message = message_of(
        run, ("new_findings", "recovery"), f"7:{'a' * 64}", a_run(*OK, SEVEN), HOSTILE, {"no_email": 2}
    )
    assert message.subject.startswith("scimops: 02_preview_groups for R&D ‹!channel›")
    assert message.lines[1:] == (
        "notebook: 02_preview_groups", "outcome: completed", "exit code: 3", "counts: to fix 1,234 (was 7)",
        "findings: no email 2", f"run: {run.id}", f"ledger: 7:{'a' * 64}", "report: /data/out/02_preview_groups.html",
    )  # fmt: skip
    whole = "\n".join((message.subject, *message.lines))
    assert "anna" not in whole.casefold()
    assert not set("<>[]") & set(whole)
    assert len(whole.splitlines()) == 10, "nobody adds a line"


def test_many_runs_are_one_message_a_route(web, to, tmp_path):
    acme, other = tmp_path / "acme.ndjson", tmp_path / "other.ndjson"
    failed, held, good = a_run(*FAILED), a_run(*HELD), a_run(*OK)
    for record, ledger in ((failed, acme), (held, other), (good, other)):
        append(record, ledger)
    at = f"json://127.0.0.1:{web.port}"
    document = Notifications(
        routes=[to(f"{at}/all", name="all"), to(f"{at}/acme", name="acme", companies=["Acme"]), to(at, on=["recovery"])]
    )
    ran = [
        Ran(failed.id, "1:a", acme, "Acme"),
        Ran(held.id, "2:b", other, "Other"),
        Ran(held.id, "2:b", other, "Third"),
    ]
    assert [(each.route, each.events) for each in notify(document, ran)] == [
        ("all", ("failure", "withheld")), ("acme", ("failure",)),
    ]  # fmt: skip
    bodies = {path: body for _, path, _, body in web.got}
    assert bodies["/all"]["title"] == "scimops: 3 runs: 1 failed, 2 withheld"
    assert [name for name in ("Acme", "Other", "Third") if f"company: {name}\n" not in bodies["/all"]["message"]] == []
    assert "Other" not in json.dumps(bodies["/acme"]), "one company's admin reads of no other"
    many = joined([Message(f"run {number}", ("details",), ("failure",)) for number in range(60)])
    assert (many.lines.count("details"), many.lines[-1]) == (20, "run 59")


# -- Services that take it ------------------------------------------------------------------------

RUN = a_run(*HELD, {"to_fix": 8}, folder="/data/out", name="02_preview_groups.ipynb")
MESSAGE = message_of(RUN, ("withheld",), f"7:{'a' * 64}", None, HOSTILE)


def test_each_service_gets_the_message_as_text(web, mail, to):
    port, mails = mail
    sent = send([
        (to(f"mailto://127.0.0.1:{port}/?from=night@example.com&to=ops@example.com"), MESSAGE),
        (to(f"json://u:{PARTS[0]}@127.0.0.1:{web.port}/hook"), MESSAGE),
        (to(f"https://{SLACK}/services/{PARTS[1]}/{PARTS[2]}/{PARTS[3]}"), MESSAGE),
        (to(f"workflows://{TEAMS}:443/{PARTS[4]}/{PARTS[5]}/"), MESSAGE),
    ])  # fmt: skip
    assert [each.problem for each in sent] == ["", "", "", ""]
    (letter,) = mails
    assert (letter["To"], letter["From"].addresses[0].addr_spec) == ("ops@example.com", "night@example.com")
    assert letter["Subject"] == MESSAGE.subject
    assert letter.get_content().splitlines() == [*MESSAGE.lines]
    got = {(host, path.partition("?")[0]): (path, body) for host, path, _, body in web.got}
    assert len(got) == 3
    body = got["127.0.0.1", "/hook"][1]
    assert (body["title"], body["message"], body["type"]) == (MESSAGE.subject, "\n".join(MESSAGE.lines), "warning")
    _, body = got[SLACK, f"/services/{PARTS[1]}/{PARTS[2]}/{PARTS[3]}"]
    assert "exit code: 4\n" in json.dumps(body).replace("\\n", "\n")
    assert not set("<>[]") & set(body["attachments"][0]["text"] + body["attachments"][0]["title"])
    assert "github" not in json.dumps(body), "no picture is fetched from anywhere"
    path, body = got[TEAMS, f"/workflows/{PARTS[4]}/triggers/manual/paths/invoke"]
    assert f"sig={PARTS[5]}" in path
    card = body["attachments"][0]["content"]
    assert "entities" not in card["msteams"], "nobody is mentioned"
    title, text = (part["text"] for part in card["body"])
    assert not set("<>") & set(title + text)
    assert "\n\n" in text


def test_a_service_that_fails_once_is_asked_again(web, to):
    assert [each.problem for each in send([(to(f"json://127.0.0.1:{web.port}/once"), MESSAGE)])] == [""]
    assert web.paths() == ["/once", "/once"]


# -- Services that do not -------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_what_fails_is_said_without_the_url_and_stops_no_other(web, mail, to, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    at, secret, port = f"127.0.0.1:{web.port}", PARTS[0], mail[0]
    faults = {
        f"json://u:{secret}@{at}/500/{secret}": "HTTP status 500",
        f"json://u:{secret}@{at}/moved/{secret}?retry=0": "HTTP status 302",
        f"json://u:{secret}@{at}/gone/{secret}?retry=0": "cannot be reached",
        f"json://u:{secret}@127.0.0.1:{free_port()}/{secret}": "cannot be reached",
        f"mailto://{secret}:{secret}@127.0.0.1:{free_port()}/?from=a@example.com&to=b@example.com": "cannot be reached",
        f"mailto://127.0.0.1:{port}/?from=a@example.com&to=nobody@example.com": "did not take the message",
        f"slack://{secret}": "is none of mail", f"https://example.com/{secret}": "is none of mail",
        f"syslog://{secret}": "is none of mail", f"discord://{'1' * 18}/{secret}": "is none of mail",
        f"jsons://{at}/{secret}?verify=no": "verify=no", f"json://192.0.2.7/{secret}": "is not private",
        f"nothing {secret}": "is none of mail",
    }  # fmt: skip
    messages = [(to(url, name=str(number)), MESSAGE) for number, url in enumerate(faults)]
    messages += [(to(f"json://{at}/hook", name="good"), MESSAGE), (routes("nothing there")[0], MESSAGE)]
    told = send(messages)
    assert [said for said, each in zip(faults.values(), told, strict=False) if said not in each.problem] == []
    assert (told[-2].problem, "/hook" in web.paths()) == ("", True)
    assert "SCIMOPS_TO is not set" in told[-1].problem
    assert len(web.paths("/500")) == 3
    assert not web.paths("/taken-over")
    hanging = to(f"json://u:{secret}@{at}/hang/{secret}?rto=60")
    (late,) = send([(hanging, MESSAGE)], limit=1)
    assert late.problem == "it did not end within 1 s"
    shown = "".join(capfd.readouterr()) + caplog.text + repr((told, late))
    assert secret not in shown
    assert "127.0.0.1" not in shown


PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
sys.argv[0] = "scimops"
from scimops.cli import main
main()
"""


def test_the_command_sends_a_test_and_no_log_has_a_url(web, tmp_path, monkeypatch, to):
    good = to(f"https://{SLACK}/services/{PARTS[1]}/{PARTS[2]}/{PARTS[3]}").to
    bad = to(f"json://u:{PARTS[0]}@127.0.0.1:{web.port}/500/{PARTS[0]}?retry=0").to
    path = tmp_path / "notifications.yaml"
    path.write_text(f"routes:\n  - {{name: chat, to: {good}}}\n  - {{name: hook, to: {bad}, on: [failure]}}\n")
    monkeypatch.setenv("SCIMOPS_NOTIFICATIONS", str(path))
    monkeypatch.setenv("SCIMOPS_DEBUG", "1")

    def scimops(*words):
        command = [sys.executable, "-c", PROGRAM, "notify", *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert not [part for part in PARTS if part in done.stdout + done.stderr]
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    code, said, _ = scimops("check")
    assert (code, said.splitlines()) == (
        0,
        ["chat: failure, withheld, new_findings, recovery; companies *", "hook: failure; companies *"],
    )
    assert not web.got
    code, said, _ = scimops("test")
    assert (code, said.splitlines()) == (1, ["chat: sent", "hook: not sent: it answered with HTTP status 500"])
    assert scimops("test", "--route", "chat")[:2] == (0, "chat: sent\n")
    code, _, complaint = scimops("test", "--route", "chap")
    assert (code, 'Did you mean "chat"?' in complaint) == (2, True)
    monkeypatch.delenv("SCIMOPS_TO_0")
    code, said, _ = scimops("check")
    assert (code, "chat: wrong: The environment variable SCIMOPS_TO_0 is not set" in said) == (1, True)
    monkeypatch.delenv("SCIMOPS_NOTIFICATIONS")
    assert "No document says who is told" in scimops("check")[2]


# -- A run ----------------------------------------------------------------------------------------

STEP = "from scimops import jobs\njobs.result({'to_fix': 2}, exit_code=3, findings={'no_email': 2})"


def test_a_run_is_told_and_stays_as_it_was(job, web, tmp_path, to):
    ledger, events = tmp_path / "runs.ndjson", []
    at = f"127.0.0.1:{web.port}"
    document = Notifications(
        routes=[
            to(f"json://{at}/acme", name="acme", companies=["Acme"], details="findings"),
            to(f"json://{at}/failures", name="failures", on=["failure"]),
            to(f"json://{at}/moved/{PARTS[0]}?retry=0", name="broken"),
            to(f"json://{at}/other", name="other", companies=["Other"]),
        ]
    )
    run, written = run_audited(job(STEP), [("who", "anna")], tmp_path / "out", ledger=ledger)
    before, said = ledger.read_bytes(), io.StringIO()
    with redirect_stderr(said):
        tell_of(document, [Ran(run.id, written.head, ledger, "Acme", {"region": "eu"})], events.append)
    assert sorted(set(web.paths())) == ["/acme", f"/moved/{PARTS[0]}"]
    (body,) = (body for _, path, _, body in web.got if path == "/acme")
    assert "counts: to fix 2\nfindings: no email 2\n" in body["message"]
    assert f"ledger: {written.head}\nreport: {run.page}" in body["message"]
    assert "anna" not in json.dumps(body)
    assert [(event["route"], event["on"], event["problem"]) for event in events] == [
        ("acme", ["new_findings"], ""), ("broken", ["new_findings"], "it answered with HTTP status 302"),
    ]  # fmt: skip
    assert said.getvalue() == 'The route "broken" was not told: it answered with HTTP status 302.\n'
    assert run.exit_code == 3
    assert ledger.read_bytes() == before
    assert verify(ledger).good
    again, written = run_audited(job(STEP), [("who", "anna")], tmp_path / "out", ledger=ledger)
    assert notify(document, [Ran(again.id, written.head, ledger, "Acme")]) == [], "no mail every night"
    with redirect_stderr(said):
        tell_of(document, [Ran("no-such-run", "", ledger)])
        tell_of(None, [Ran(run.id, "", ledger)])
    assert said.getvalue().splitlines()[1:] == [
        'Nobody was told of a run: There is no run "no-such-run". scimops runs list shows their ids.'
    ]


def test_the_command_tells_and_measures(job, web, tmp_path, to):
    path, metrics = tmp_path / "notifications.yaml", tmp_path / "scimops.prom"
    url = to(f"json://127.0.0.1:{web.port}/told").to
    path.write_text(f"routes:\n  - {{name: hook, to: {url}, details: findings}}\n")
    words = ["run", str(job(STEP)), "--out", str(tmp_path / "out"), "--ledger", str(tmp_path / "runs.ndjson")]
    with pytest.raises(SystemExit) as ended:
        app([*words, "--notify", str(path), "--metrics", str(metrics), "--quiet"])
    assert ended.value.code == 3
    ((_, _, _, body),) = web.got
    assert "findings: no email 2" in body["message"]
    assert 'scimops_run_exit_code{company="",notebook="job.ipynb"} 3.0' in metrics.read_text()


def test_a_message_without_events_is_a_test(web, to):
    send([(to(f"json://127.0.0.1:{web.port}/x"), Message("a", ("b",)))])
    assert web.got[0][3]["type"] == "info"


def test_no_document_is_told_of_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("SCIMOPS_NOTIFICATIONS", raising=False)
    assert routes_of(None) is None
    with pytest.raises(ScimopsError, match="there is no such file"):
        routes_of(tmp_path / "none.yaml")
    monkeypatch.setenv("SCIMOPS_NOTIFICATIONS", "notifications.yaml")
    with pytest.raises(ScimopsError, match="not the whole path of a file"):
        routes_of(None)
