"""One notebook for many companies: real processes, a real platform; broken in many ways; nobody's name elsewhere."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import nbformat
import pytest
from managing import Platform as Embedded
from nbformat.v4 import new_code_cell, new_notebook

from scimops.cli import main
from scimops.cli.each_tables import each_page, each_table
from scimops.connections import Connection, save_connections
from scimops.jobs.each_summary import CompanyRun, EachRun, result_of, results_before
from scimops.jobs.history import find, runs
from scimops.jobs.verify import verify
from scimops.service_provider import directory
from scimops.service_provider.database import Database, open_database
from scimops.service_provider.migrations import migrate

CELLS = [
    """
import os, signal, time
from pathlib import Path
from scimops.connections import get_connection
from scimops.jobs import result
from scimops.platform import connect
print(dict(os.environ))
Path(out, 'here').touch()
""",
    """
with connect(get_connection(connection)) as platform:
    print(platform.company().name)
    groups = len(platform.target_groups())
""",
    """
if mode == 'raise':
    raise ValueError('this company is broken')
if mode == 'slow':
    time.sleep(600)
if mode == 'kill':
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)
result({'groups': groups}, code)
""",
]


@dataclass
class Night:
    """Companies on a platform, their connections and credentials, and the file of all."""

    folder: Path
    names: list[str]
    secrets: dict[str, str]
    environment: dict[str, str]
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    extra: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def own(self, name: str) -> Path:
        return self.out / "companies" / name.lower().replace(" ", "-")

    def write(self) -> None:
        """The file of companies."""
        entries = [{"name": name, "connection": name.lower().replace(" ", "-"),
                    "parameters": self.parameters.get(name, {}), "environment": self.extra.get(name, {}),
                    "limits": {"timeout": self.limits.get(name, 300)}}
                   for name in self.names]  # fmt: skip
        (self.folder / "companies.yaml").write_text(json.dumps({"format": 1, "companies": entries}, indent=1))

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "scimops", "run", "job.ipynb", "--each", "companies.yaml", "--out", "out",
                "--ledger", "main.ndjson", *map(str, words)]  # fmt: skip

    def run(self, *words: object, code: int) -> tuple[dict[str, Any], str]:
        """Its document, and what it told."""
        done = subprocess.run(self.command(*words, "--json"), cwd=self.folder, env=self.environment, check=False,
                              capture_output=True, text=True, timeout=1500)  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout), done.stderr


def new_night(folder: Path, database: Database, url: str, count: int) -> Night:
    """`count` companies, the first with one target group, the second with two …"""
    folder.mkdir()
    names = [f"Kunde {word} {number:02}" for number, word in enumerate(["Zirbel", "Quitte", "Mispel"] * 20)][:count]
    secrets, connections = {}, {}
    for name in names:
        with database.write() as connection:
            company = directory.create_company(connection, name)
            made = directory.create_credential(connection, company)
        key, variable = name.lower().replace(" ", "-"), f"SCIMOPS_{name.upper().replace(' ', '_')}"
        secrets[variable] = made.secret.reveal()
        said = {"kind": "platform", "url": url, "client_id": made.client_id, "client_secret": f"env:{variable}"}
        connections[key] = Connection(name=key, company_id=company, company_name=name, **said)
    config = folder / "config"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_CONFIG", str(config))
        save_connections(connections)
    first = 'connection: str = ""\nout: str = ""\nmode: str = ""\ncode: int = 0'
    cells = [new_code_cell(first, metadata={"tags": ["parameters"]}), *map(new_code_cell, CELLS)]
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / "job.ipynb")
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SCIMOPS_")}
    return Night(folder, names, secrets, {**mine, **secrets, "SCIMOPS_CONFIG": str(config), "COLUMNS": "300"})


def break_some(night: Night, credential: str, raising: str, slow: str, killed: str, limit: float) -> None:
    """Each of these in its own way."""
    night.environment[f"SCIMOPS_{credential.upper().replace(' ', '_')}"] = "a-credential-that-is-wrong"
    night.parameters |= {raising: {"mode": "raise"}, slow: {"mode": "slow"}, killed: {"mode": "kill"}}
    night.limits[slow] = limit
    night.write()


def check_broken(document: dict[str, Any], credential: str, raising: str, slow: str, killed: str, *more: str) -> None:
    """The summary says exactly that."""
    found = {one["name"]: one for one in document["companies"]}
    failed = [one["name"] for one in document["companies"] if one["result"] == "failed"]
    assert failed == sorted({credential, raising, slow, killed, *more})
    assert [one["name"] for one in document["companies"][: len(failed)]] == failed, "the worst first"
    assert (found[credential]["outcome"], found[credential]["exit_code"]) == ("failed", 1)
    assert "client id and secret" in found[credential]["message"]
    assert (found[raising]["outcome"], found[raising]["exit_code"]) == ("failed", 1)
    assert "this company is broken" in found[raising]["message"]
    assert (found[slow]["outcome"], found[slow]["exit_code"]) == ("timed_out", 124)
    assert (found[killed]["outcome"], found[killed]["exit_code"]) == ("broken", None)
    assert "killed" in found[killed]["message"]


def check_apart(night: Night) -> int:
    """No company's name, connection or secret stands in what another one has; how many bytes were looked at."""
    size = 0
    marks = {name: [name, name.lower().replace(" ", "-"), name.upper().replace(" ", "_")] for name in night.names}
    for path in (path for path in night.out.rglob("*") if path.is_file()):
        data = path.read_bytes()
        size += len(data)
        for secret in [*night.secrets.values(), "a-credential-that-is-wrong"]:
            assert secret.encode() not in data, path
        if path.parent != night.out:
            others = [mark for name in night.names if night.own(name) not in path.parents for mark in marks[name]]
            found = re.search("|".join(map(re.escape, others)).encode(), data)
            assert found is None, f"{path}: {found and found[0]}"
    main = (night.folder / "main.ndjson").read_bytes()
    assert not [secret for secret in night.secrets.values() if secret.encode() in main]
    return size + len(main)


