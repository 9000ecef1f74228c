"""Exports from the real world, kept outside the repository: each read with the values its collector wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scimops.errors import IncompleteSourceError
from scimops.idp import SHAPES, Export, read_export, read_table
from scimops.idp.shape import detect
from scimops.samples import SHAPE_FORMATS, write_sample

FOLDER = Path(__file__).parents[2].parent / "shared" / "conformance" / "exports"
FILES = sorted(path for path in FOLDER.glob("*") if not path.name.endswith(".SOURCE.json"))
FIELDS = {"id": "externalId", "givenName": "firstName", "familyName": "lastName"}

SHAPE_OF = {
    "dirfile_name_email_bom_crlf.csv": "generic",
    "entra_download_users_2021_formula_injection.csv": "entra_download_users",
    "google_workspace_download_v2.csv": "google_workspace_download",
    "graph_users_list.json": "entra_graph_users",
    "jumpcloud_import_all_attributes.csv": "jumpcloud_csv",
    "jumpcloud_systemusers_api_page.json": "jumpcloud_systemusers_api",
    "m365_admin_export_v1.csv": "m365_admin_users",
    "ms_csv2scim_1000_records.csv": "generic",
    "ms_csv2scim_bulk_core_enterprise.json": "scim_users",
    "okta_import_template.csv": "okta_import_template",
    "okta_rockstar_export.csv": "okta_console",
    "okta_users_api_list.json": "okta_users_api",
    "onelogin_bulk_template.csv": "onelogin_csv",
    "onelogin_users_api.ndjson": "onelogin_users_api",
}

outside = pytest.mark.skipif(not FILES, reason="the conformance files are kept outside the repository; not here")
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def expected_of(path: Path) -> Any:
    source = json.loads(path.with_name(path.name + ".SOURCE.json").read_text(encoding="utf-8"))
    return source.get("expected", [])


def look_up(export: Export, record: dict[str, Any], name: str) -> Any:
    """The value of a person that the collector calls `name`."""
    if name == "complete":
        return export.complete
    if FIELDS.get(name, name) in record:
        return record[FIELDS.get(name, name)]
    found = {header.rsplit(".", 1)[-1]: value for header, value in record["custom"].items()}
    return found[name]


@outside
@each_file
def test_the_values_are_those_the_collector_wrote_down(path: Path) -> None:
    export = read_export(path, allow_incomplete=True)
    assert export.rejected == []
    assert export.shape.name == SHAPE_OF.get(path.name, export.shape.name)
    records, expected = list(export.records()), expected_of(path)
    if isinstance(expected, dict):
        emails = [record["email"].lower() for record in records]
        assert list(dict.fromkeys(emails)) == expected["emails"]
        assert len(emails) - len(set(emails)) == expected["duplicates"]
        assert records[0]["custom"]["Name"] == expected["first_spelling_wins"]
        return
    assert len(records) >= len(expected)
    for record, wanted in zip(records, expected, strict=False):
        assert {name: look_up(export, record, name) for name in wanted} == wanted


@outside
@each_file
def test_only_a_whole_export_is_read_without_asking(path: Path) -> None:
    whole = all(entry.get("complete", True) for entry in expected_of(path) if isinstance(entry, dict))
    if whole:
        assert read_export(path).complete
    else:
        with pytest.raises(IncompleteSourceError, match="250 users in all and holds 1") as caught:
            read_export(path)
        assert caught.value.exit_code == 5


def _only_one_fits_best(path: Path, name: str) -> None:
    table, _ = read_table(path)
    best = detect(table, list(SHAPES.values()))  # a tie would be an error
    if name == "generic":
        assert best is None
        return
    assert best
    assert best.shape.name == name
    runner_up = detect(table, [shape for shape in SHAPES.values() if shape.name != name])
    headers = set(table.headers)
    assert not runner_up or len(headers & runner_up.shape.known) < len(headers & best.shape.known)


@outside
@each_file
def test_each_file_is_recognised_by_exactly_one_shape(path: Path) -> None:
    if path.name in SHAPE_OF:
        _only_one_fits_best(path, SHAPE_OF[path.name])


@pytest.mark.parametrize("name", SHAPE_FORMATS)
def test_each_sample_is_recognised_by_exactly_one_shape(tmp_path: Path, name: str) -> None:
    path = write_sample(tmp_path / f"sample{Path(SHAPE_FORMATS[name]).suffix}", name, people=50)
    _only_one_fits_best(path, name)
    export = read_export(path)
    assert export.rows == 50
    assert export.users().height == 50 - len(export.rejected)
    assert len(export.rejected) == (2 if export.parts[0].table.kind == "csv" else 0)


def _record(name: str, row: int = 0) -> dict[str, Any]:
    return list(read_export(FOLDER / name, allow_incomplete=True).records())[row]


@outside
def test_the_traps_the_collector_names() -> None:
    assert _record("okta_import_template.csv")["custom"]["zipCode"] == "098027"
    assert _record("okta_import_template.csv")["custom"]["employeeNumber"] == "0007"
    assert _record("google_workspace_download_v2.csv")["custom"]["Employee ID"] == "00123"
    assert _record("google_workspace_download_v2.csv", 1)["active"] is False
    assert _record("entra_download_users_2021_formula_injection.csv")["createdOn"] == "2021-08-19"
    assert _record("m365_admin_export_v1.csv")["createdOn"] == "2022-03-18"
    assert _record("graph_users_list.json")["active"] is None
    jumpcloud = _record("jumpcloud_import_all_attributes.csv")["custom"]
    assert (jumpcloud["attributes.Attr1"], jumpcloud["attributes.Attr2"]) == ("One", "Two")
    assert not {"Password", "SystemID", "Administrator"} & set(jumpcloud)
    assert read_export(FOLDER / "onelogin_bulk_template.csv").rows == 0
    assert read_export(FOLDER / "ms_csv2scim_1000_records.csv").rows == 1000
    bulk = _record("ms_csv2scim_bulk_core_enterprise.json")
    assert (bulk["externalId"], bulk["userName"], bulk["active"]) == ("701984", "bjensen@example.com", True)
