"""Questions over time: since the last apply, day by day in the logs, from one export to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.audit import Audit, Question
from scimops.audit.drift import drift, preview_applied
from scimops.audit.kept import KeptExport, before, few_in_common, of_another_company
from scimops.audit.same import WHO, find
from scimops.audit.timeline import between, changes_by_day, groups_over_time, settings_changed
from scimops.plan.sources import preview_there
from scimops.preview.personal import named_after_people

if TYPE_CHECKING:
    from scimops.audit.sources import Sources
    from scimops.audit.told import Logs
    from scimops.client.snapshot import Snapshot
    from scimops.plan import Plan
    from scimops.preview import Preview


def questions(
    audit: Audit, sources: Sources, exports: Sequence[KeptExport], folder: Path, *, applied: Plan | None, timeline: bool
) -> tuple[list[Question], frozenset[str]]:  # fmt: skip
    """All questions over time.

    Args:
        audit: today's.
        sources: what it worked on.
        exports: those that were kept.
        folder: where files that the setting names are looked for.
        applied: the plan that was applied last; None: what came since is not asked.
        timeline: ask of logs and exports too.

    Returns:
        The questions, and the keys of groups that are named after people in another export than today's.

    Raises:
        ScimopsError: as :func:`of_drift` and :func:`of_exports`.
    """
    found: list[Question] = []
    personal = frozenset[str]()
    if applied:
        paths = [part.source.path for part in audit.preview.export.parts] + [one.path for one in reversed(exports)]
        question, named = of_drift(applied, sources, paths, folder)
        found.append(question)
        personal |= named
    if timeline:
        more, earlier = of_exports(audit, sources.state.snapshot, exports, folder)
        found += [*of_logs(sources.logs, audit.preview.backend), *more]
        personal |= earlier
    return found, personal


def of_drift(
    applied: Plan, sources: Sources, exports: Iterable[Path], folder: Path
) -> tuple[Question, frozenset[str]]:  # fmt: skip
    """What differs there from the plan that was applied last, since when, and by whom?

    Args:
        applied: that plan, from :func:`scimops.plan.load_plan`.
        sources: what today's audit worked on.
        exports: files among which is the export that the plan was made of.
        folder: where files that the setting names are looked for.

    Returns:
        The question, and the keys of groups that are named after people in that export.

    Raises:
        StalePlanError: it is not among them.
        UsageError: the plan is of another platform.
    """
    snapshot = sources.state.snapshot
    preview = preview_applied(applied, exports, snapshot, folder, backend=sources.preview.backend)
    found = drift(applied, preview, snapshot, sources.logs)
    name, files = f"plan-{applied.digest[:12]}", ", ".join(part["name"] for part in applied.source.files)
    return Question(
        "drift", "What differs from what was applied, since when and by whom?",
        f"Each field, group and account that is not as {name} of {files} left it, "
        f"of {applied.source.read_at[:16]}",
        f"plan: {name}; platform: {snapshot.where}; logs: {', '.join(sources.logs.files) or 'none'}",
        "The plan's export under the plan's setting, compared with what is there now; each difference looked up in the "
        "logs since then. Where no line tells of it, nobody is named.",
        found.differences.height, found.counts, found.differences,
    ), named_after_people(preview)  # fmt: skip


def of_logs(logs: Logs, backend: str = "polars") -> list[Question]:
    """How much happened on which day, and what was done to settings, tokens and enrolments?"""
    if logs.path is None:
        return []
    daily, settings = changes_by_day(logs, backend=backend), settings_changed(logs, backend=backend)
    source = f"logs: {', '.join(logs.files)}"
    return [
        Question("changes_by_day", "What happened on which day?", "Each line of the logs", source,
                 "Counted by day (UTC), log, operation and outcome. One deed may stand in several logs.",
                 int(daily["lines"].sum()), _sums(daily, "source", "lines"), daily),
        Question("settings_changed", "What was done to settings, tokens and enrolments?",
                 "Each line of the logs about one of them", source, "In order of time.",
                 settings.height, _sums(settings.with_columns(lines=1), "operation", "lines"), settings),
    ]  # fmt: skip


def of_exports(
    audit: Audit, held: Snapshot, exports: Sequence[KeptExport], folder: Path
) -> tuple[list[Question], frozenset[str]]:  # fmt: skip
    """How large was each group in each export, and who came, left and moved since the one before?

    Args:
        audit: today's; its export is the last.
        held: what the platform holds: its groups have their names there.
        exports: those that were kept; read one after the other.
        folder: where files that the setting names are looked for.

    Returns:
        The questions, and the keys of groups that are named after people in an earlier export; of no earlier export
        nothing.

    Raises:
        IncompleteSourceError: an export is a part, or two of them have few people in common.
        SettingError: an export has no column that the setting names.
    """
    earlier, today = before(audit.preview.export, exports), audit.preview
    if not earlier:
        return [], frozenset()
    personal: set[str] = set()
    unread: list[str] = []

    def looked_at(one: KeptExport) -> Preview:
        preview = preview_there(one.read(), today.setting, held, folder, backend=today.backend)
        personal.update(named_after_people(preview))
        return preview

    def told(preview: Preview) -> Preview:
        if lost := preview.reasons.get("rejected_unreadable"):
            unread.append(f"{lost:,} of {', '.join(preview.export.files)}")
        return preview

    last = looked_at(earlier[-1])
    series = chain(map(looked_at, earlier[:-1]), [last, today])
    sizes = groups_over_time(map(told, _of_one_company(series)))
    changed = between(last, today)
    each = pl.format("in {}", "file").alias("each")
    day, pair = f"{last.export.taken_at:%Y-%m-%d}", ", ".join([*last.export.files, *today.export.files])
    lost = f"; rows that cannot be read and are in none: {', '.join(unread)}" if unread else ""
    return [
        Question("groups_over_time", "How large was each group, export by export?",
                 f"Each person in a group, once for each export and group{lost}",
                 "exports: " + ", ".join(sizes["file"].unique(maintain_order=True)),
                 "Each export under today's setting.",
                 int(sizes["members"].sum()), _sums(sizes.with_columns(each), "each", "members"), sizes),
        Question("since_export", f"Who came, left and moved since the export of {day}?",
                 "Everybody in one of both exports", f"exports: {pair}",
                 "Matched by externalId, then userName, then e-mail address; both under today's setting.",
                 sum(changed.counts.values()), changed.counts, changed.people),
    ], frozenset(personal)  # fmt: skip


def _of_one_company(previews: Iterable[Preview]) -> Iterator[Preview]:
    """The previews, each compared with the one before it: of that only who is in it is held.

    Raises:
        IncompleteSourceError: two of them have few people in common.
    """
    known, files = pl.DataFrame(), list[str]()
    for preview in previews:
        people = preview.people.select(WHO)
        if files and few_in_common(find(known, people).count(), known.height, people.height):
            raise of_another_company(files, preview.export.files)
        known, files = people, preview.export.files
        yield preview


def _sums(frame: pl.DataFrame, by: str, counted: str) -> dict[str, int]:
    sums = frame.group_by(by, maintain_order=True).agg(pl.col(counted).sum())
    return {str(name): int(count) for name, count in sums.select(by, counted).iter_rows()}
