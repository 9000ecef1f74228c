"""The panel of plan_and_apply without a browser: what it shows and keeps, approval, cancel, undo, what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets import widget as widget_module
from managing import Platform as Embedded
from proxying import running_peer

from scimops.client import connect
from scimops.connections import get_connection
from scimops.errors import IncompleteSourceError, SourceError, UsageError
from scimops.jobs.history import runs
from scimops.present.charts import as_png
from scimops.service_provider.directory import create_setting
from scimops.setting import Setting, save_setting
from scimops.widgets.controls import plan_facts as facts
from scimops.widgets.controls.plan_flow import SHOWN, flow_chart, flow_words
from scimops.widgets.plan_and_apply import PlanAndApplyPanel, plan_and_apply

HEAD = "externalId,userName,email,firstName,lastName,department,active\n"
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}},
     "safeguards": {"deactivate": {"number": 3}, "empty_groups": None}}
)  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)>"
Make = Callable[..., PlanAndApplyPanel]


def row(number: int, department: str = "Sales") -> str:
    name = f"person{number}@example.com"
    return f"x{number},{name},{name},Anna,Sample,{department},true\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a setting, where a person sits before a panel."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCIMOPS_PANEL", "1")
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    save_setting(SETTING, tmp_path / "setting.yaml")
    return tmp_path


def connected(place: Path, url: str) -> None:
    file = place / "config" / "connections.yaml"
    file.parent.mkdir(mode=0o700)
    file.write_text(f'format: 1\nconnections:\n  acme: {{kind: scim, url: "{url}", token: "env:SCIMOPS_PUSH"}}\n')
    file.chmod(0o600)


@pytest.fixture
def acme(place: Path, embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a connection to a service provider that places people."""
    with embedded.database.write() as writing:
        monkeypatch.setenv("SCIMOPS_PUSH", create_setting(writing, company, SETTING).token.reveal())
    connected(place, f"{embedded.url}/scim/v2")
    return place


@pytest.fixture
def make(place: Path) -> Iterator[Make]:
    made: list[PlanAndApplyPanel] = []

    def build(people: list[str] | str, connection: str = "", **more: Any) -> PlanAndApplyPanel:
        (place / "people.csv").write_text(people if isinstance(people, str) else HEAD + "".join(people))
        made.append(plan_and_apply("people.csv", "setting.yaml", connection, out="plans", **more))
        assert made[-1].wait()
        return made[-1]

    yield build
    for panel in made:
        panel.wait()
    ipywidgets.Widget.close_all()


def markup(panel: PlanAndApplyPanel) -> str:
    board = panel._shown
    return " ".join([*board.top.regions.values(), *board.screen.regions.values()])


