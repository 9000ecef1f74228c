"""What the panel and the cells of audit_provisioning show over time, as markup; names of people in the panel alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

from scimops.present.audit_charts_over_time import (
    days_chart,
    days_words,
    groups_over_time_chart,
    groups_over_time_words,
)
from scimops.present.audit_over_time import brief
from scimops.present.audit_words import totals_words
from scimops.present.words import many
from scimops.widgets.controls.audit_views import arrived_over_time, image
from scimops.widgets.controls.listing import PAGE, Page, empty, pager, table
from scimops.widgets.controls.markup import Markup, join, tag

if TYPE_CHECKING:
    from scimops.audit.arrivals import Arrivals
    from scimops.audit.audit import Question
    from scimops.present.charts import Chart

NO_PLAN = "Nothing to compare with. Name the plan that was applied last in the parameters cell: applied."
NO_EXPORTS = "Name a folder of earlier exports in the parameters cell: exports."


def pictures(asked: dict[str, Question], hidden: Collection[str] = ()) -> list[tuple[Chart, str]]:
    """The pictures over time with their words; groups whose keys are in `hidden` are left out."""
    found = []
    days, sizes = (asked[name].answer if name in asked else None for name in ("changes_by_day", "groups_over_time"))
    if days is not None and days.height:
        found.append((days_chart(days), days_words(days)))
    if sizes is not None:
        sizes = sizes.filter(~pl.col("group_key").is_in(list(hidden)))
        if sizes.height:
            found.append((groups_over_time_chart(sizes), groups_over_time_words(sizes)))
    return found


def trends(arrivals: Arrivals | None, asked: dict[str, Question]) -> Markup:
    """The arrivals from audit to audit, the pictures, who came and left since the last export, the settings."""
    parts = [tag("h4", "Arrivals, audit by audit"), arrived_over_time(arrivals)]
    parts += [join(image(chart), tag("p", words)) for chart, words in pictures(asked)]
    parts += [_answered(asked[name], 0) for name in ("since_export", "settings_changed") if name in asked]
    return join(*parts, None if "groups_over_time" in asked else tag("p", NO_EXPORTS, class_="scimops-what"))


def drift(asked: dict[str, Question], number: int) -> Markup:
    """A page of what differs from what was applied."""
    return _answered(asked["drift"], number, paged=True) if "drift" in asked else empty(NO_PLAN)


def counted(question: Question) -> Markup:
    """A question with its control totals; nobody is named."""
    return tag("p", tag("b", question.title), " ", totals_words(question.totals, question.population), ".")


def _answered(question: Question, number: int, *, paged: bool = False) -> Markup:
    """A question, its control totals, and a page of its answer."""
    answer = brief(question)
    assert answer is not None
    head = join(tag("h4", question.title), tag("p", totals_words(question.totals, question.population), "."))
    if answer.is_empty():
        return head
    page = Page(number, answer.height)
    rows = [["" if cell is None else tag("bdi", str(cell)) for cell in row]
            for row in answer[page.start : page.stop].iter_rows()]  # fmt: skip
    numeric = [place for place, kind in enumerate(answer.dtypes) if kind.is_numeric()]
    more = f" The first {PAGE:,} of {many(answer.height, 'line')}." if answer.height > PAGE and not paged else ""
    listing = table(question.title, answer.columns, rows, numeric=numeric)
    return join(
        head, pager(page, many(page.total, "line")) if paged else None, listing, tag("p", more) if more else None
    )