def check_heads(night: Night, document: dict[str, Any]) -> None:
    """Each chain is whole up to the head that the main ledger keeps."""
    parent = find(document["id"], night.folder / "main.ndjson")
    assert parent is not None
    assert f"{parent.number}:{parent.hash}" == document["head"]
    assert verify(night.folder / "main.ndjson", document["head"]).good
    assert parent.record.digests == {one["name"]: one["head"] for one in document["companies"] if one["head"]}
    assert parent.record.counts == document["counts"]
    assert {Path(file.name).name for file in parent.record.inputs} == {"companies.yaml", "connections.yaml"}
    for one in (one for one in document["companies"] if one["run"]):
        assert verify(Path(one["ledger"]), one["head"]).good
        assert find(one["run"], Path(one["ledger"])).record.outcome == one["outcome"]


@pytest.fixture
def night(tmp_path: Path, embedded: Embedded) -> Callable[[int], Night]:
    return lambda count: new_night(tmp_path / "night", embedded.database, embedded.url, count)


def test_five_companies_four_of_them_broken(night):
    """And a sixth whose secret is nowhere: no process is started for it."""
    six = night(6)
    ok, *broken, nowhere = six.names
    own = f"SCIMOPS_{ok.upper().replace(' ', '_')}"
    six.extra = {nowhere: {"SCIMOPS_X": "env:SCIMOPS_NOWHERE"}, ok: {"SCIMOPS_X": f"env:{own}"}}
    break_some(six, *broken, limit=4)
    document, told = six.run("--parallel", 5, code=1)
    check_broken(document, *broken, nowhere)
    assert document["counts"] == {"failed": 5, "not_run": 0, "withheld": 0, "findings": 0, "ok": 1}
    assert "SCIMOPS_NOWHERE is not set" in next(one for one in document["companies"] if not one["run"])["message"]
    assert f"{ok}: ok" in told
    assert "(6 of 6)" in told
    check_heads(six, document)
    check_apart(six)
    assert json.loads((six.out / "summary.json").read_bytes()) == document
    page = (six.out / "summary.html").read_text("utf-8")
    assert all(name in page for name in six.names)
    printed = next((six.own(ok) / "output").glob("*/job.ipynb")).read_text("utf-8")
    assert own in printed, "its own it has"
    assert "SCIMOPS_X" in printed

    # what was wrong is put right; one of them has findings now
    six.environment |= six.secrets
    six.parameters = {broken[0]: {"code": 3}}
    six.write()
    again, _ = six.run("--retry-failed", document["id"], "--only", ok, "--only", broken[0], code=3)
    assert [(one["name"], one["result"], one["before"]) for one in again["companies"]] == [
        (broken[0], "findings", "failed")
    ]  # fmt: skip
    assert again["continues"] == document["id"]
    check_heads(six, again)
    ledger, file = six.folder / "main.ndjson", six.folder / "companies.yaml"
    assert results_before(six.folder / "job.ipynb", file, ledger) == {
        ok: "ok", nowhere: "failed", **dict.fromkeys(broken, "failed"), broken[0]: "findings"
    }  # fmt: skip
    assert results_before(six.folder / "job.ipynb", six.folder / "others.yaml", ledger) == {}


