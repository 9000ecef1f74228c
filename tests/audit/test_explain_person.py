"""One person's whole story: from the files of the story, and from the embedded platform on a real port."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from auditing import Company
from story_faults import BENIGN, FAULTS
from typer.testing import CliRunner

from scimops.audit.audit import Audit, audit
from scimops.audit.causes import CAUSES, LINKS
from scimops.audit.explain import PersonStory, explain_person, find, stories_of
from scimops.audit.sources import Sources, gather
from scimops.audit.state import load_state
from scimops.audit.told import Logs
from scimops.cli import app
from scimops.errors import UsageError
from scimops.grouping import REASONS
from scimops.present.evidence_person import story_html, story_tables
from scimops.samples.story import Story, write_story
from scimops.setting import load_setting

Read = tuple[Story, Audit, Sources]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The story with all faults, audited."""
    story = write_story(tmp_path_factory.mktemp("story"), [(fault.kind, fault.who) for fault in FAULTS])
    sources = gather(
        story.exports[-1], load_setting(story.setting), load_state(story.state), story.logs, story.hr, story.folder
    )
    return story, audit(sources.preview, sources.state, sources.logs, hr=sources.hr), sources


def told(read: Read, handle: str) -> PersonStory:
    story, found, sources = read
    named = story.people[handle]
    return explain_person(found, sources, str(named.externalId or named.user_id or named.hr_email))


def test_every_story_ends_in_one_sentence_that_gives_the_cause_of_the_audit(read: Read) -> None:
    story, _, _ = read
    for fault in [*FAULTS, *BENIGN]:
        if fault.who not in story.people or fault.kind in ("left, account and person deleted",):
            continue
        person = told(read, fault.who)
        assert person.sentence.startswith(person.who)
        assert person.sentence.endswith(".")
        assert " ".join(person.sentence.split()) == person.sentence
        if not fault.coverage or not person.links:
            continue
        status, link, cause = fault.coverage
        assert person.status == status
        if status in ("arrived", "lost"):
            assert next((one.link for one in person.links if one.holds is False), None) == link
        if status == "arrived":
            assert "and seen in the report of" in person.sentence
        if cause not in (None, "not_in_report"):
            assert (CAUSES | REASONS)[cause] in person.sentence


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        ("Operations 6", ['in the group "Operations"', 'not in the group "Information Technology"', "old value"]),
        ("new 22", ["the e-mail domain is not authorised", "entra entra-provisioning.json row"]),
        ("Legal 1", ["deactivated on the platform by hand", "platform_audit platform-audit.json row"]),
        ("Sales 8", ['in the group "Sales"', "not seen in the report of"]),
        ("leaver 5", ["left, and is still active", "the deactivation was refused"]),
        ("Operations 3", ["is active on the platform", "by the rule should be in none"]),
        ("minute 0", ["need not be before 2026-11-26 00:40:00 UTC"]),
        ("new 3", ["is given no group and no training by the rule today", "has no account at the identity provider"]),
        ("Sales 75", ['is in the group "Sales" and seen in the report of', "auto-enrol is on"]),
        ("stranger 0", ["is on the platform by another way"]),
    ],
)
def test_the_sentence_says_why(read: Read, handle: str, words: list[str]) -> None:
    sentence = told(read, handle).sentence
    assert [word for word in words if word not in sentence] == []


def test_everything_in_order_of_time(read: Read) -> None:
    person = told(read, "Operations 6")
    times = [one.at for one in person.moments]
    assert times == sorted(times)
    texts = [one.text for one in person.moments]
    places = [next(n for n, text in enumerate(texts) if text.startswith(start)) for start in (
        "First day.", "Made the person", "Row ", "This person lands", "The platform has the target user",
    )]  # fmt: skip
    assert places == sorted(places)
    assert 'Different: department "Operations", in the export "Information Technology"' in texts[-1]
    assert {one.source.split()[0] for one in person.moments} >= {
        "hr.csv", "entra", "provisioning_log", "export", "platform",
    }  # fmt: skip
    assert [one.link for one in person.links] == list(LINKS)
    assert {(one.name, one.seen) for one in person.enrolments if "Operations" in one.groups} == {
        ("Security Basics: Operations", True)
    }


def test_the_deletion_of_their_group_is_part_of_the_story(read: Read) -> None:
    story, _, _ = read
    person = told(read, story.group("Procurement")[0])
    assert [one.text for one in person.moments if one.text.startswith('Deleted a group "Procurement", by admin')]
    assert "was in a group that was deleted by hand" in person.sentence


def test_several_stories_at_once_are_those_of_each(read: Read) -> None:
    story, found, sources = read
    named = [story.people[handle] for handle in ("Sales 8", "leaver 4", "late 4", "new 36")]
    names = [str(one.externalId or one.user_id or one.hr_email) for one in named]
    assert stories_of(found, sources, [find(found, sources, name) for name in names]) == [
        explain_person(found, sources, name) for name in names
    ]
    assert stories_of(found, sources, []) == []


def test_several_and_nobody(read: Read) -> None:
    story, found, sources = read
    shared = str(story.people["Engineering 1"].hr_email)
    with pytest.raises(UsageError, match="people are called") as several:
        explain_person(found, sources, shared)
    names = str(several.value).partition(": ")[2].partition(". Name")[0].split(", ")
    assert len(names) > 1
    for name in names:  # each of them is one person's alone
        assert explain_person(found, sources, name).who
    with pytest.raises(UsageError, match="Nobody is called"):
        explain_person(found, sources, "nobody@example.com")


@pytest.fixture
def one_switched_off(acme: Company) -> tuple[Audit, Sources]:
    acme.arrives("anna")
    acme.people["evil"] = 'x-evil,evil@example.com,evil@example.com,[red]Eve[/x],"<b>\x1b[31m",Sales,true,2026-01-05'
    acme.switch(acme.enrolment("Basics", "Sales"), on=False)
    preview, state = acme.preview(), acme.state()
    return audit(preview, state), Sources(preview, state, Logs(), None, [])


def test_enrolment_switched_off_on_a_real_platform(one_switched_off: tuple[Audit, Sources]) -> None:
    person = explain_person(*one_switched_off, "Anna@Example.com")
    assert person.sentence == (
        'Ada Anna (anna@example.com) is in the group "Sales" and not expected in a training of it today, though the '
        'report of "Basics" shows them, because the group has an enrolment, and its auto-enrol is off.'
    )
    assert [one.at for one in person.moments if one.source == "platform"] == [one_switched_off[0].at]


def test_data_is_never_markup(one_switched_off: tuple[Audit, Sources]) -> None:
    from rich.console import Console

    person = explain_person(*one_switched_off, "evil@example.com")
    console = Console(width=200, force_terminal=True, color_system=None)
    with console.capture() as shown:
        console.print(story_tables(person))
    assert "[red]Eve[/x]" in shown.get()
    assert "\x1b[31m" not in shown.get()
    page = story_html(person, "1")
    assert "<b>\x1b" not in page
    assert "&lt;b&gt;" in page


def test_the_command(read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    story, _, _ = read
    words = ["explain", str(story.people["Operations 6"].email), "--export", str(story.exports[-1]),
             "--setting", str(story.setting), "--state", str(story.state), "--people", str(story.hr)]  # fmt: skip
    for log in story.logs:
        words += ["--log", str(log)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0
    assert "In order of time (UTC)" in said.stdout
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert document["sentence"] == told(read, "Operations 6").sentence
    nobody = CliRunner().invoke(app, ["explain", "nobody", *words[2:]])
    assert isinstance(nobody.exception, UsageError)
