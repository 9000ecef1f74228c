"""A mask: no name, address or id is left in anything that an audit writes or prints; rows still join."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
from auditing import Company, audited, night
from telling import FAULTS, document, run, words

from scimops.audit.arrivals import Arrivals, intervals, load_arrivals
from scimops.audit.kept_report import keep_report
from scimops.audit.mask import PLAIN, Mask
from scimops.audit.period import joined_in, parse_period
from scimops.audit.report import about, report_of
from scimops.credentials import CredentialError
from scimops.idp import read_export
from scimops.samples.story import Story, write_story
from scimops.tokens import Secret

KEY, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
MASKED = ("--mask", "env:SCIMOPS_MASK_KEY")
NAMED = """\
format: 1
exceptions:
  - person: {person}
    status: left_still_active
    owner: {owner}
    reason: Agreed with {owner}.
    until: 2027-01-31
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"), FAULTS)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_MASK_KEY", KEY)


def plain_values(story: Story) -> tuple[set[str], set[str]]:
    """What names the people of the story: texts that are looked for anywhere, and names, looked for as whole cells."""
    users = pl.concat([
        frame.select("externalId", "userName", "email", "firstName", "lastName")
        for frame in (read_export(story.exports[-1]).users(), read_export(story.hr).users(),
                      pl.read_parquet(story.state / "snapshot" / "users.parquet"))
    ])  # fmt: skip
    ids = pl.read_parquet(story.state / "snapshot" / "users.parquet")["id"]
    texts = {text for name in ("externalId", "userName", "email") for text in users[name].drop_nulls()} | {*ids}
    both = users.select(pl.concat_str("firstName", pl.lit(" "), "lastName")).to_series().drop_nulls()
    short = {text for text in texts if len(text) < 8}  # numbers of employees are found in anything
    return (texts - short) | {*both}, short | {*users["firstName"].drop_nulls(), *users["lastName"].drop_nulls()}