def shown(panel: PlanAndApplyPanel) -> str:
    """All that stands on the panel's screens, tags taken away."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", markup(panel))).split())


def do(panel: PlanAndApplyPanel, action: str, **values: str) -> str:
    panel._shown.screen._on_action(action, {key: [one] for key, one in values.items()})
    assert panel.wait()
    return shown(panel)


def approve(panel: PlanAndApplyPanel, number: int | str, reason: str = "They left; the list is signed.") -> str:
    return do(panel, "approve", number=str(number), reason=reason)


def there() -> tuple[int, int]:
    """How many people the service provider has, and how many of them are active."""
    with connect(get_connection("acme")) as service_provider:
        users = service_provider.read_snapshot(SETTING).users
    return users.height, int(users["active"].fill_null(True).sum())


def test_without_a_connection_it_plans_and_cannot_apply(make: Make) -> None:
    panel = make([row(1), row(2, HOSTILE)])
    words = shown(panel)
    assert "2 to make" in words
    assert "No connection is given, so nothing can be applied." in words
    assert 'data-action="apply"' not in markup(panel)
    for view in ("groups", "flow", "withheld", "people", "findings", "receipts"):
        do(panel, "view", value=view)
        assert "<img src=x" not in markup(panel)
    assert HOSTILE in do(panel, "view", value="groups")
    assert "No connection is given" in do(panel, "apply")
    assert panel.counts == {"create": 2, "change": 0, "end": 0, "withheld": 0}
    assert panel.exit_code == 3


def test_a_person_is_found_with_values_and_the_reason_and_so_is_one_who_does_not_change(make: Make, acme: Path) -> None:
    people = [row(number) for number in range(4)]
    do(make(people, "acme"), "apply")
    panel = make([row(0, "Marketing"), *people[1:]], "acme")
    do(panel, "view", value="people")
    found = do(panel, "search", text="PERSON0@", kind="")
    assert "department: Sales → Marketing" in found
    assert "lands in the group of their own value" in found
    assert "− Sales + Marketing" in found
    same = do(panel, "search", text="x2", kind="")
    assert "1 person with whom nothing is done" in same
    assert "person2@example.com" in same
    assert "Nobody is so" in do(panel, "search", text="nobody.like.this", kind="")


def test_neither_the_widgets_nor_the_cells_keep_a_name(make: Make, acme: Path) -> None:
    people = [row(number) for number in range(10)]
    do(make(people, "acme"), "apply")
    panel = make(people[:2], "acme")
    assert "person9@example.com" in shown(panel)
    states = json.dumps([one.get_state() for one in widget_module._instances.values()], default=str)
    assert "person" not in states.replace("scimops-person", "").replace("a person", "")
    cells = panel.numbers(), panel.groups(), panel.withheld(), panel.apply(True)
    assert not [cell for cell in cells if "@example.com" in cell._repr_html_()]


def test_a_cancelled_apply_goes_on_where_it_ended(make: Make, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make([row(number) for number in range(120)], "acme")
    board, seen = panel._shown, []
    monkeypatch.setattr("scimops.widgets.controls.plan_board._OFTEN", 0.0)
    show = board.top.show

    def watch(**regions: Any) -> None:
        show(**regions)
        if "operations, " in regions.get("act", "") and not seen:
            seen.append(shown(panel))
            board.top._on_action("cancel", {})

    monkeypatch.setattr(board.top, "show", watch)
    words = do(panel, "apply")
    assert re.search(r"Applying: 1 of 120 operations, [\d,]+ a second, \d+ s left. Cancel", seen[0])
    assert "It was cancelled." in words
    first = panel.counts["done"]
    assert 0 < first < 120
    assert there()[0] == first
    assert panel.exit_code == 130
    assert "120 of 120 operations done. A fresh snapshot is as the plan says." in do(panel, "apply")
    assert there() == (120, 120)
    assert panel.exit_code == 0
    assert [one.record.command for one in runs(acme / "runs.ndjson")] == ["apply", "apply"]


def test_an_undo_is_a_plan_under_the_same_safeguards(make: Make, acme: Path) -> None:
    panel = make([row(number) for number in range(8)], "acme")
    do(panel, "apply")
    words = do(panel, "undo")
    assert "The plan that undoes what was applied" in words
    assert "people to deactivate: 8 of 8, at most 3" in words
    assert "8 operations stay withheld" in words
    assert [each[:4] for each in facts.flows(panel.plan, panel._session.snapshot)] == [
        ("Sales", facts.ENDED, "ends", True)
    ]
    assert "“7” is not the number of what can be approved. It is 8." in approve(panel, 7)
    assert "No reason was given." in approve(panel, 8, " ")
    assert there() == (8, 8)
    assert "Approved: 8 operations." in approve(panel, "8")
    assert "8 of 8 operations done." in do(panel, "apply")
    assert there() == (8, 0)
    kept = json.loads(next((acme / "plans").glob("apply-*/plan.approval.json")).read_text())
    assert (kept["digest"], kept["withheld"], kept["reason"]) == (
        panel.plan.digest,
        8,
        "They left; the list is signed.",
    )
    assert [one.record.command for one in runs(acme / "runs.ndjson")] == ["apply", "approve", "apply"]
    assert "A person approved this in the panel." in panel.withheld()._repr_html_()
    assert "0 of 8" not in shown(panel)


def test_what_goes_wrong_is_said_and_the_panel_can_be_used_on(make: Make, acme: Path) -> None:
    panel = make(HEAD, "acme")
    with pytest.raises((IncompleteSourceError, SourceError)):
        panel.numbers()
    assert "scimops-error" in markup(panel)
    (acme / "people.csv").write_text(HEAD + row(1))
    assert "1 to make" in do(panel, "again")
    (acme / "people.csv").write_text(HEAD + row(2))
    assert "The export is another one than the plan was made of. Make the plan again." in do(panel, "apply")
    (acme / "people.csv").unlink()
    assert "The export is gone. Make the plan again." in do(panel, "apply")
    assert there() == (0, 0)
    assert [one.record.exit_code for one in runs(acme / "runs.ndjson")] == [5, 5]
    assert "There is no connection" in shown(make([row(1)], "nowhere"))


def test_where_the_service_provider_places_nobody_members_are_sent(
    make: Make, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIMOPS_PUSH", "any-token-is-good-there")
    people = [row(1), row(2), row(3, "Marketing")]
    with running_peer() as url:
        connected(place, url)
        panel = make(people, "acme")
        assert panel.counts["create"] == 3
        do(panel, "apply")
        assert panel.exit_code == 0
        panel = make([row(1, "Marketing"), *people[1:]], "acme")
        assert panel.counts == {"create": 0, "change": 1, "end": 0, "withheld": 0}
        found = facts.flows(panel.plan, panel._session.snapshot)
        assert found == [facts.Flow("Sales", "Marketing", "moves", False, 1)]
        groups = " ".join(re.sub(r"<[^>]*>", " ", panel.groups()._repr_html_().partition("</style>")[2]).split())
        assert "Marketing 1 +1 · 2 · Sales 2 · −1 1 ·" in groups
        do(panel, "apply")
        assert panel.exit_code == 0


def test_the_picture_puts_small_places_together_and_the_words_say_the_same() -> None:
    flows = [facts.Flow(facts.NEW, f"Group {number:02}", "new", False, 40 - number) for number in range(20)]
    flows += [
        facts.Flow("Group 00", facts.ENDED, "ends", True, 3),
        facts.Flow("Group 01", "Group 02", "moves", False, 1),
    ]
    chart = flow_chart(flows)
    data = json.dumps(chart.to_dict())
    assert data.count('"side": 1') == SHOWN
    assert "other groups" in data
    assert as_png(chart).startswith(b"\x89PNG")
    assert flow_words(flows) == (
        "610 people created, 1 person moved, 3 people ended. The widest way: 40 people from “not there yet” to the "
        "group “Group 00”. 3 of these are withheld by a safeguard."
    )
    assert "Nobody" in flow_words([])


def test_approving_where_nothing_is_withheld_is_refused(make: Make) -> None:
    panel = make([row(1)])
    with pytest.raises(UsageError):
        panel._session.check_approval("0", "because")


def test_who_comes_back_is_said_where_the_plan_does_not_know_the_group(make: Make, acme: Path) -> None:
    people = [row(number) for number in range(6)]
    do(make(people, "acme"), "apply")
    panel = make(people[:3], "acme")
    do(panel, "apply")
    assert there() == (6, 3)
    words = do(panel, "undo")
    assert "3 to change" in words
    assert "Besides, 3 people become active again and come back to the groups they had." in words
    found = facts.flows(panel.plan, panel._session.snapshot)
    assert found == [facts.Flow(facts.RESTING, facts.HAD, "moves", False, 3)]
    do(panel, "apply")
    assert there() == (6, 6)


def test_who_is_protected_stays_whatever_is_approved(make: Make, acme: Path) -> None:
    people = [row(number) for number in range(8)]
    do(make(people, "acme"), "apply")
    guards = SETTING.safeguards.model_copy(update={"protect": ["person7@*"]})
    save_setting(SETTING.model_copy(update={"safeguards": guards}), acme / "setting.yaml")
    panel = make(people[:3], "acme")
    words = shown(panel)
    assert "1 operation cannot be approved: who is protected by the setting" in words
    assert "1 operation: protected by the setting" in words
    assert "It is 4." in approve(panel, 5)
    assert "Approved: 4 operations." in approve(panel, 4)
    do(panel, "apply")
    assert there() == (8, 4)
    assert panel.exit_code == 4
