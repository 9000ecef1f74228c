"""The panel without a browser: what it shows, what it keeps, what it does with what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import ipywidgets
import pytest
from ipywidgets.widgets import widget as widget_module

from scimops.errors import UsageError
from scimops.idp import read_export
from scimops.preview import preview_export
from scimops.samples import EXISTING_GROUPS, SETTING, write_sample
from scimops.setting import load_setting, quick_setting
from scimops.widgets.preview_groups import PreviewGroupsPanel, preview_groups


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_sample(tmp_path / "exportUsers.csv", "entra_download_users")
    (tmp_path / "setting.yaml").write_text(SETTING, encoding="utf-8")
    (tmp_path / "existing_groups.csv").write_text(EXISTING_GROUPS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCIMOPS_PANEL", "1")
    return tmp_path


Make = Callable[..., PreviewGroupsPanel]


@pytest.fixture
def make(home: Path) -> Iterator[Make]:
    made: list[PreviewGroupsPanel] = []

    def build(*given: Any, **named: Any) -> PreviewGroupsPanel:
        made.append(preview_groups(*given, **named))
        assert made[-1].wait()
        return made[-1]

    yield build
    for panel in made:
        panel.wait()
        ipywidgets.Widget.close_all()


def every_widget() -> list[Any]:
    """All widgets of this process, whose state JupyterLab would save."""
    return list(widget_module._instances.values())


def shown(panel: PreviewGroupsPanel) -> str:
    """All that stands on the panel's screens, tags taken away."""
    board = panel._shown
    regions = [*board.top.regions.values(), *board.results.screen.regions.values(), *board.foot.regions.values()]
    return unescape(re.sub(r"<[^>]*>", " ", " ".join(regions)))


def look_at(panel: PreviewGroupsPanel, view: str, **values: str) -> str:
    panel._shown.results._action("view", {"value": [view]})
    if values:
        panel._shown.results._action("explain" if view == "explain" else "search", {k: [v] for k, v in values.items()})
    assert panel.wait()
    return str(panel._shown.results.screen.regions["view"])


