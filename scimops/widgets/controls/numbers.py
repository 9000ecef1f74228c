"""The top of a panel as markup: the four numbers, the first advice, and where all rows go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scimops.errors import ScimopsError
from scimops.present.words import KINDS, Kind, four_numbers, many, privacy, reason_rows, rows_of
from scimops.widgets.controls.markup import Markup, join, tag, text

if TYPE_CHECKING:
    from scimops.errors import Finding
    from scimops.preview import Preview

LEVELS = {"error": ("✕", "Fix first"), "warning": ("▲", "Look at this"), "info": ("i", "Good to know")}
"""Sign and words of each level, so that nothing is said by colour alone."""


_LOCK = Markup(
    '<svg class="scimops-lock" viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M4.5 7V5a3.5 3.5 0 017 0v2M3 7h10v7H3z"/></svg>'
)


def numbers(preview: Preview) -> Markup:
    """The four numbers as cards."""
    notes = (_of_all(preview), _known(preview), _fix(preview), _seats(preview))
    kinds = ("people", "groups", "fix" if preview.numbers.to_fix else "good", _seat_kind(preview))
    cards = [
        tag("li", tag("strong", f"{count:,}"), " ", tag("span", name, class_="scimops-name"),
            tag("span", note, class_="scimops-note", title=meaning), class_=f"scimops-card scimops-card-{kind}")
        for (count, name, meaning), note, kind in zip(four_numbers(preview), notes, kinds, strict=True)
    ]  # fmt: skip
    return tag("ul", cards, class_="scimops-cards", aria_label="The four numbers")


def _of_all(preview: Preview) -> str:
    return f"of {many(preview.rows, 'record')} in the file"


def _known(preview: Preview) -> str:
    if not preview.existing.known:
        return "which of them exist already is not known"
    there = sum(bool(group.exists) for group in preview.groups)
    return f"{there:,} exist already, {len(preview.groups) - there:,} are new"


def _fix(preview: Preview) -> str:
    return "people who would be rejected" if preview.numbers.to_fix else "nobody would be rejected"


def _seats(preview: Preview) -> str:
    seats = preview.setting.seats
    if seats is None:
        return "active people; the licence is not known"
    left = seats - preview.numbers.seats
    return f"of {seats:,}: {left:,} left" if left >= 0 else f"of {seats:,}: {-left:,} too few"


def _seat_kind(preview: Preview) -> str:
    seats = preview.setting.seats
    return "fix" if seats is not None and preview.numbers.seats > seats else "people"


def advice(preview: Preview) -> Markup:
    """The first finding in plain words, how many more there are, and that nothing left this computer."""
    safe = tag("p", _LOCK, privacy(preview), class_="scimops-privacy")
    if not preview.findings:
        return join(tag("div", tag("p", "Nothing was found that should be looked at."), class_="scimops-advice"), safe)
    first, more = preview.findings[0], len(preview.findings) - 1
    button = tag(
        "button",
        f"{many(more, 'more finding')}",
        type="button",
        class_="scimops-link",
        data_action="view",
        value="findings",
    )
    return join(finding_box(first, "scimops-advice", button if more else None, rows_words(first)), safe)


def finding_box(finding: Finding, name: str, more: Markup | None = None, rows: str = "") -> Markup:
    """One finding: its level as sign and word, its sentence, its advice, the rows where it stands."""
    sign, words = LEVELS[finding.level]
    mark = tag("span", sign, class_="scimops-sign", aria_hidden="true")
    return tag(
        "div",
        tag("p", mark, tag("b", f"{words}: "), finding.message),
        tag("p", with_code(finding.advice), " ", more, class_="scimops-what"),
        tag("p", rows, class_="scimops-rows") if rows else None,
        class_=f"{name} scimops-{finding.level}",
    )


def rows_words(finding: Finding) -> str:
    """The rows where a finding stands, the first ten, in words; empty where it stands in none."""
    rows = rows_of(finding, most=10)
    return f"{'Row' if finding.count == 1 else 'Rows'} {rows}" if rows else ""


def told(error: ScimopsError | OSError) -> tuple[str, str, str]:
    """What went wrong, what to do, and where: the words of a problem."""
    if isinstance(error, ScimopsError):
        return error.message, error.advice, error.where
    return f"{error.strerror or error}.", "Check the name and the folder.", str(error.filename or "")


def problem(message: str, what: str, where: str = "", can_start_over: bool = False) -> Markup:
    """What went wrong, where, and what to do; in place of a traceback."""
    mark = tag("span", "✕", class_="scimops-sign", aria_hidden="true")
    fresh = tag("button", "Begin with a plain setting", type="button", class_="scimops-link", data_action="fresh")
    return tag(
        "div",
        tag("p", mark, tag("b", f"{where}: ") if where else None, message),
        tag("p", with_code(what), " ", fresh if can_start_over else None, class_="scimops-what"),
        class_="scimops-advice scimops-error",
        role="alert",
    )


def with_code(words: str) -> Markup:
    """Words in which what stands between backticks is shown as code."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return text(words)
    return join(tag("code", part) if place % 2 else part for place, part in enumerate(parts))


def everybody(preview: Preview) -> Markup:
    """Where all rows of the file go, as one bar and the same in words; the counts add up to the rows."""
    rows = reason_rows(preview)
    parts = [
        tag("span", class_=f"scimops-part {kind_class(row.kind)}", style=f"flex-grow:{row.count}",
            title=f"{row.count:,} {row.sentence}")
        for row in rows
    ]  # fmt: skip
    sums: dict[Kind, int] = {}
    for row in rows:
        sums[row.kind] = sums.get(row.kind, 0) + row.count
    legend = [
        tag("li", tag("span", class_=f"scimops-dot {kind_class(kind)}", aria_hidden="true"), f"{count:,} {kind}")
        for kind, count in sums.items()
    ]
    return tag(
        "div",
        tag("div", parts, class_="scimops-strip", aria_hidden="true"),
        tag(
            "ul", legend, tag("li", f"= {many(preview.rows, 'record')}", class_="scimops-sum"), class_="scimops-legend"
        ),
        class_="scimops-everybody",
    )


def kind_class(kind: Kind) -> str:
    """The class that gives a kind of reasons its colour."""
    return f"scimops-kind-{KINDS.index(kind)}"
