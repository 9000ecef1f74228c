"""Corrections: what is proposed for whom, what is not, and the line that tries them out."""

from __future__ import annotations

import csv
import io

import pytest

from scimops.idp import read_export
from scimops.present.files import write_preview
from scimops.present.fix import COLUMNS, fix_frame, how_to_apply
from scimops.present.fix_tools import tool_lines
from scimops.preview import preview_export
from scimops.samples import write_sample
from scimops.setting import quick_setting

FREQUENT = 'one group written in 3 ways; "Sales" is the most frequent (3 of 5)'
SLIP = 'looks like a slip of "Engineering" (2 people); leave it as it is where it is meant'
BLANK = 'has no department and lands in the target group "Everyone"; a person must fill it in'


def fixes(preview):
    return [
        tuple(row) for row in fix_frame(preview).select("object_id", "value_now", "proposed_value", "why").iter_rows()
    ]


def people(*departments):
    return [{"department": department} for department in departments]


def test_spellings_slips_and_blanks(look):
    preview = look(people("Sales", "SALES", "sales ", "Sales", "Sales", "Engineering", "Engineering", "Enginering", ""))
    assert fix_frame(preview).columns == list(COLUMNS)
    assert fixes(preview) == [
        ("id-1", "SALES", "Sales", FREQUENT),
        ("id-2", "sales ", "Sales", FREQUENT),
        ("id-7", "Enginering", "Engineering", SLIP),
        ("id-8", None, None, BLANK),
    ]
    assert set(fix_frame(preview)["attribute"]) == {"department"}
    assert fix_frame(preview)["userName"].to_list()[0] == "u1@example.com"


def test_the_first_met_wins_a_tie_and_is_trimmed(look):
    assert [row[1:3] for row in fixes(look(people(" sales", "SALES")))] == [(" sales", "sales"), ("SALES", "sales")]


def test_only_people_who_arrive(look):
    rows = people("Sales", "Sales", "SALES", "sales", "")
    rows[2] |= {"accountEnabled": "False"}
    rows[3] |= {"mail": "none"}
    rows[4] |= {"accountEnabled": "False"}
    assert fixes(look(rows, group_settings={"inactive": "keep_group"})) == []


def test_aliases_are_meant(look):
    preview = look(
        people("R&D", "Research", "Engineering"),
        group_settings={"aliases": {"R&D": "Engineering", "Research": "Engineering"}},
    )
    assert fixes(preview) == []


def test_what_a_spreadsheet_would_run_is_not_proposed(look, tmp_path):
    preview = look(people("=Sales", "=Sales", "=SALES"))
    ((who, now, proposed, why),) = fixes(preview)
    assert (who, now, proposed) == ("id-2", "=SALES", None)
    assert why.endswith("; a spreadsheet would run the proposal, so correct it by hand")
    write_preview(preview, tmp_path / "out")
    text = (tmp_path / "out" / "fix.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["value_now"], row["proposed_value"]) == ("'=SALES", "")
    assert "1 row, 0 of them" in (tmp_path / "out" / "fix-how-to.txt").read_text(encoding="utf-8")


def test_a_person_whose_key_no_file_can_carry(look):
    rows = people("Sales", "Sales", "SALES", "sales")
    rows[2]["objectId"] = "=1"
    rows[3]["objectId"] = ""
    found = fixes(look(rows))
    assert [row[:3] for row in found] == [("=1", "SALES", None), (None, "sales", None)]
    assert all("there is no object_id that a file can carry safely" in row[3] for row in found)


def test_nothing_to_correct(look):
    assert "every value is there" in how_to_apply(look(people("Sales")))
    none = look(people("Sales"), group_settings={"criterion": None})
    assert (fix_frame(none).height, "no criterion" in how_to_apply(none)) == (0, True)
    groups = preview_export(none.export, quick_setting("idp-groups", "Everyone"))
    assert (fix_frame(groups).height, "own" in how_to_apply(groups)) == (0, True)


def test_the_object_id_is_the_identity_providers_own(look):
    preview = look(people("Sales", "Sales", "SALES"), identity={"externalId": "mail"})
    assert preview.people["externalId"][0] == "u0@example.com"
    assert fixes(preview)[0][0] == "id-2"


def test_entra_is_tried_out_with_what_if(look):
    text = how_to_apply(look(people("Sales", "Sales", "SALES")))
    assert (
        "Import-Csv fix.csv | Where-Object { $_.proposed_value } | ForEach-Object "
        "{ Update-MgUser -UserId $_.object_id -Department $_.proposed_value -WhatIf }"
    ) in text
    assert "scimops never makes these corrections." in text


@pytest.mark.parametrize(
    ("shape", "holds"),
    [
        ("entra_get_mguser", ["-UserId $_.object_id -Department $_.proposed_value -WhatIf"]),
        ("m365_admin_users", ["-Department $_.proposed_value -WhatIf"]),
        ("okta_users_api", ["Okta's API has no preview", "/api/v1/users/", "$($_.profile.department)"]),
        ("onelogin_users_api", ["OneLogin's API has no preview", "/api/2/users/", "$($_.department)"]),
        ("onelogin_csv", ["finds people by an id that this export lacks"]),
        ("jumpcloud_csv", ["Set-JCUser", "no -WhatIf", "Get-JCUser -username"]),
        ("google_workspace_download", ["gam csvtest fix.csv", 'skipfield proposed_value "^$"', '"~userName"']),
        ("scim_users", ["No tool of this source is known here. Correct department"]),
    ],
)
def test_each_identity_providers_tool(shape, holds, tmp_path):
    preview = preview_export(
        read_export(write_sample(tmp_path / "users.data", shape)), quick_setting("department", "Everyone")
    )
    text = how_to_apply(preview)
    for part in holds:
        assert part in text
    for change in ("Set-JCUser -", "-Method", "gam csv ", "gam update"):
        assert change not in text.replace('gam update user "~', "")
    if "Update-MgUser" in text:
        assert text.count("Update-MgUser") == text.count("-WhatIf }")


def test_a_column_never_becomes_part_of_a_command():
    for idp in ("entra", "okta", "onelogin", "jumpcloud", "google_workspace", "scim", "generic"):
        column = "x; Remove-Item -Recurse C:\\ #$(calc)"
        commands = [line for line in tool_lines(idp, column, "object_id") if line.startswith("    ")]
        assert not [line for line in commands if "Remove-Item" in line or "calc" in line]