def test_it_shows_what_preview_export_gives(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml", existing="existing_groups.csv")
    export = read_export("exportUsers.csv")
    from scimops.preview import read_existing_groups

    known = read_existing_groups("existing_groups.csv")
    preview = preview_export(export, load_setting("setting.yaml"), existing=known)
    assert panel.preview is not None
    assert panel.preview.numbers == preview.numbers
    assert panel.preview.reasons == preview.reasons
    words = shown(panel)
    for number in (preview.numbers.will_arrive, preview.numbers.to_fix, preview.rows):
        assert f"{number:,}" in words
    assert preview.findings[0].message in words
    assert "Nothing left this computer." in words
    for group in preview.groups:
        if group.name.isalpha():
            assert group.name in words


def test_a_change_is_shown_compared_and_undone(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    board, before = panel._shown, panel.preview
    board.form.criterion.value = "column:city"
    panel.wait()
    assert panel.preview is not None
    assert before is not None
    expected = preview_export(read_export("exportUsers.csv"), quick_setting("city", "Everyone"))
    # The sample's setting has aliases, which lead no city anywhere.
    assert [(g.name, g.members) for g in panel.preview.groups] == [(g.name, g.members) for g in expected.groups]
    assert "people" in shown(panel)
    assert "Who moves" in look_at(panel, "changes")
    board.undo_button.click()
    panel.wait()
    assert panel.preview.numbers == before.numbers
    assert board.form.criterion.value == "field:department"
    assert board.undo_button.disabled


def test_typing_is_one_change(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    for word in ("E", "Ev", "Everybody"):
        panel._shown.form.target_group.value = word
        panel.wait()
    assert "Everybody" in [group.name for group in panel.preview.groups]  # type: ignore[union-attr]
    panel._shown.undo_button.click()
    panel.wait()
    assert panel._shown.form.target_group.value == "Everyone"
    assert panel._shown.undo_button.disabled


def test_scope_domains_and_seats_are_the_settings(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    form = panel._shown.form
    assert set(form.types) == {"Member", "Guest"}
    form.types["Member"].value = True
    form.active_only.value = True
    form.allowed_domains.value = "example.com"
    form.seats.value = "10"
    panel.wait()
    preview = panel.preview
    assert preview is not None
    assert preview.setting.scope.user_types == ["Member"]
    assert preview.setting.scope.active_only
    assert preview.reasons["out_of_scope"] > 0
    codes = {finding.code for finding in preview.findings}
    assert {"domain_not_allowed", "seats_exceeded"} <= codes
    assert "too few" in shown(panel)


def test_what_goes_wrong_is_a_message_and_the_panel_goes_on(make: Make) -> None:
    panel = make("nowhere.csv", "setting.yaml")
    assert "there is no such file" in shown(panel)
    with pytest.raises(UsageError, match="No export was read"):
        _ = panel.files
    board = panel._shown
    board.path.value = "exportUsers.csv"
    panel.wait()
    assert "will arrive" in shown(panel)
    board.form.seats.value = "some"
    panel.wait()
    assert "is no number of seats" in shown(panel)
    assert panel.preview is not None
    board.undo_button.click()
    panel.wait()
    assert "is no number of seats" not in shown(panel)
    assert board.form.seats.value == "250"


def test_without_a_file_it_asks_for_one_and_has_a_sample(make: Make) -> None:
    panel = make()
    assert "Drop an export" in shown(panel)
    assert panel.preview is None
    panel._shown.sample_button.click()
    panel.wait()
    assert panel.preview is not None
    assert panel.preview.rows == 200
    assert load_setting(panel.setting_path).grouping_field == "department"


def test_a_fault_of_our_own_is_no_traceback(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    monkeypatch.setattr("scimops.widgets.controls.board.numbers", lambda _: 1 / 0)
    panel._shown.form.criterion.value = "none"
    panel.wait()
    assert "scimops made a mistake (ZeroDivisionError" in shown(panel)


def test_a_setting_that_does_not_fit_the_file_can_be_left(make: Make, home: Path) -> None:
    (home / "other.yaml").write_text("format: 1\nname: Other\ncolumns: {Team: Team name}\n", encoding="utf-8")
    panel = make("exportUsers.csv", "other.yaml")
    assert 'has no column "Team name"' in shown(panel)
    assert panel.preview is None
    panel._shown._action("fresh", {})
    panel.wait()
    assert panel.preview is not None
    assert panel.preview.setting.grouping_field == "department"


def test_ticked_groups_are_merged(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    panel._shown.results._action("merge", {"group": ["engineering", "enginering"], "into": [""]})
    panel.wait()
    assert "Enginering = Engineering" in panel._shown.form.aliases.value
    assert "enginering" not in {group.group_key for group in panel.preview.groups}  # type: ignore[union-attr]
    panel._shown.results._action("merge", {"into": ["X"]})
    panel.wait()
    assert "No group is ticked" in shown(panel)


def test_save_keeps_comments_and_the_next_cells_read_it(make: Make, home: Path) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    board = panel._shown
    assert panel.setting_path == "setting.yaml"
    board.setting_path.value = "mine/setting.yaml"
    board.form.criterion.value = "column:city"
    board.save_button.click()
    panel.wait()
    assert "Saved as" in shown(panel)
    assert panel.setting_path == str(Path("mine/setting.yaml"))
    text = Path(panel.setting_path).read_text(encoding="utf-8")
    assert "# Seats of the licence." in text
    assert preview_export(read_export(*panel.files), load_setting(panel.setting_path)).numbers == panel.preview.numbers  # type: ignore[union-attr]
    assert (home / "setting.yaml").read_text(encoding="utf-8") == SETTING
    board.form.criterion.value = "none"
    panel.wait()
    assert "Not saved yet" in shown(panel)


def test_the_samples_own_setting_is_not_saved_over(make: Make, home: Path) -> None:
    (home / "sample_data").mkdir()
    (home / "sample_data" / "setting.yaml").write_text(SETTING, encoding="utf-8")
    assert make("exportUsers.csv", "sample_data/setting.yaml")._shown.setting_path.value == "my_setting.yaml"
    assert make("exportUsers.csv", "setting.yaml")._shown.setting_path.value == "setting.yaml"
    assert make("exportUsers.csv", "setting.yaml", "out")._shown.setting_path.value == str(Path("out/setting.yaml"))


def test_the_files_are_written_and_packed(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml", "results")
    Path("results").mkdir()
    Path("results/private.txt").write_text("not ours")
    panel._shown.write_button.click()
    panel.wait()
    assert "assignments.csv" in shown(panel)
    with ZipFile(panel._shown._packed) as archive:
        names = archive.namelist()
    assert "assignments.csv" in names
    assert "private.txt" not in names


def test_nothing_about_people_is_in_any_widgets_state(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    for view in ("people", "findings", "changes"):
        look_at(panel, view)
    look_at(panel, "explain", person="3")
    frame = panel.preview.assignments  # type: ignore[union-attr]
    state = json.dumps([widget.get_state() for widget in every_widget()], default=repr)
    addresses = [one for name in ("email", "userName") for one in frame[name].drop_nulls().to_list() if "@" in one]
    assert len(addresses) > 300
    assert not [address for address in addresses if address in state]
    assert not [name for name in frame["lastName"].drop_nulls().to_list() if len(name) > 5 and f'"{name}"' in state]


def test_nasty_values_are_text_everywhere(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    seen = ""
    for view in ("groups", "reasons", "findings", "people", "changes"):
        seen += look_at(panel, view)
    for words in ("onerror", "calc", "Sales [", "\x1b"):
        seen += look_at(panel, "people", text=words)
    assert "<img" not in seen
    assert "&lt;img onerror=alert(1) src=x&gt;" in seen
    assert "Sales [/x]" in seen
    assert "\x1b" not in seen
    assert "␛" in seen
    assert "<img" not in "".join(widget.value for widget in every_widget() if isinstance(widget, ipywidgets.HTML))


def test_people_are_found_and_counted(make: Make) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    assert "1 to 50 of 200 people" in look_at(panel, "people")
    found = look_at(panel, "people", text="ENGINEERING", reason="alias")
    count = panel.preview.reasons["alias"]  # type: ignore[union-attr]
    assert f"{count} people (200 in the file)" in found
    assert "Nobody is so." in look_at(panel, "people", text="no such person", reason="")
    assert "This person" in look_at(panel, "explain", person="3")
    assert "Nobody in this export is" in look_at(panel, "explain", person="nobody@example.com")


def test_a_dropped_file_is_read_and_the_one_before_removed(make: Make, home: Path) -> None:
    panel = make("exportUsers.csv", "setting.yaml")
    zone, paths = panel._shown.drop_zone, []
    for number, shape in enumerate(("entra_download_users", "okta_users_api")):
        content = write_sample(home / "x" / f"{number}.data", shape).read_bytes()
        for kind, more in (
            ("start", {"size": len(content)}),
            ("file", {"name": f"{number}.data", "size": len(content)}),
            ("chunk", {"offset": 0}),
            ("end", {}),
        ):
            buffers = [memoryview(content)] if kind == "chunk" else []
            zone._answer(zone, {"kind": kind, "upload": str(number), "number": 1, **more}, buffers)
        panel.wait()
        paths.append(Path(panel.files[0]))
        assert paths[-1].read_bytes() == content
    assert panel.preview.export.idp == "okta"  # type: ignore[union-attr]
    assert not paths[0].exists()


def test_in_a_job_there_is_no_widget_but_a_summary(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCIMOPS_PANEL", "0")
    panel = preview_groups("exportUsers.csv", "setting.yaml")
    assert panel.widget is None
    assert panel.files == ["exportUsers.csv"]
    assert panel.setting_path == "setting.yaml"
    plain, html = panel._summary()
    assert "will arrive" in plain
    assert "= 200 records" in html
    assert "<button" not in html
    plainly = preview_groups("exportUsers.csv")
    assert load_setting(plainly.setting_path).grouping_field == "department"


def test_guessed_columns_are_kept_in_the_saved_setting(make: Make, home: Path) -> None:
    Path("staff.csv").write_text(
        "Mail,Dept,Enabled\na@example.com,Sales,yes\nb@example.com,Legal,yes\n", encoding="utf-8"
    )
    panel = make("staff.csv", None)
    panel._shown.setting_path.value = "staff.yaml"
    panel._shown.save_button.click()
    panel.wait()
    columns = load_setting("staff.yaml").columns
    assert {name: columns[name] for name in ("email", "department")} == {"email": "Mail", "department": "Dept"}
    kept = preview_export(read_export(*panel.files), load_setting(panel.setting_path))
    assert kept.numbers == panel.preview.numbers  # type: ignore[union-attr]