def cells(folder: Path) -> set[str]:
    """Every text of the Parquet files, and every string of the documents."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                walk(inner)
        elif isinstance(value, str):
            found.add(value)

    for path in folder.rglob("*.parquet"):
        walk(pl.read_parquet(path).to_dict(as_series=False))
    for path in folder.rglob("*.json"):
        walk(json.loads(path.read_text()))
    for one in [text for text in found if text.startswith("{")]:
        walk(json.loads(one))
    return found


def texts(folder: Path) -> dict[str, str]:
    """Everything that was written, as text: of a workbook its sheets."""
    found = {}
    for path in list(folder.rglob("*")):
        if path.suffix == ".xlsx":
            with ZipFile(path) as book:
                found[path.name] = "".join(book.read(name).decode() for name in book.namelist())
        elif path.suffix == ".zip":
            with ZipFile(path) as box:
                box.extractall(path.with_suffix(""))
            found |= {f"evidence/{name}": text for name, text in texts(path.with_suffix("")).items()}
            shutil.rmtree(path.with_suffix(""))
        elif path.suffix in (".html", ".json", ".md", ".csv", ".txt", ".ndjson"):
            found[path.name] = path.read_text()
        elif path.suffix == ".parquet":
            found[path.name] = json.dumps(pl.read_parquet(path).to_dict(as_series=False), default=str)
    return found


def test_no_plain_value_is_left_anywhere(story: Story, tmp_path: Path) -> None:
    person, owner = story.people["leaver 4"].userName, story.people["Sales 0"].email
    (tmp_path / "e.yaml").write_text(NAMED.format(person=person, owner=owner))
    said = words(
        story, "--people", story.hr, "--exceptions", tmp_path / "e.yaml", "--keep", tmp_path / "out" / "keep", "--out",
        tmp_path / "out", "--fail-on", "info", "--period", "2026-Q4", "--exports", story.folder / "exports",
        "--new-hires", "90", "--first-day", "2026-09-07", "--evidence", tmp_path / "out" / "evidence.zip",
        "--sample", "25", "--seed", "7",
    )  # fmt: skip
    (tmp_path / "out").mkdir()
    run(*said, code=3)
    anywhere, whole = plain_values(story)
    unmasked = texts(tmp_path / "out")
    naming = {name for name, text in unmasked.items() if any(value in text for value in anywhere)}
    assert len({name for name in naming if "/" not in name}) == 7, "five files, and two that are kept"
    assert any(name.startswith("evidence/") for name in naming)
    assert whole & cells(tmp_path / "out"), "the hunt finds names where they are"

    masked = [*said, *MASKED]
    masked[masked.index("--out") + 1] = str(tmp_path / "masked")
    (tmp_path / "masked").mkdir()
    masked[masked.index("--evidence") + 1] = str(tmp_path / "masked" / "evidence.zip")
    masked[masked.index("--keep") + 1] = str(tmp_path / "masked" / "keep")
    for _ in range(2):  # the second night compares with the first
        table, printed = run(*masked, code=3), run(*masked, "--json", code=3)
    written = texts(tmp_path / "masked") | {
        "table": table.stdout, "messages": table.stderr, "json": printed.stdout, "more": printed.stderr,
    }  # fmt: skip
    for name, text in written.items():
        assert [value for value in anywhere if value in text] == [], name
    assert whole & cells(tmp_path / "masked") == set()
    assert json.loads(printed.stdout)["exceptions"][0]["people"] == 1
    assert json.loads(printed.stdout)["since_last"]["new"] == 0
    for secret in (KEY, story.people["leaver 4"].userName):
        assert str(secret) not in table.stdout


def test_rows_still_join_with_one_key_and_not_with_another(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = document(*words(story))
    for folder in ("one", "two"):
        run(*words(story, *MASKED, "--out", tmp_path / folder))
    coverage, reconciled, again = (
        pl.read_parquet(tmp_path / name)
        for name in ("one/coverage.parquet", "one/reconciled.parquet", "two/coverage.parquet")
    )
    assert coverage.equals(again)
    both = coverage.drop_nulls("user_id").join(reconciled, on="user_id")
    assert both.height == coverage["user_id"].count()
    assert (both["userName"] == both["userName_right"]).all()
    found = document(*words(story, *MASKED))
    assert found["coverage"] == plain["coverage"]
    assert [one["code"] for one in found["people"]] == [one["code"] for one in plain["people"]]
    assert found["masked"]
    monkeypatch.setenv("SCIMOPS_MASK_KEY", OTHER)
    others = document(*words(story, *MASKED))
    names = [{one["userName"] for one in part["people"]} for part in (found, others)]
    assert names[0] & names[1] <= {None}
    run(*words(story, "--keep", tmp_path / "keep", *MASKED))
    monkeypatch.setenv("SCIMOPS_MASK_KEY", KEY)
    assert "another key" in str(run(*words(story, "--keep", tmp_path / "keep", *MASKED), code=2).exception)
    assert "masked otherwise" in str(run(*words(story, "--keep", tmp_path / "keep"), code=2).exception)


def test_a_key_is_long_enough_and_there(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_MASK_KEY", "too-short")
    refused = run(*words(story, *MASKED), code=CredentialError.exit_code)
    assert "at least 16 characters" in str(refused.exception)
    assert "too-short" not in str(refused.exception)
    monkeypatch.delenv("SCIMOPS_MASK_KEY")
    assert "not set" in str(run(*words(story, *MASKED), code=CredentialError.exit_code).exception)


def test_groups_with_the_name_of_a_person_are_masked_and_others_are_not() -> None:
    mask = Mask(Secret(KEY), frozenset({"ada lovelace"}))
    assert mask.group("Sales\nAda  Lovelace") == f"Sales\n{mask.of('Ada  Lovelace')}"
    assert mask.group("boss@example.com") == mask.of("boss@example.com")
    frame = pl.DataFrame({
        "status": ["other_values"], "department": ["Sales"], "told": ["Ada did it"], "row": [7], "names": [["Ada"]],
        "before": ['{"firstName":"Ada","department":"Sales","active":true,"phone":null,"tags":["Ada"],"no":7}'],
        "after": ["2026-11-25T08:00:00.000Z"],
    })  # fmt: skip
    row = mask.frame(frame).row(0, named=True)
    of = mask.of
    assert row == {
        "status": "other_values", "department": "Sales", "told": of("Ada did it"), "row": 7, "names": [of("Ada")],
        "before": json.dumps({"firstName": of("Ada"), "department": "Sales", "active": True, "phone": None,
                              "tags": [of("Ada")], "no": of("7")}, separators=(",", ":")),
        "after": "2026-11-25T08:00:00.000Z",
    }  # fmt: skip
    assert KEY not in repr(mask)
    assert {"userName", "email", "externalId", "user_id", "firstName", "lastName"}.isdisjoint(PLAIN)


def test_a_mask_is_what_anybody_with_the_key_can_make() -> None:
    """HMAC-SHA256 of RFC 4231, test case 2, shortened."""
    assert Mask(Secret("Jefe")).of("what do ya want for nothing?") == "m-5bdcc146bf60754e"


def test_arrivals_that_were_kept_masked_are_found_by_plain_keys(acme: Company, tmp_path: Path) -> None:
    mask, folder = Mask(Secret(KEY)), tmp_path / "kept"
    acme.arrives("ada")
    enrolment = acme.enrolment("Basics", "Sales")
    for number, on in enumerate((False, True, False)):
        acme.switch(enrolment, on=on)
        found = audited(acme, number)
        keep_report(report_of(found, mask=mask), folder, about("Acme", people=False, mask=mask))
    kept = load_arrivals(folder, mask)
    assert kept.people.height == 1, "one person, night after night"
    assert "ada@example.com" not in json.dumps(kept.people.to_dicts())
    names = ("externalId", "userName", "email")
    for name in names:
        ada = "x-ada@example.com" if name == "externalId" else "ada@example.com"
        plain = pl.DataFrame({one: [ada if one == name else None] for one in names}, dict.fromkeys(names, pl.String))
        seen = {row["step"]: (row["after"], row["by"]) for row in intervals(kept, plain).iter_rows(named=True)}
        assert (seen["in_group"], seen["arrived"]) == ((None, night(0)), (night(0), night(1))), name
        for other in (None, Mask(Secret(OTHER))):
            assert intervals(load_arrivals(folder, other), plain).is_empty()

    def became(arrivals: Arrivals) -> list[tuple[str, str | None]]:
        joined = joined_in(parse_period("2026"), found, arrivals=arrivals)
        return list(joined.people.select("status", "arrived_by").iter_rows())

    assert became(kept) == [("arrived_lost", night(1))]
    assert became(load_arrivals(folder)) == [("lost", None)]