def test_sigterm_ends_what_runs_and_the_rest_is_not_run(night):
    three = night(3)
    three.parameters = {name: {"mode": "slow"} for name in three.names}
    three.write()
    with subprocess.Popen(three.command("--parallel", 1, "--json"), cwd=three.folder, env=three.environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        first = three.own(three.names[0])
        ends = time.monotonic() + 60
        while not list(first.glob("output/*/here")):
            assert time.monotonic() < ends
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, told = process.communicate(timeout=60)
    assert process.returncode == 143, told
    document = json.loads(out)
    assert [(one["result"], one["outcome"]) for one in document["companies"]] == [
        ("failed", "cancelled"), ("not_run", ""), ("not_run", "")
    ]  # fmt: skip
    assert document["counts"]["not_run"] == 2
    assert next(runs(first / "runs.ndjson")).record.outcome == "cancelled"
    parent = next(runs(three.folder / "main.ndjson")).record
    assert (parent.outcome, parent.exit_code) == ("cancelled", 143)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--only", "Kunde Zirbel 0"), 'Did you mean "Kunde Zirbel 00"?'),
        (("-p", "mode", "x"), "-p does not go with --each"),
        (("--timeout", "5"), "--timeout does not go with --each"),
        (("--retry-failed", "0197"), 'no run "0197"'),
    ],
)
def test_a_wrong_word_runs_nothing(night, words, says, monkeypatch, capsys):
    one = night(1)
    one.write()
    monkeypatch.chdir(one.folder)
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["scimops", *one.command(*words)[3:]])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert (ended.value.code, says in said) == (2, True), said
    assert not one.out.exists()
    assert not (one.folder / "main.ndjson").exists()


@pytest.mark.parametrize(
    ("outcome", "code", "result"),
    [("completed", 0, "ok"), ("completed", 3, "findings"), ("completed", 4, "withheld"), ("completed", 5, "failed"),
     ("failed", 0, "failed"), ("cancelled", 130, "failed"), ("broken", None, "failed")],
)  # fmt: skip
def test_a_result_by_outcome_and_code(outcome, code, result):
    assert result_of(outcome, code) == result


@pytest.mark.parametrize(
    ("results", "code"),
    [(("ok", "ok"), 0), (("ok", "findings"), 3), (("findings", "withheld"), 4), (("withheld", "failed"), 1)],
)
def test_the_greater_trouble_decides_the_exit_code(results, code):
    companies = tuple(CompanyRun(str(number), result) for number, result in enumerate(results))
    assert EachRun("", "", "", "", "", "", 0, companies).exit_code == code
    assert EachRun("", "", "", "", "", "", 0, companies, "SIGINT").exit_code == 130


def test_the_page_takes_no_name_for_markup():
    name = '<script>alert("x")</script>'
    one = CompanyRun(name, "failed", message="<img src=x>", folder="/o/a", page="/o/a/b c.html")
    page = each_page(EachRun("id", name, "f", "/o", "", "", 0, (one,)))
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="a/b%20c.html"' in page
    assert "default-src 'none'" in page


