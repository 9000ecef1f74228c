"""One person's story for a terminal and for a page. Every value is data: never markup, controls made visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group as RenderableGroup
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scimops.audit.explain_words import utc
from scimops.present.page import escaped, named, table
from scimops.present.tables import plain_table, spaced
from scimops.present.words import visible

if TYPE_CHECKING:
    from scimops.audit.explain import PersonStory

HOLDS = {True: "yes", False: "no", None: "not known"}
"""What is said of a link, or of being seen in a report."""


def story_tables(story: PersonStory) -> RenderableGroup:
    """A story for the terminal: who, what happened in order of time, the chain, trainings, the sentence."""
    chain = _rows("The chain today", ("holds", "link, and what shows it"), [
        (HOLDS[one.holds], one.text) for one in story.links
    ])  # fmt: skip
    trainings = _rows("Trainings", ("enrolment", "groups", "auto-enrol", "in its report"), _trainings(story))
    happened = plain_table("In order of time (UTC)", "when", "what, and who says so")
    for one in story.moments:
        said = Text.assemble(visible(one.text), (f" — {visible(one.source)}", "dim"))
        happened.add_row(utc(one.at).removesuffix(" UTC"), said)
    parts: list[RenderableType] = [Text(visible(story.who), style="bold"), happened]
    parts += [chain] if story.links else []
    parts += [trainings] if story.enrolments else []
    return spaced(*parts, Text(visible(story.sentence), style="bold"))


def _rows(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    made = plain_table(title, *columns)
    for row in rows:
        made.add_row(*(Text(visible(cell)) for cell in row))
    return made


def story_html(story: PersonStory, heading: str) -> str:
    """A story as a part of a page, under `heading` (HTML already)."""
    happened = [[f"<time>{utc(one.at)}</time>", named(one.text), named(one.source)] for one in story.moments]
    parts = [f"<h3>{heading}</h3>", f'<p class="first"><b>{named(story.sentence)}</b></p>']
    if story.links:
        chain = [[escaped(one.link.replace("_", " ")), HOLDS[one.holds], named(one.text)] for one in story.links]
        parts.append(table("The chain", ["Link", "Holds", "What shows it"], chain))
    if story.enrolments:
        trainings = [[named(cell) for cell in row] for row in _trainings(story)]
        parts.append(table("Trainings", ["Enrolment", "Groups", "Auto-enrol", "In its report"], trainings))
    parts.append(table("In order of time (UTC)", ["When", "What", "Source"], happened))
    return f'<article class="story">{"".join(parts)}</article>'


def _trainings(story: PersonStory) -> list[tuple[str, ...]]:
    return [
        (one.name, ", ".join(one.groups) or "—", "on" if one.auto_enrol else "off", HOLDS[one.seen])
        for one in story.enrolments
    ]
