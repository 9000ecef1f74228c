"""Synthetic people: the same bytes everywhere, recognised by the readers, at reserved domains, nasty as promised."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from scimops import samples
from scimops.errors import UsageError
from scimops.idp import SHAPES, read_export
from scimops.samples import CASES, SAMPLE_PASSWORD, SHAPE_FORMATS, synthetic_people, write_all, write_sample
from scimops.samples.documents import JSON_FORMATS
from scimops.samples.nasty import ESCAPE, LONG, TOO_LONG
from scimops.samples.tables import CSV_FORMATS

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
ALL_SHAPES = sorted(SHAPE_FORMATS)
CSV_SHAPES, JSON_SHAPES = sorted(CSV_FORMATS), sorted(JSON_FORMATS)
STREETLESS = {"generic", "okta_console", "onelogin_csv", "rehearsal"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("samples")
    write_all(where)
    return where


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


# The same bytes


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_same_arguments_same_bytes(shape: str, tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a", shape, people=60, seed=3).read_bytes()
    assert write_sample(tmp_path / "deep" / "b", shape, people=60, seed=3).read_bytes() == first
    assert write_sample(tmp_path / "c", shape, people=60, seed=4).read_bytes() != first


def test_sample_data_is_what_write_all_writes(folder: Path) -> None:
    written = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    kept = {path.relative_to(SAMPLE_DATA): path.read_bytes() for path in SAMPLE_DATA.rglob("*") if path.is_file()}
    assert sorted(written) == sorted(kept)
    assert [name for name in written if written[name] != kept[name]] == []
    assert len(written) == len(SHAPE_FORMATS) + 2


def test_a_big_file_is_the_same_on_every_python(tmp_path: Path) -> None:
    """Benchmarks are compared between machines, so this digest changes only on purpose."""
    digest = hashlib.sha256()
    for shape in ("entra_download_users", "scim_users"):
        digest.update(write_sample(tmp_path / shape, shape, people=12_000, seed=9, nasty=False).read_bytes())
    assert digest.hexdigest() == "63b9438f35240ce080950440afbf5df0972007ce2e46920fa503d475a291c3d3"


def test_the_same_people_stand_in_every_shape(folder: Path) -> None:
    people = list(synthetic_people(200))
    for shape in ("entra_graph_users", "okta_users_api", "scim_users"):
        users = read_export(folder / SHAPE_FORMATS[shape]).users()
        assert users["userName"].to_list() == [person.user_name or None for person in people]
        assert users["active"].to_list() == [person.active for person in people]
        assert users["department"].to_list() == [
            person.department if person.department.strip() else None for person in people
        ]


# Recognised and accounted for


def test_every_shape_has_a_sample() -> None:
    assert set(SHAPE_FORMATS) == {*SHAPES, "generic"} == {*CSV_FORMATS, *JSON_FORMATS}
    assert not set(CSV_FORMATS) & set(JSON_FORMATS)
    assert len(set(SHAPE_FORMATS.values())) == len(SHAPE_FORMATS)


@pytest.mark.parametrize("nasty", [True, False])
@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_each_sample_is_recognised_and_every_row_accounted_for(shape: str, nasty: bool, tmp_path: Path) -> None:
    export = read_export(write_sample(tmp_path / "sample", shape, people=200, nasty=nasty), allow_incomplete=False)
    assert export.shape.name == shape
    assert export.complete
    assert export.rows == 200 == export.users().height + len(export.rejected)
    assert len(export.rejected) == (2 if nasty and shape in CSV_FORMATS else 0)
    assert {"userName", "email", "firstName", "lastName", "department"} <= set(export.columns)
    assert {"externalId", "phone"} & set(export.columns) or shape == "generic"


@pytest.mark.parametrize("people", [1, 2, 34, 35, 36, 71, 500])
@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_any_number_of_people(shape: str, people: int, tmp_path: Path) -> None:
    export = read_export(write_sample(tmp_path / "sample", shape, people=people))
    assert (export.shape.name, export.rows) == (shape, people)
    assert export.users().height + len(export.rejected) == people


@pytest.mark.parametrize("shape", CSV_SHAPES)
def test_nobody_is_a_header(shape: str, tmp_path: Path) -> None:
    export = read_export(write_sample(tmp_path / "sample", shape, people=0))
    assert (export.shape.name, export.rows, export.users().height) == (shape, 0, 0)


# Each provider's own conventions


@pytest.mark.parametrize("shape", CSV_SHAPES)
def test_csv_is_what_the_csv_module_reads(shape: str, tmp_path: Path) -> None:
    text = text_of(write_sample(tmp_path / "sample", shape, people=80, nasty=False)).removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("version:v1.0\r\n"), newline=""), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[1:] == [CSV_FORMATS[shape].row(one) for one in synthetic_people(80, nasty=False)]


@pytest.mark.parametrize("shape", CSV_SHAPES)
def test_quotes_bring_back_what_was_written(shape: str, tmp_path: Path) -> None:
    text = text_of(write_sample(tmp_path / "sample", shape, people=200)).removeprefix("\ufeff")
    rows = [
        row for row in csv.reader(io.StringIO(text.removeprefix("version:v1.0\r\n"), newline=""), strict=True) if row
    ]
    for row, person in zip(rows[1:], synthetic_people(200), strict=True):
        if person.case not in ("short_row", "long_row"):
            assert row == CSV_FORMATS[shape].row(person)


def test_line_ends_marks_and_first_lines(folder: Path) -> None:
    first = {shape: text_of(folder / SHAPE_FORMATS[shape]).split("\n")[0] for shape in CSV_SHAPES}
    assert {shape for shape, line in first.items() if line.endswith("\r")} == {
        "entra_get_mguser", "entra_bulk_create", "m365_admin_users", "okta_import_template",
    }  # fmt: skip
    assert first["entra_get_mguser"].startswith('\ufeff"Id","UserPrincipalName","Mail"')
    assert first["entra_bulk_create"] == "version:v1.0\r"
    assert first["jumpcloud_csv"].startswith('"FirstName","LastName"')
    assert first["okta_console"].startswith("User Id,Status,Username,First name")
    assert first["generic"] == "Employee ID,First name,Last name,E-mail,Department,Status,Hire date"
    for shape in CSV_SHAPES:
        text = text_of(folder / SHAPE_FORMATS[shape])
        stray = len(re.findall("(?<!\r)\n", text))
        assert "\r" not in text or stray == (0 if shape in STREETLESS else 1)


def test_cells_are_quoted_as_each_program_does(folder: Path) -> None:
    okta = text_of(folder / SHAPE_FORMATS["okta_console"]).split("\n")[1]
    assert okta.startswith('"00u')
    assert ',"",' in okta
    power_shell = text_of(folder / SHAPE_FORMATS["entra_get_mguser"]).split("\r\n")[1]
    assert '""' not in power_shell
    assert all(cell == "" or cell[0] == cell[-1] == '"' for cell in re.split(r',(?=[",]|$)', power_shell))
    google = read_export(folder / SHAPE_FORMATS["google_workspace_download"])
    assert text_of(folder / SHAPE_FORMATS["google_workspace_download"]).count(",****,") == 200 - 1  # one row is short
    assert not [header for header in google.headers if header.startswith("Password")]


def test_wrappers_of_json(folder: Path) -> None:
    graph = json.loads(text_of(folder / SHAPE_FORMATS["entra_graph_users"]))
    assert list(graph) == ["@odata.context", "value"]
    assert len(graph["value"]) == 200
    okta = json.loads(text_of(folder / SHAPE_FORMATS["okta_users_api"]))
    assert {"id", "status", "profile", "credentials", "_links"} <= set(okta[0])
    assert "DEPROVISIONED" not in {user["status"] for user in okta}
    jumpcloud = json.loads(text_of(folder / SHAPE_FORMATS["jumpcloud_systemusers_api"]))
    assert jumpcloud["totalCount"] == len(jumpcloud["results"]) == 200
    scim = json.loads(text_of(folder / SHAPE_FORMATS["scim_users"]))
    assert scim["totalResults"] == scim["itemsPerPage"] == len(scim["Resources"]) == 200
    extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert all(extension in user["schemas"] for user in scim["Resources"])
    lines = text_of(folder / SHAPE_FORMATS["onelogin_users_api"]).splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(range(252_000_001, 252_000_201))


def test_jumpcloud_pairs_of_name_and_value(folder: Path) -> None:
    users = read_export(folder / SHAPE_FORMATS["jumpcloud_csv"]).users()
    assert users["custom.attributes.Region"].null_count() == 0
    assert users["custom.attributes.Badge"].drop_nulls().str.contains(r"^\d+$").all()
    assert users["groups"].list.len().max() == 3


def test_what_stands_where_a_password_would_is_never_read(folder: Path) -> None:
    holders = {shape for shape in ALL_SHAPES if SAMPLE_PASSWORD in text_of(folder / SHAPE_FORMATS[shape])}
    assert holders == {"entra_bulk_create", "onelogin_csv", "jumpcloud_csv"}
    for shape in holders:
        export = read_export(folder / SHAPE_FORMATS[shape])
        assert SAMPLE_PASSWORD not in str(list(export.records())) + str(export.describe())


# Nobody real


def test_only_reserved_domains_and_numbers_occur(folder: Path, tmp_path: Path) -> None:
    big = write_sample(tmp_path / "big", "okta_users_api", people=12_000, seed=5)
    for path in [*folder.rglob("*.*"), big]:
        text = text_of(path)
        domains = set(re.findall(r"(?<![\"(])@([\w.-]+)", text))
        domains |= {host for host in re.findall(r"https?://([^/\"]+)", text) if host != "graph.microsoft.com"}
        assert {name for name in domains if not re.search(r"(^|\.)example(\.(com|net|org))?$", name)} == set(), path
        assert re.sub(r"\+1-555-01\d\d\b", "", text).count("+1") == 0, path


def test_names_are_many_and_their_addresses_plain() -> None:
    people = list(synthetic_people(4_000, nasty=False))
    assert len({person.display for person in people}) > 1_900
    assert all(re.fullmatch(r"[a-z0-9.-]+@example\.(com|org)", person.email) for person in people)
    display = " ".join(person.display for person in people)
    assert all(word in display for word in ("O'Brien", "Jean-Luc", "Çağrı", "Weiß", "Łukasz", "Nguyễn", "Shun'ichi"))


# The nasty cases


def test_every_case_is_carried_by_one_person_and_explained() -> None:
    carried = [person.case for person in synthetic_people(200) if person.case]
    assert carried == [name for name, _ in CASES]
    assert len(set(carried)) == len(CASES) == 35
    table = [line for line in (samples.__doc__ or "").splitlines() if line.startswith("| ")]
    named = {name for line in table[1:] for name in line.split(" | ")[0].strip("| ").split(", ")}
    assert named == set(carried)


def test_cases_are_spread_out() -> None:
    places = [person.number for person in synthetic_people(10_000) if person.case]
    assert places == list(range(3, 3 + 5 * len(CASES), 5))


def test_fewer_people_than_cases_carry_the_first_ones() -> None:
    assert [person.case for person in synthetic_people(4)] == [name for name, _ in CASES[:4]]


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_nasty_departments_are_in_every_shape(shape: str, folder: Path) -> None:
    departments = Counter(read_export(folder / SHAPE_FORMATS[shape]).users()["department"].to_list())
    for spelling in ("SALES", "sales ", "Satış", "SATIŞ", "Straßenbau", "STRASSENBAU", "Enginering", "Falconry",
                     'Research, "Labs" & Design', "Children's Books", "Sales [/x]", "=cmd|' /C calc'!A0",
                     "<img onerror=alert(1) src=x>", LONG, TOO_LONG):  # fmt: skip
        assert departments[spelling] == 1, spelling
    assert departments["Sales"] > 10
    assert departments["Engineering"] > departments["Legal"] > 1
    assert 64 < len(LONG) < 256 < len(TOO_LONG)
    assert departments[None] == 5  # blank, white space, guest, room, service account


@pytest.mark.parametrize("shape", ["entra_graph_users", "okta_users_api", "okta_import_template", "scim_users"])
def test_nasty_accounts(shape: str, folder: Path) -> None:
    users = read_export(folder / SHAPE_FORMATS[shape]).users()
    names = Counter(name.casefold() for name in users["userName"].drop_nulls())
    assert [name for name, count in names.items() if count > 1] == ["mira.karadeniz@example.com"]
    mails = Counter(users["email"].drop_nulls())
    assert [mail for mail, count in mails.items() if count > 1] == ["lena.winterfeld@example.com"]
    assert mails["anna@@example.com"] == mails["sean.o'hara@example.com"] == 1
    assert sum(mail.endswith("@partner.example.net") for mail in mails) == 2  # the contractor and the guest
    assert names["nina.berg_partner.example.net#ext#@acme.example"] == names["svc-backup@example.com"] == 1
    assert names["room-lyon-3@example.com"] == 1
    assert users["userName"].null_count() == 1
    if shape != "entra_graph_users":  # there an empty e-mail falls back to the user name
        assert users["email"].null_count() == 1


def test_nasty_accounts_of_entra(folder: Path) -> None:
    users = read_export(folder / SHAPE_FORMATS["entra_download_users"]).users()
    assert users["userType"].value_counts().sort("count")["count"].to_list() == [1, 197]
    assert users.filter(pl.col("userType") == "Guest")["userName"].str.contains("#EXT#", literal=True).all()
    assert users["custom.employeeId"].str.contains(r"^0").sum() > 150
    assert "007" in users["custom.employeeId"].to_list()
    assert 4 <= (~users["active"]).sum() <= 20


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_what_only_a_file_can_have(shape: str, folder: Path) -> None:
    text = text_of(folder / SHAPE_FORMATS[shape])
    lines = text.replace("\r", "").split("\n")
    if shape in CSV_FORMATS:
        reasons = [row.reason.split(":")[0] for row in read_export(folder / SHAPE_FORMATS[shape]).rejected]
        assert reasons == ["too short", "too long"]
        assert lines[:-1].count("") == 2
        assert text.count(ESCAPE) >= 1
        assert ("\n2nd floor, rear" in text) == (shape not in STREETLESS)
    else:
        assert "" not in lines[:-1]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|\\u00[01]", text)


# Files for benches


def test_a_clean_small_file() -> None:
    people = list(synthetic_people(2_000, nasty=False))
    assert not any(person.case for person in people)
    assert len({person.department for person in people}) == 12
    assert all(person.department for person in people)
    assert 60 < sum(not person.active for person in people) < 140


def test_a_clean_big_file(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "big.csv", "entra_download_users", people=30_000, nasty=False)
    export = read_export(path)
    users = export.users()
    assert (export.rows, export.rejected) == (30_000, [])
    assert users["userName"].n_unique() == users["email"].n_unique() == users["externalId"].n_unique() == 30_000
    assert 0.04 < (~users["active"]).mean() < 0.06  # type: ignore[operator]  # the column is not empty
    assert 0.005 < users["department"].null_count() / 30_000 < 0.015
    assert len({" ".join(name.lower().split()) for name in users["department"].drop_nulls()}) == 300
    assert 500 < users["department"].n_unique() < 1_300


def test_memory_stays_bounded(tmp_path: Path) -> None:
    tracemalloc.start()
    path = write_sample(tmp_path / "big.csv", "entra_download_users", people=15_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < path.stat().st_size / 2


# Beside the samples, and errors


def test_the_setting_and_the_existing_groups_fit_the_samples(folder: Path) -> None:
    from scimops.setting import load_setting

    setting = load_setting(folder / "setting.yaml")
    assert (setting.name, setting.grouping_field, setting.seats) == ("Acme Entra", "department", 250)
    assert setting.group_settings.aliases == {"R&D": "Engineering", "Research": "Engineering"}
    keys = [line for line in samples.SETTING.splitlines() if re.match(r" *[a-z_]+:", line)]
    assert len(keys) >= len(setting.model_fields_set)
    with (folder / "existing_groups.csv").open(encoding="utf-8", newline="") as stream:
        groups = list(csv.DictReader(stream))
    assert list(groups[0]) == ["id", "name", "isScimGroup", "createdOn"]
    names = {group["name"] for group in groups}
    departments = {person.department for person in synthetic_people(200, nasty=False)}
    assert len(names & departments) >= 3
    assert "SALES" in names - departments
    assert all(len(group["id"]) <= 12 for group in groups)
    assert len({group["id"] for group in groups}) == len(groups)


def test_wrong_arguments_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='Did you mean "okta_console"'):
        write_sample(tmp_path / "sample", "okta_consol")
    for write in (lambda: write_sample(tmp_path / "x", "generic", people=-1), lambda: list(synthetic_people(-1))):
        with pytest.raises(UsageError, match="-1 people"):
            write()
    assert list(tmp_path.iterdir()) == []


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, scimops.samples; print(sorted({'polars', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)))"
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
