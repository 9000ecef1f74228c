"""A plan as people see it: the page in a browser without a network, the workbook, the terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from planning import line, plan_of, snapshot
from rich.console import Console

from scimops.plan import Plan
from scimops.plan.compare import compare_plans
from scimops.present import plan_page
from scimops.present.plan_files import write_plan_page, write_plan_workbook
from scimops.present.plan_page import plan_html
from scimops.present.plan_tables import compare_plans_tables, person_text, plan_tables
from scimops.present.plan_words import four_numbers

DEPARTMENTS = (
    "Sales [/x]", "=cmd|' /C calc'!A0", "<img onerror=alert(1) src=x>", "＝1+1", " @SUM(1)", "R&D;=1+1",
    "![x](http://127.0.0.1:9/x.png)", "_x003D_1", "\u202eabc", 'quoted "name"',
)  # fmt: skip
"""Names that a terminal, a spreadsheet or a page could take for something else than a name."""


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Everybody moves from one hostile group to the next; 30 left, too many; one is new, one is protected."""
    names = [f"p{number:02}" for number in range(len(DEPARTMENTS))]
    left = [f"left{number:02}" for number in range(30)]
    now = [{"name": name, "department": group} for name, group in zip(names, DEPARTMENTS, strict=True)]
    now += [{"name": name, "firstName": "=1+1"} for name in [*left, "boss"]]
    groups: dict[str, list[str]] = {}
    for name, group in zip(names, DEPARTMENTS, strict=True):
        groups.setdefault(group, []).append(f"id-{name}")
    later = [*DEPARTMENTS[1:], DEPARTMENTS[0]]
    people = [line(name, quoted(group)) for name, group in zip(names, later, strict=True)]
    guards = {"deactivate": {"number": 5}, "leave": {}, "leave_each": {}, "empty_groups": None, "protect": ["boss*"],
              "seats": False}  # fmt: skip
    return plan_of(tmp_path, [*people, line("new")], snapshot(*now, groups=groups), safeguards=guards, seats=40)


def text_of(*renderables: Any) -> str:
    console = Console(width=200, markup=False, highlight=False, record=True, file=io.StringIO())
    console.print(*renderables)
    return console.export_text()


def test_the_four_numbers_are_of_what_may_be_done(plan: Plan) -> None:
    assert [value for value, *_ in four_numbers(plan)] == [1, len(DEPARTMENTS), 0, 31]


def test_a_browser_without_a_network_shows_it(plan: Plan, visit: Any, tmp_path: Path) -> None:
    write_plan_page(plan, tmp_path / "plan.html")
    visit.open(tmp_path / "plan.html")
    page = visit.page
    assert (visit.requests, visit.dialogs, page.locator("script").count()) == ([], [], 0)
    titles = page.locator("h2").all_inner_texts()
    assert titles == ["Safeguards", "Groups", "Findings", "Withheld", "Operations", "What this was made of"]
    assert page.locator(".cards strong").all_inner_texts() == [f"{value:,}" for value, *_ in four_numbers(plan)]
    groups = page.locator("section", has=page.locator("#groups")).inner_text()
    for name in ("Sales [/x]", "=cmd|' /C calc'!A0", "<img onerror=alert(1) src=x>", "\\u202eabc"):
        assert name in groups
    withheld = page.locator("section", has=page.locator("#withheld"))
    assert withheld.locator("tbody tr").count() == 31
    assert "boss@example.com" in withheld.locator("tbody tr").last.inner_text()
    assert withheld.locator("li").all_inner_texts() == [
        "30 too many would be deactivated", "1 protected by the setting",
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "readable on a phone"
    assert (tmp_path / "plan.html").stat().st_mode & 0o777 == 0o600


def test_a_long_list_says_what_is_not_shown(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_page, "SHOWN", 10)
    page = plan_html(plan)
    more = plan.operations.height - 10
    assert f"The first 10 are shown; {more} more are in the workbook (--xlsx)" in page
    assert "The first 10 of those withheld are shown; 21 more are" in page
    assert "left29@example.com" not in page


def test_the_workbook_holds_everything_and_no_formula(plan: Plan, tmp_path: Path) -> None:
    write_plan_workbook(plan, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    assert book.sheetnames == ["Operations", "Withheld", "Groups", "Safeguards", "Findings", "Made of"]
    assert (book["Operations"].max_row, book["Withheld"].max_row) == (plan.operations.height + 1, 32)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}, "no formula"
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text.lstrip()[:1] in tuple("=+-@＝")]
    assert any(text == "department: Sales [/x]" for text in texts)
    assert (tmp_path / "plan.xlsx").stat().st_mode & 0o777 == 0o600


def test_the_terminal_names_the_first_withheld_and_counts_the_rest(plan: Plan) -> None:
    said = text_of(plan_tables(plan))
    assert "left18@example.com" in said
    assert "left19@example.com" not in said
    assert "… and 11 more; --xlsx names all of them." in said
    assert "41 seats taken now, 42 once this is done, 11 with what is withheld; the licence has 40." in said
    assert "people who end (deactivate)" in said
    assert "\\u202eabc" in said


def test_one_person_is_shown_with_old_and_new_values_and_why(plan: Plan) -> None:
    said = text_of(person_text(plan, "X-P00"))
    assert "because: lands in the group of their own value" in said
    assert ["department", "Sales", "[/x]", "=cmd|'", "/C", "calc'!A0"] in [row.split() for row in said.splitlines()]
    assert "leaves Sales [/x]; joins =cmd|' /C calc'!A0" in said
    assert "withheld: protected by the setting" in text_of(person_text(plan, "boss@example.com"))
    assert "Nothing is planned for that person" in text_of(person_text(plan, "nobody@example.com"))


def test_two_plans_in_a_terminal(plan: Plan, tmp_path: Path) -> None:
    same = text_of(compare_plans_tables(compare_plans(plan, plan)))
    assert same.split("\n")[0] == f"0 new, 0 gone, 0 changed, {plan.operations.height} operations as before."
    empty = plan_of(tmp_path, [line("a")], snapshot({"name": "a"}))
    differing = text_of(compare_plans_tables(compare_plans(empty, plan)))
    assert f"{plan.operations.height} new" in differing
    assert "ended (withheld)" in differing
    assert "more operations; --json has all of them." in differing


def test_an_empty_plan_says_so(tmp_path: Path) -> None:
    empty = plan_of(tmp_path, [line("a")], snapshot({"name": "a"}, groups={"Sales": ["id-a"]}))
    assert "Nothing is to be done: all is as it should be." in plan_html(empty)
    assert "nothing: all is as it should be" in text_of(plan_tables(empty))
    write_plan_workbook(empty, tmp_path / "empty.xlsx")
    assert openpyxl.load_workbook(tmp_path / "empty.xlsx")["Operations"].max_row == 1
    assert json.loads(json.dumps(empty.to_dict()))["groups"] == []
