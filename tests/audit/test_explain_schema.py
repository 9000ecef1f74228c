"""What `scimops explain --json` prints follows its published schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from auditing import SETTING, Company
from telling import document, run

from scimops.audit.causes import LINKS
from scimops.schemas import read_schema
from scimops.setting import save_setting


@pytest.fixture
def told(acme: Company, tmp_path: Path) -> Any:
    """What the command prints of a person of a company in which one has arrived, one was not sent, one left."""
    acme.arrives("ada")
    acme.arrives("left")
    acme.arrives("lost")
    acme.enrolment("Basics", "Sales")
    del acme.people["left"]
    acme.people["late"] = "x-late,,late@example.com,,,,,2026-01-05"
    acme.preview()
    acme.state().save(tmp_path / "state")
    save_setting(SETTING, tmp_path / "s.yaml")
    words = ("--export", tmp_path / "people.csv", "--setting", tmp_path / "s.yaml", "--state", tmp_path / "state")
    return lambda person: document("explain", person, *words)


def test_every_story_follows_the_schema(told: Any) -> None:
    for person in ("ada@example.com", "left@example.com", "x-late"):
        jsonschema.validate(told(person), read_schema("explain_person"))
    ada, left, late = (told(person) for person in ("ada@example.com", "left@example.com", "x-late"))
    assert [one["link"] for one in ada["links"]] == list(LINKS)
    assert (ada["wanted"], ada["held"]) == (["Sales"], ["Sales"])
    assert ada["enrolments"] == [{"name": "Basics", "groups": ["Sales"], "auto_enrol": True, "seen": True}]
    assert (left["status"], left["links"], left["keys"]["row"]) == ("left_still_active", [], None)
    assert (late["keys"]["userName"], late["keys"]["user_id"]) == (None, None)


def test_the_schema_is_closed_and_names_everything(told: Any) -> None:
    ada = told("ada@example.com")
    schema = read_schema("explain_person")
    assert set(schema["required"]) == set(ada)
    for parts in (ada, ada["keys"], ada["moments"][0], ada["links"][0], ada["enrolments"][0]):
        parts["more"] = "x"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(ada, schema)
        del parts["more"]


def test_the_command_prints_it() -> None:
    assert '"title": "ExplainPersonOut"' in run("schema", "explain_person").stdout