def test_the_table_says_what_changed():
    from rich.console import Console

    companies = (CompanyRun("[b]Acme[/b]", "findings", "ok"), CompanyRun("Nordwind", "ok", "ok"))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(each_table(EachRun("", "", "", "", "", "", 0, companies)))
    text = console.export_text()
    assert "2 companies: 1 findings, 1 ok" in text
    assert re.search(r"\[b\]Acme\[/b\] +findings +ok \(changed\)", text)
    assert re.search(r"Nordwind +ok +ok +—", text)


# Sixty companies


def descendants(root: int) -> list[int]:
    """Every process below `root`, by /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, more = [], {root}
    while more:
        found += more
        more = {child for child, parent in parents.items() if parent in more}
    return found


@contextlib.contextmanager
def watched_memory(root: int) -> Iterator[list[int]]:
    """The most bytes that `root` and all below it had at once (proportional set size)."""
    most, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            total = 0
            for process in descendants(root)[1:]:
                with contextlib.suppress(OSError):
                    found = re.search(r"^Pss: +(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
                    total += int(found[1]) * 1024 if found else 0
            most[0] = max(most[0], total)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield most
    ended.set()
    thread.join()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[Database, str]]:
    """A real `scimops serve`, and its database."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = f"sqlite:///{folder / 'platform.db'}"
    database = open_database(place)
    migrate(database)
    command = [sys.executable, "-m", "scimops", "serve", "--port", str(port), "--database", place]
    with (folder / "said").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as server:
        try:
            ends = time.monotonic() + 60
            while True:
                with contextlib.suppress(httpx2.HTTPError):
                    if httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                        break
                assert time.monotonic() < ends
                time.sleep(0.1)
            yield database, f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
    database.close()


@pytest.mark.long
def test_who_runs_all_is_killed(night):
    """Its companies go on; whoever comes next is told so by each, or waits for it; the broken run is in the ledger."""
    one = night(1)
    one.parameters, one.limits = {one.names[0]: {"mode": "slow"}}, {one.names[0]: 20}
    one.write()
    own = one.own(one.names[0])
    with subprocess.Popen(one.command(), cwd=one.folder, env=one.environment, stderr=subprocess.DEVNULL) as process:
        ends = time.monotonic() + 60
        while not list(own.glob("output/*/here")):
            assert time.monotonic() < ends
            time.sleep(0.02)
        process.kill()
    one.parameters = {}
    one.write()
    refused, _ = one.run(code=1)
    held = json.loads((own / "output" / ".job.ipynb.held.part").read_bytes())
    assert f"run {held['run']}," in refused["companies"][0]["message"]
    assert [logged.record.outcome for logged in runs(one.folder / "main.ndjson")] == ["failed", "broken"]
    waited, _ = one.run("--wait", 120, code=0)
    assert waited["companies"][0]["before"] == "failed"
    assert [logged.record.outcome for logged in runs(own / "runs.ndjson")] == ["completed", "timed_out"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_sixty_companies_three_broken_one_killed(tmp_path):
    with served(tmp_path / "platform") as (database, url):
        sixty = new_night(tmp_path / "night", database, url, 60)
        broken = sixty.names[7], sixty.names[23], sixty.names[38], sixty.names[51]
        break_some(sixty, *broken, limit=30)
        begun = time.perf_counter()
        with watched_memory(os.getpid()) as most:
            document, _ = sixty.run("--parallel", 4, code=1)
        seconds = time.perf_counter() - begun
        check_broken(document, *broken)
        assert document["counts"] == {"failed": 4, "not_run": 0, "withheld": 0, "findings": 0, "ok": 56}
        check_heads(sixty, document)
        size = check_apart(sixty)
        sixty.environment |= sixty.secrets
        sixty.parameters = {}
        sixty.limits = {}
        sixty.write()
        again, _ = sixty.run("--parallel", 4, "--retry-failed", document["id"], code=0)
        assert {one["name"] for one in again["companies"]} == set(broken)
        check_heads(sixty, again)
    print(f"\n60 companies, 4 at a time: {seconds:.0f} s wall, {most[0] >> 20:,} MiB at most (platform and all runs); "  # noqa: T201
          f"{size:,} bytes hunted, nobody's name or secret elsewhere")  # fmt: skip
