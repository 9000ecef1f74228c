"""The panel of audit_provisioning without a browser: picture, the list, one person, what it keeps, what goes wrong."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl
import pytest
from ipywidgets.widgets import widget as widget_module

from scimops.audit.audit import audit
from scimops.audit.state import load_state, without_enrolments
from scimops.errors import IncompleteSourceError, UsageError
from scimops.present.audit_charts import chain_chart, chain_words
from scimops.present.charts import as_png
from scimops.samples.story import Story, write_story
from scimops.widgets.audit_provisioning import AuditProvisioningPanel, audit_provisioning
from scimops.widgets.controls import audit_facts as facts
from scimops.widgets.controls.audit_session import FAULTS, AuditSession, Given, files_of


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"), FAULTS)


@pytest.fixture(scope="module")
def person() -> Iterator[None]:
    """A person sits before the panels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_PANEL", "1")
        yield
    ipywidgets.Widget.close_all()


def make(*words: str, **more: str) -> AuditProvisioningPanel:
    made = audit_provisioning(*words, **more)
    assert made.wait()
    return made


@pytest.fixture(scope="module")
def opened(person: None, story: Story) -> AuditProvisioningPanel:
    return make(str(story.exports[-1]), str(story.setting), **sources(story))


@pytest.fixture
def panel(opened: AuditProvisioningPanel) -> AuditProvisioningPanel:
    """The panel as it opens."""
    do(opened, "search", text="", code="")
    do(opened, "view", value="work")
    return opened


def sources(story: Story) -> dict[str, str]:
    return {"state": str(story.state), "logs": str(story.folder / "logs"), "people": str(story.hr)}


def markup(panel: AuditProvisioningPanel) -> str:
    board = panel._shown
    return " ".join([*board.top.regions.values(), *board.screen.regions.values()])


