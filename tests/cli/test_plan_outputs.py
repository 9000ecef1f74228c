"""What scimops plan, approve and compare say and write: offline of a saved snapshot, and through the management API."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from managing import Platform as Embedded
from planning import HEADER, line, snapshot
from typer.testing import CliRunner, Result

from scimops.cli import app
from scimops.errors import ScimopsError
from scimops.jobs.signing import make_key
from scimops.schemas import read_schema
from scimops.service_provider.directory import create_setting
from scimops.setting import load_setting

SETTING = """\
name: Acme
group_settings: {target_group: Everyone, criterion: {field: department}}
safeguards: {deactivate: {number: 0}, protect: [boss@*]}
seats: 4
"""
Run = Callable[..., Result]
PLAN = ("plan", "people.csv", "--setting", "setting.yaml", "--snapshot", "held")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`scimops WORDS` in a folder with a setting, and a snapshot of anna, ben and boss; gives its result."""
    (tmp_path / "config").mkdir(mode=0o700)
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    monkeypatch.chdir(tmp_path)
    Path("setting.yaml").write_text(SETTING)
    snapshot(*({"name": name} for name in ("anna", "ben", "boss"))).save("held")
    export(line("anna"), line("ben"), line("boss"))

    def scimops(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
        found = result.exception.exit_code if isinstance(result.exception, ScimopsError) else result.exit_code
        assert found == code, (result.output, result.exception)
        return result

    return scimops


def export(*people: str) -> None:
    Path("people.csv").write_text(HEADER + "".join(f"{person}\n" for person in people))


def on_a_terminal(*words: str, answer: str) -> tuple[int, str]:
    """Exit code and what a person sees who types `answer`, in a terminal of their own."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "scimops", *words], stdin=side, stdout=side, stderr=side, start_new_session=True
    )  # fmt: skip
    os.close(side)
    seen, answered = b"", False
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other side is closed
            break
        seen += part
        if not answered and b"to approve them" in seen:
            os.write(main, answer.encode())
            answered = True
    os.close(main)
    return process.wait(30), seen.decode()


def test_exit_codes_and_the_ledger(run: Run) -> None:
    run(*PLAN)
    run(*PLAN, "--exit-code")
    export(line("anna", "Legal"), line("ben"), line("boss"))
    run(*PLAN)
    run(*PLAN, "--exit-code", code=3)
    export(line("anna"), line("boss"))
    run(*PLAN, code=4)
    run(*PLAN, "--exit-code", code=4)
    export()
    assert "No plan is made" in str(run(*PLAN, code=5).exception)
    records = [json.loads(row)["record"] for row in Path("runs.ndjson").read_text().splitlines()]
    assert [record["exit_code"] for record in records] == [0, 0, 0, 3, 4, 4, 5]
    assert all(len(record["digests"]["plan"]) == 64 for record in records[:-1])


def test_what_is_written_and_printed_follows_its_schema(run: Run) -> None:
    export(line("anna", "Legal"), line("new"), "x-bad,bad@example.com,,No,Mail,Sales,true")
    printed = json.loads(run(*PLAN, "--json", "--html", "page.html", "--xlsx", "book.xlsx", code=4).stdout)
    written = json.loads(Path("plan.json").read_text())
    for document in (printed, written):
        jsonschema.validate(document, read_schema("plan"))
    assert written | {"made_at": ""} == printed | {"made_at": ""}
    for name in ("plan.json", "page.html", "book.xlsx"):
        assert Path(name).stat().st_mode & 0o777 == 0o600
    assert "What would be done: Acme" in Path("page.html").read_text()
    missing = run(*PLAN, "--html", "no/such/page.html", code=2)
    assert "no such folder" in str(missing.exception)


def test_an_approval_asks_for_the_number_of_those_who_can_be_approved(run: Run) -> None:
    export(line("anna"))
    run(*PLAN, code=4)
    approve = ("approve", "plan.json", "--reason", "They left.", "--by", "Ada")
    assert "Nobody is there to be asked" in str(run(*approve, code=2).exception)
    code, seen = on_a_terminal(*approve, answer="2\n")
    assert (code, "1 are withheld, not 2. Nothing is approved." in seen) == (2, True), seen
    assert on_a_terminal(*approve, answer="\x04")[0] == 130, "the end of input"
    assert not Path("plan.approval.json").exists()
    code, seen = on_a_terminal(*approve, "--valid", "2d", answer="1\n")
    assert code == 0, seen
    assert "1 stay withheld all the same" in seen
    assert "ben@example.com" in seen
    kept = json.loads(Path("plan.approval.json").read_text())
    assert (kept["by"], kept["reason"], kept["withheld"], len(kept["left_out"])) == ("Ada", "They left.", 1, 1)
    assert kept["digest"] == json.loads(Path("plan.json").read_text())["seal"]
    for words in (("--valid", "15d"), ("--valid", "soon"), ("--reason", " ")):
        run(*approve, *words, "--withheld", "1", code=2)


def test_who_is_protected_alone_cannot_be_approved(run: Run) -> None:
    export(line("anna"), line("ben"))
    run(*PLAN, code=4)
    refused = run("approve", "plan.json", "--reason", "x", "--withheld", "0", code=2)
    assert "Nothing here can be approved" in str(refused.exception)


def test_two_plans_are_compared(run: Run) -> None:
    export(line("anna", "Legal"), line("ben"), line("boss"))
    run(*PLAN, "--out", "one.json")
    export(line("anna", "Finance"), line("ben"), line("boss"), line("new"))
    run(*PLAN, "--out", "two.json")
    found = json.loads(run("compare", "one.json", "two.json", "--json", "--exit-code", code=3).stdout)
    jsonschema.validate(found, read_schema("compare_plans"))
    assert (found["new"], found["gone"], found["changed"]) == (1, 0, 1)
    assert "0 new, 0 gone, 0 changed" in run("compare", "one.json", "one.json", "--exit-code").stdout
    for words, said in (
        (("one.json",), "with a plan"), (("one.json", "people.csv"), "with a plan"),
        (("one.json", "two.json", "--setting", "setting.yaml"), "its own setting"),
    ):  # fmt: skip
        assert said in str(run("compare", *words, code=2).exception)
    Path("two.json").write_text(Path("two.json").read_text().replace("Finance", "Marketing"))
    assert "changed after it was made" in str(run("compare", "one.json", "two.json", code=5).exception)


def test_an_approval_without_a_signature_is_refused_where_there_is_a_key(run: Run) -> None:
    from scimops.cli.approve import approval_of
    from scimops.plan import StalePlanError, load_plan

    export(line("anna"), line("boss"))
    run(*PLAN, code=4)
    run("approve", "plan.json", "--reason", "Left.", "--withheld", "1")
    path = Path("plan.json")
    assert approval_of(path, load_plan(path)) is not None
    make_key()
    with pytest.raises(StalePlanError, match="not signed"):
        approval_of(path, load_plan(path))
    run("approve", "plan.json", "--reason", "Left.", "--withheld", "1")
    assert approval_of(path, load_plan(path)) is not None


def test_a_plan_through_the_management_api_says_what_it_cannot_tell(
    run: Run, embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.database.write() as connection:
        token = create_setting(connection, company, load_setting(Path("setting.yaml"))).token.reveal()
    embedded.push(token, "anna@example.com", "Sales")
    made = embedded.credential(company)
    monkeypatch.setenv("SCIMOPS_TEST_SECRET", made.secret.reveal())
    Path("config/connections.yaml").write_text(
        f"format: 1\nconnections:\n  acme:\n    kind: platform\n    url: {embedded.url}\n"
        f"    client_id: {made.client_id}\n    client_secret: env:SCIMOPS_TEST_SECRET\n"
    )
    export("x,anna@example.com,anna@example.com,Anna,Sample,Legal,true")
    made_plan: dict[str, Any] = json.loads(run(*PLAN[:4], "--connection", "acme", "--json", code=0).stdout)
    assert made_plan["source"]["read_by"] == "management"
    assert "cannot_tell" in {one["code"] for one in made_plan["findings"]}
    jsonschema.validate(made_plan, read_schema("plan"))
