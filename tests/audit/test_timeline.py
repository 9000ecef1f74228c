"""Over time, on the story and its six exports, and against the logs of the embedded platform."""

from __future__ import annotations

import csv
import json
from collections import Counter

import polars as pl
import pytest
from auditing import SETTING, Company

from scimops.audit.kept import kept_exports
from scimops.audit.timeline import CHANGES, between, changes_by_day, groups_over_time, settings_changed
from scimops.audit.told import Logs, read_logs
from scimops.grouping import group_key
from scimops.idp import read_export
from scimops.preview import preview_export
from scimops.samples.story import Story, write_story
from scimops.setting import load_setting


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"))


def test_changes_a_day_add_up_to_the_lines_of_the_logs(story: Story) -> None:
    logs, _ = read_logs(story.logs)
    assert logs.path is not None
    daily = changes_by_day(logs)
    events = pl.read_parquet(logs.path)
    assert daily["lines"].sum() == events.height
    days = Counter(at[:10] for at in events["at"])
    assert dict(daily.group_by("day").agg(pl.col("lines").sum()).iter_rows()) == days
    assert daily.filter(source="entra", operation="create", outcome="success")["lines"].sum() > 500
    assert changes_by_day(Logs()).schema == daily.schema


def test_groups_over_time_are_the_groups_of_each_export(story: Story) -> None:
    exports, setting = kept_exports(story.exports[0].parent), load_setting(story.setting)
    sizes = groups_over_time(preview_export(one.read(), setting, folder=story.folder) for one in exports)
    assert sizes["at"].unique().sort().to_list() == [f"{path.stem}T07:45:00.000Z" for path in story.exports]
    for path in story.exports:
        preview = preview_export(read_export(path), setting, folder=story.folder)
        of_day = sizes.filter(file=path.name)
        assert of_day["members"].sum() == sum(group.members for group in preview.groups)
        assert of_day["group_key"].to_list() == sorted(set(sizes["group_key"]))
    assert sizes.sort("at")["at"].to_list() == sizes["at"].to_list()


def test_a_group_nobody_is_in_any_more_ends_at_nought(story: Story) -> None:
    last = story.exports[-1]
    with last.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    other = story.folder / "2026-11-26.csv"
    with other.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        sold = [row for row in rows if group_key(row["department"]) == group_key("Sales")]
        writer.writerows(row | ({"department": "Selling"} if row in sold else {}) for row in rows)
    setting = load_setting(story.setting)
    previews = [preview_export(read_export(path), setting, folder=story.folder) for path in (last, other)]
    sizes = groups_over_time(previews)
    sales = sizes.filter(group_key=group_key("Sales"))["members"].to_list()
    assert sales[0] == sizes.filter(group_key=group_key("Selling"))["members"].to_list()[1] > 0
    assert sales[1] == 0


def test_what_changed_of_settings_and_tokens(acme: Company) -> None:
    admin = acme.embedded.client(acme.company_id)
    setting_id = next(row["resourceId"] for row in acme.platform.settings())
    secret = acme.platform.rotate_token(setting_id, name="second").reveal()
    token = next(one for one in acme.platform.tokens(setting_id) if one["name"] == "second")
    acme.platform.revoke_token(setting_id, str(token["id"]))
    acme.platform.rename(setting_id, "Acme renamed")
    acme.arrives("ada")
    path = acme.folder / "audit.json"
    path.write_text(json.dumps({"results": list(acme.platform.audit_log())}))
    logs, _ = read_logs([path])
    changed = settings_changed(logs)
    # the setting itself was made without the management API
    assert changed["operation"].to_list() == ["create_token", "revoke_token", "change_setting"]
    assert changed["at"].is_sorted()
    assert changed["actor"].null_count() == 0
    assert "Acme renamed" in changed["changes"][2]
    assert secret not in str(changed.to_dicts())
    assert admin.headers["Authorization"] not in str(changed.to_dicts())
    assert settings_changed(Logs()).columns == changed.columns


def test_today_against_yesterday(acme: Company) -> None:
    for name in ("stays", "moves", "leaves", "stops", "starts"):
        acme.arrives(name)
    acme.people["starts"] = acme.people["starts"].replace(",true,", ",false,")
    yesterday = acme.preview()
    kept = acme.folder / "yesterday.csv"
    (acme.folder / "people.csv").rename(kept)
    yesterday = preview_export(read_export(kept), SETTING)
    del acme.people["leaves"]
    acme.people["moves"] = acme.people["moves"].replace("Sales", "Legal")
    acme.people["stops"] = acme.people["stops"].replace(",true,", ",false,")
    acme.people["starts"] = acme.people["starts"].replace(",false,", ",true,")
    acme.arrives("comes")
    found = between(yesterday, acme.preview())
    by_change = {change: name.partition("@")[0] for change, name in found.people.select("change", "userName").rows()}
    assert by_change == {
        "left": "leaves", "came": "comes", "switched_off": "stops", "switched_on": "starts", "moved": "moves",
    }  # fmt: skip
    assert found.counts == dict.fromkeys(CHANGES, 1) | {"cannot_tell": 0, "other": 0, "unchanged": 1}