def shown(panel: AuditProvisioningPanel) -> str:
    """All that stands on the panel's screens, tags taken away."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", markup(panel))).split())


def do(panel: AuditProvisioningPanel, action: str, **values: str) -> str:
    panel._shown.screen._on_action(action, {key: [one] for key, one in values.items()})
    assert panel.wait()
    return shown(panel)


def test_the_picture_and_the_numbers_add_up(panel: AuditProvisioningPanel) -> None:
    coverage = panel.audit.coverage
    chain = coverage.steps
    assert chain[0].on == coverage.meant
    assert chain[-1].on == coverage.counts["arrived"]
    assert sum(step.lost for step in chain) == coverage.counts["lost"] + coverage.counts["cannot_tell"]
    for before, after in pairwise(chain):
        assert (before.on or 0) - after.lost == after.on
    words = shown(panel)
    assert f"{coverage.counts['arrived']} of {coverage.meant} people arrived." in words
    assert markup(panel).count("data:image/png;base64,") == 1
    drawn = json.dumps(chain_chart(coverage).to_dict())
    assert '"loss": "1 cannot be told"' in drawn
    assert as_png(chain_chart(coverage)).startswith(b"\x89PNG")


def test_where_trainings_cannot_be_read_the_picture_says_so(story: Story) -> None:
    session = AuditSession(Given(str(story.exports[-1]), str(story.setting), **sources(story)))
    session.make()
    assert session.sources is not None
    some = audit(session.sources.preview, without_enrolments(load_state(story.state).snapshot), session.sources.logs)
    assert [step.on for step in some.coverage.steps][-2:] == [None, None]
    assert "arrived as far as could be read" in chain_words(some.coverage)
    assert json.dumps(chain_chart(some.coverage).to_dict()).count("could not be read") == 2


def test_the_list_has_everybody_of_the_findings_with_cause_and_advice(panel: AuditProvisioningPanel) -> None:
    works = facts.work(panel._session.report)
    counted: dict[str, int] = {}
    for one in works:
        counted[one.code] = counted.get(one.code, 0) + one.people.height
        assert one.where
        assert one.advice
    expected = {one.code: one.count for one in panel.audit.findings if one.code in counted}
    assert counted == expected
    assert works[0].code == "left_still_active"
    words = shown(panel)
    assert "left and has another userName or address than on the platform" in words
    assert "Deactivate them now" in words


def test_the_list_is_filtered_by_name_and_by_reason(panel: AuditProvisioningPanel, story: Story) -> None:
    refused = str(story.people["Sales 3"].hr_email)  # the list of employees is the population
    found = do(panel, "search", text=refused.upper(), code="")
    assert "1 line " in found
    assert "the e-mail domain is not authorised" in found
    assert refused in found
    assert "31 lines" in do(panel, "search", text="", code="lost_auto_enrol_off")
    assert "Nobody is so." in do(panel, "search", text="nobody.like.this", code="")
    everything = do(panel, "search", text="", code="")
    second = do(panel, "page", value="1")
    assert "51 to" in second
    assert second != everything


def test_one_persons_story(panel: AuditProvisioningPanel, story: Story) -> None:
    told = do(panel, "show", value=str(story.people["Sales 3"].hr_email))
    assert "✓ yes Has an account at the identity provider." in told
    assert "✕ no" in told
    assert "The platform has no target user who is this person." in told
    again = do(panel, "explain", person=str(story.people["Sales 1"].userName))
    assert "✓ yes Is seen in the report" in again
    nobody = do(panel, "explain", person="nobody.like.this")
    assert 'Nobody is called "nobody.like.this"' in nobody
    assert "What happened" not in nobody, "the story of somebody else does not stand below"


def test_neither_the_widgets_nor_the_cells_keep_a_name(panel: AuditProvisioningPanel, story: Story) -> None:
    name = str(story.people["Sales 3"].hr_email)
    assert name in shown(panel)
    do(panel, "show", value=name)
    states = json.dumps([one.get_state() for one in widget_module._instances.values()], default=str)
    cells = " ".join(each._repr_html_() for each in (panel.numbers(), panel.work(), panel.sides()))
    domain = name.partition("@")[2]
    assert domain not in states + cells
    assert "and its auto-enrol is off" in cells


def test_hostile_names_stay_text(person: None, story: Story, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    export = tmp_path / "people.csv"
    text = story.exports[-1].read_text(encoding="utf-8-sig")
    export.write_text(text.replace(str(story.people["Sales 1"].userName), hostile), encoding="utf-8")
    os.utime(export, (story.at.timestamp(), story.at.timestamp()))
    panel = make(str(export), str(story.setting), state=str(story.state))
    assert hostile in do(panel, "search", text="onerror", code="")
    for view in ("work", "one", "sides", "findings"):
        do(panel, "view", value=view)
        assert "<img src=x" not in markup(panel)
    do(panel, "explain", person=hostile)
    assert "<img src=x" not in markup(panel)


def test_without_an_export_an_invented_company_is_audited(person: None) -> None:
    panel = make()
    assert "An invented company" in shown(panel)
    assert panel.counts["left_still_active"] == 2
    assert panel.exit_code == 0


def test_what_is_wrong_is_said_with_what_to_do(person: None, story: Story, tmp_path: Path) -> None:
    export, setting = str(story.exports[-1]), str(story.setting)
    assert "An audit needs the platform." in shown(make(export, setting))
    assert "No export is given." in shown(make("", setting, state=str(story.state)))
    wrong = shown(make(export, setting, state=str(story.state), fail_on="eror"))
    assert 'There is no level or finding "eror". Did you mean' in wrong
    (tmp_path / "empty").mkdir()
    assert "The folder is empty." in shown(make(export, setting, state=str(story.state), logs=str(tmp_path / "empty")))
    broken = make(str(tmp_path / "none.csv"), setting, state=str(story.state))
    with pytest.raises(Exception, match=r"none\.csv"):
        _ = broken.audit


def test_the_level_that_counts_decides_the_exit_code(story: Story) -> None:
    given = {"export": str(story.exports[-1]), "setting": str(story.setting), **sources(story)}
    session = AuditSession(Given(**given))
    session.make()
    for words, code in (("", 0), ("info", 3), ("left_still_active", 3), ("lost_idp_skipped, lost_refused", 0)):
        session.given = Given(**given, fail_on=words)
        assert session.exit_code == code
    with pytest.raises(UsageError, match="no level or finding"):
        AuditSession(Given(**given, fail_on="all")).make()


def test_a_part_of_an_export_makes_no_audit(story: Story, tmp_path: Path) -> None:
    half = tmp_path / "half.json"
    one = {"id": "1", "userPrincipalName": "a@example.com", "mail": "a@example.com", "accountEnabled": True}
    half.write_text(json.dumps({"@odata.nextLink": "https://graph.example.com/next", "value": [one]}))
    with pytest.raises(IncompleteSourceError):
        AuditSession(Given(str(half), str(story.setting), state=str(story.state))).make()


def test_logs_are_named_one_by_one_or_by_their_folder(story: Story) -> None:
    folder = story.folder / "logs"
    assert files_of(str(folder)) == sorted(folder.iterdir())
    one, other = sorted(folder.iterdir())[:2]
    assert files_of(f"{one}, {other}") == [one, other]
    assert files_of("") == []


def test_the_panel_goes_on_after_a_fault(panel: AuditProvisioningPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ZeroDivisionError("somebody@example.com")

    monkeypatch.setattr(facts, "found", fails)
    words = do(panel, "search", text="a", code="")
    assert "scimops made a mistake (ZeroDivisionError)." in words
    assert "somebody@" not in words
    monkeypatch.undo()
    assert "lines" in do(panel, "search", text="", code="")


def test_from_audit_to_audit_it_says_what_is_new_and_who_arrived(person: None, story: Story, tmp_path: Path) -> None:
    export, setting, kept = str(story.exports[-1]), str(story.setting), str(tmp_path / "kept")
    state = load_state(story.state)
    early = replace(state.snapshot, read_at=(story.at - dt.timedelta(hours=20)).isoformat())
    fewer = state.enrolled.filter(pl.col("user_id") != story.people["Sales 1"].user_id)
    replace(state, snapshot=early, enrolled=fewer).save(tmp_path / "state")
    first = make(export, setting, state=str(tmp_path / "state"), keep=kept)
    assert "Nothing is kept" not in do(first, "view", value="trends")
    assert "This is the first audit that is kept here" in shown(first)
    first.files()
    second = make(export, setting, state=str(story.state), keep=kept, out=str(tmp_path / "out"))
    assert "Since the last audit, of 2026-11-24 12:00 UTC: 0 new, 1 solved" in shown(second)
    said = unescape(re.sub(r"<[^>]*>", "", second.files()._repr_html_()))
    assert "report.html, audit.xlsx, audit.json" in said
    assert (tmp_path / "out" / "report.html").stat().st_mode & 0o077 == 0
    trend = do(second, "view", value="trends")
    assert "2026-11-25 08:00 UTC, in 2 audits, 1 person was first seen to have arrived." in trend
    assert "data:image/png;base64," in str(second._shown.screen.regions["view"])


def test_what_is_accepted_is_no_work_any_more(person: None, story: Story, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.yaml"
    entry = "{person: '*', cause: auto_enrol_off, owner: Ada, reason: Later., until: 2027-01-31}"
    accepted.write_text(f"format: 1\nexceptions:\n  - {entry}\n")
    panel = make(str(story.exports[-1]), str(story.setting), state=str(story.state), exceptions=str(accepted))
    assert "findings accepted." in shown(panel)
    assert "lost_auto_enrol_off" not in [one.code for one in facts.work(panel._session.report)]
