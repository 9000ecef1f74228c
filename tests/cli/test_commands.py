"""The commands as a user runs them: real processes, real files; `--json` is held to its schema."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from scimops.schemas import names, read_schema

SAMPLES = Path(__file__).parents[2] / "sample_data"
ENTRA = SAMPLES / "entra" / "exportUsers.csv"
SETTING = SAMPLES / "setting.yaml"


def scimops(*words: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "scimops", *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)


def document(*words: object) -> dict:
    done = scimops(*words)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_read_json_follows_its_schema():
    read = document("read", ENTRA, "--json")
    jsonschema.validate(read, read_schema("read"))
    assert read["shape"] == "entra_download_users"
    assert "userPrincipalName" in read["recognised_by"]


def test_ndjson_users_and_rejected_rows_are_all_rows():
    read = document("read", ENTRA, "--json")
    lines = scimops("read", ENTRA, "--ndjson").stdout.splitlines()
    users = [json.loads(line) for line in lines]
    validator = jsonschema.Draft202012Validator(read_schema("users"))
    for user in users:
        validator.validate(user)
    rows = [user["row"] for user in users] + [row["row"] for row in read["rejected"]]
    assert sorted(rows) == list(range(1, read["rows"] + 1))


def test_preview_json_follows_its_schema_and_adds_up():
    preview = document("preview", ENTRA, "--setting", SETTING, "--json")
    jsonschema.validate(preview, read_schema("preview"))
    assert sum(preview["reasons"].values()) == preview["rows"]
    assert sum(group["members"] for group in preview["groups"]) > 0
    assert preview["setting"]["name"] == "Acme Entra"


def test_existing_groups_decide_names():
    preview = document(
        "preview", ENTRA, "--setting", SETTING, "--existing-groups", SAMPLES / "existing_groups.csv", "--json"
    )
    assert preview["existing_groups"] == {"known": True, "source": "existing_groups.csv"}
    assert any(group["exists"] for group in preview["groups"])
    assert not any(finding["code"] == "existing_groups_unknown" for finding in preview["findings"])


def test_preview_for_people_shows_four_numbers_and_no_codes():
    text = scimops("preview", ENTRA, "--group-by", "department", "--target-group", "Everyone").stdout.decode()
    assert "Nothing left this computer" in text
    assert "fallback_blank" not in text
    assert "rejected_no_email" not in text


def test_explain_one_person():
    preview = document("preview", ENTRA, "--setting", SETTING, "--explain", "1", "--json")
    jsonschema.validate(preview, read_schema("explain"))
    assert preview[0]["row"] == 1


def test_compare_two_criteria_on_one_export():
    comparison = document(
        "compare", ENTRA, "--group-by", "department", "--group-by", "none", "--target-group", "Everyone", "--json"
    )
    jsonschema.validate(comparison, read_schema("compare"))
    assert comparison["changed"] == len(comparison["people"]) > 0


def test_out_writes_a_folder(tmp_path):
    done = scimops("preview", ENTRA, "--setting", SETTING, "--out", tmp_path / "out")
    assert done.returncode == 0
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"summary.html", "preview.xlsx", "assignments.parquet", "fix.csv", "preview.json"} <= written


def test_exit_code_three_only_where_asked_for(tmp_path):
    assert scimops("preview", ENTRA, "--setting", SETTING, "--json").returncode == 0
    assert scimops("preview", ENTRA, "--setting", SETTING, "--json", "--exit-code").returncode == 3


def test_standard_input_and_gzip(tmp_path):
    packed = tmp_path / "users.csv.gz"
    packed.write_bytes(gzip.compress(ENTRA.read_bytes()))
    whole = document("read", ENTRA, "--json")
    piped = json.loads(scimops("read", "-", "--json", stdin=ENTRA.read_bytes()).stdout)
    assert document("read", packed, "--json")["rows"] == whole["rows"] == piped["rows"]
    assert piped["files"] == ["standard input"]


def test_incomplete_export_is_exit_code_five_and_marked_when_looked_at(tmp_path):
    page = tmp_path / "page.json"
    user = {"username": "a", "email": "a@example.com", "employeeIdentifier": "1", "enable_managed_uid": False}
    page.write_text(json.dumps({"totalCount": 250, "results": [user]}))
    refused = scimops("preview", page)
    assert refused.returncode == 5
    assert "250 users in all and holds 1" in refused.stderr.decode()
    looked = scimops("preview", page, "--allow-incomplete", "--group-by", "department", "--json")
    assert looked.returncode == 0
    assert b"INCOMPLETE" in looked.stderr
    assert json.loads(looked.stdout)["findings"][0]["code"] == "incomplete_source"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["read", "no-such-file.csv"], 1, "no such file"),
        (["read", str(SAMPLES)], 1, "a folder"),
        (["preview", str(ENTRA), "--shape", "entra_downlod_users"], 2, 'Did you mean "entra_download_users"?'),
        (["preview", str(ENTRA), "--group-by", "departmnt"], 2, 'Did you mean "department"?'),
        (["preview", str(ENTRA), "--channel", "ipd"], 2, 'Did you mean "idp"?'),
        (["preview", str(ENTRA), "--backend", "sparks"], 2, "is no backend"),
        (["preview", str(ENTRA), "--encoding", "utf8x"], 2, "Allowed: utf-8"),
        (["preview", str(ENTRA), "--explain", "nobody@example.com"], 2, "Nobody in this export"),
        (["preview", str(ENTRA), "--setting", "none.yaml"], 2, "no such file"),
        (["preview", str(ENTRA), "--setting", str(SETTING), "--group-by", "x"], 2, "one or the other"),
        (["compare", str(ENTRA)], 2, "two settings"),
        (["schema", "previw"], 2, 'Did you mean "preview"?'),
        (["guide", "entar", "--how-to-export"], 2, 'Did you mean "entra"?'),
        (["guide", "entar", "--setting", str(SETTING)], 2, 'Did you mean "entra"?'),
        (["guide", "entra"], 2, "--how-to-export how to get the export"),
        (["guide", "entra", "--setting", str(SETTING), "--url", "x"], 2, "no web address"),
        (["guide", "entra", "--setting", str(SETTING), "--html", "no/such/folder.html"], 2, "cannot be written"),
        (["samples", "x.csv", "--shape", "okta_consol"], 2, 'Did you mean "okta_console"?'),
        (["run", "none.ipynb"], 2, "no such notebook"),
    ],
)
def test_every_error_is_one_message_that_helps(words, code, said):
    done = scimops(*words)
    text = done.stderr.decode()
    assert done.returncode == code, text
    assert said in text
    assert "Traceback" not in text
    assert done.stdout == b""


@pytest.mark.parametrize("name", ["", "demo", "lab", "samples", "schema", "guide", "read", "preview", "compare", "run"])
def test_help_of_every_command(name):
    done = scimops(*([name] if name else []), "--help")
    assert done.returncode == 0
    assert b"Usage" in done.stdout


def test_guide_prints_and_writes(tmp_path):
    guide = ("guide", "onelogin", "--setting", SETTING, "--url", "https://scim.example.com/scim")
    text = scimops(*guide, "--export", ENTRA).stdout.decode()
    assert "https://scim.example.com/scim" in text
    assert "People with a value" in text
    assert scimops(*guide, "--out", tmp_path / "o", "--html", tmp_path / "page.html").returncode == 0
    template = json.loads((tmp_path / "o" / "onelogin_scim_template.json").read_text())
    assert template["addresses"] == [{"type": "work", "country": "{$user.country}"}]
    assert (tmp_path / "page.html").read_text() == (tmp_path / "o" / "guide_onelogin.html").read_text()
    assert b"Get-MgUser" in scimops("guide", "entra", "--how-to-export").stdout


def test_schema_lists_and_prints():
    assert scimops("schema").stdout.decode().split() == names()
    assert json.loads(scimops("schema", "setting").stdout)["title"] == "Setting"


def test_schema_files_are_those_of_the_code():
    from scimops.schemas.__main__ import schemas

    assert {name: read_schema(name) for name in names()} == schemas()


def test_samples_by_seed_are_the_same(tmp_path):
    for name in ("a.csv", "b.csv"):
        assert (
            scimops("samples", tmp_path / name, "--shape", "okta_console", "--people", 50, "--seed", 7).returncode == 0
        )
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_committed_sample_data_is_what_samples_writes(tmp_path):
    assert scimops("samples", tmp_path / "s", "--shape", "all").returncode == 0
    made = {
        path.relative_to(tmp_path / "s"): path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()
    }
    kept = {path.relative_to(SAMPLES): path.read_bytes() for path in SAMPLES.rglob("*") if path.is_file()}
    assert made == kept


def test_reader_that_leaves_early_is_no_error():
    command = f'"{sys.executable}" -m scimops read "{ENTRA}" --ndjson | head -1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_markup_and_escapes_are_text_in_the_terminal(tmp_path):
    export = tmp_path / "x.csv"
    export.write_text(
        "userPrincipalName,mail,department,accountEnabled,givenName\n"
        'a@example.com,a@example.com,"Sales [/x]",True,A\n'
        "b@example.com,b@example.com,<img onerror=alert(1)>,True,B\n"
        "c@example.com,c@example.com,Sales,True,\x1b[31mC\n"
    )
    text = scimops("preview", export, "--group-by", "department").stdout.decode()
    assert "Sales [/x]" in text
    assert "<img onerror=alert(1)>" in text
    assert "\x1b[31mC" not in text
