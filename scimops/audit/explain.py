"""One person's whole story in order of time, from the first day to today, and one sentence that ends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from scimops.audit import explain_words as words
from scimops.audit.causes import LINKS
from scimops.audit.people import KEYS
from scimops.audit.told import SHOWN, lines_of, moment
from scimops.backend import open_backend
from scimops.errors import UsageError
from scimops.grouping import group_key, identity_key
from scimops.preview.explain import explain as placing_of
from scimops.preview.stage import keyed_people

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.audit.audit import Audit
    from scimops.audit.sources import Sources

FORMAT = 1
AROUND = (
    "create_group", "rename_group", "delete_group", "change_enrolment", "change_setting", "delete_setting",
    "create_setting", "revoke_token", "create_token",
)  # fmt: skip
"""Operations on what a person depends on: told in their story where the name is that of their group or enrolment."""

_SHOWN_AT_MOST = 10


class Subject(NamedTuple):
    """Who somebody is: number in the population, in the readable rows of the export, id of the target user."""

    p: int | None
    n: int | None
    user_id: str | None


@dataclass(frozen=True)
class Moment:
    """Something that was so or happened: `at` is a day or a time (ISO 8601, UTC), `source` who says so."""

    at: str
    source: str
    text: str


@dataclass(frozen=True)
class Link:
    """A link of the chain of coverage; `holds` is None where nobody can tell, or nobody may read it."""

    link: str
    holds: bool | None
    text: str


@dataclass(frozen=True)
class Enrolled:
    """An enrolment that concerns the person; `seen` in its report, None where that cannot be read."""

    name: str
    groups: tuple[str, ...]
    auto_enrol: bool
    seen: bool | None


@dataclass(frozen=True)
class PersonStory:
    """What every source tells of one person.

    `held`: groups they are in on the platform; `wanted`: those the rule gives. `links` is empty for somebody who is not
    among the people the audit asks about.
    """

    who: str
    keys: dict[str, str | int | None]
    moments: tuple[Moment, ...]
    links: tuple[Link, ...]
    wanted: tuple[str, ...]
    held: tuple[str, ...]
    enrolments: tuple[Enrolled, ...]
    status: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """What `scimops explain --json` prints."""
        return {"format": FORMAT, **asdict(self)}


def explain_person(audit: Audit, sources: Sources, person: str) -> PersonStory:
    """The story of `person`: userName, e-mail address, externalId, id of a target user, FILE:ROW or row of the export.

    Raises:
        UsageError: nobody is called so, or several are.
    """
    return stories_of(audit, sources, [find(audit, sources, person)])[0]


def find(audit: Audit, sources: Sources, person: str) -> Subject:
    """Who `person` is. A key of one kind alone (externalId, id, FILE:ROW) is tried before names and addresses.

    Raises:
        UsageError: nobody is called so, or several are.
    """
    text, key = person.strip(), identity_key(person)
    known = _known(audit, sources)
    ways = [
        (pl.col("externalId") == text) | (pl.col("user_id") == text) | (pl.format("{}:{}", "file", "row") == text),
        (pl.col("user_key") == key) | (pl.col("email_key") == key),
        (pl.col("row").cast(pl.String) == text) & pl.col("n").is_not_null(),
    ]
    everybody = _subjects(audit)
    for way in ways:
        found = known.filter(way.fill_null(False))
        theirs = [pl.col(name).is_in(found[name].drop_nulls().implode()).fill_null(False) for name in Subject._fields]
        who = everybody.filter(pl.any_horizontal(theirs))
        if who.height == 1:
            return Subject(*who.row(0))
        if who.height:
            raise _several(person, who, known)
    raise UsageError(
        f'Nobody is called "{person}", in the export, on the platform or on a list of employees.',
        advice="Give a userName, an e-mail address, an externalId, an id of the platform or a row of the export.",
    )


def _several(person: str, who: pl.DataFrame, known: pl.DataFrame) -> UsageError:
    """Each of them with a name that is theirs alone."""
    rows = []
    for subject in who.head(_SHOWN_AT_MOST).iter_rows(named=True):
        name = _one(known, "n", subject["n"]) or _one(known, "p", subject["p"])
        rows.append(f"{name['file']}:{name['row']}" if name else str(subject["user_id"]))
    more = f" and {who.height - _SHOWN_AT_MOST:,} more" if who.height > _SHOWN_AT_MOST else ""
    return UsageError(
        f'{who.height:,} people are called "{person}": {", ".join(rows)}{more}.',
        advice=f"Name one of them so: scimops explain {rows[0]} …",
    )


def _subjects(audit: Audit) -> pl.DataFrame:
    """Everybody of whom any source tells: `p`, `n`, `user_id`."""
    asked = audit.coverage.population.people.select("p", "n")
    sides = audit.reconciled.people.select("n", "user_id").join(asked.drop_nulls("n"), on="n", how="left")
    alone = asked.filter(pl.col("n").is_null())
    return pl.concat([sides.select("p", "n", "user_id"), alone], how="diagonal")


def _known(audit: Audit, sources: Sources, subjects: Sequence[Subject] | None = None) -> pl.DataFrame:
    """Under which keys each source knows everybody, or `subjects` alone: `p`, `n` or `user_id`, file and row, keys."""
    rows, asked, users = audit.preview.people, audit.coverage.people, sources.state.snapshot.users
    if subjects is not None:  # the keys of a million people are worked out for nobody
        rows = rows.filter(pl.col("n").is_in([one.n for one in subjects]))
        asked = asked.filter(pl.col("n").is_in([one.p for one in subjects]))
        users = users.filter(pl.col("id").is_in([one.user_id for one in subjects]))
    asked = keyed_people(asked).select("file", "row", *KEYS, p="n")
    users = keyed_people(users).select(*KEYS, user_id="id")
    return pl.concat([rows.select("n", "file", "row", *KEYS), asked, users], how="diagonal")


def stories_of(audit: Audit, sources: Sources, subjects: Sequence[Subject]) -> list[PersonStory]:
    """The stories of several people; logs, export and list of employees are read once."""
    known = _known(audit, sources, subjects)
    parts = [
        known.filter(pl.col(name) == value).select(
            *KEYS, pl.lit(value if name == "user_id" else None, pl.String).alias("user_id"),
            p=pl.lit(number, pl.Int64),
        )
        for number, subject in enumerate(subjects)
        for name, value in zip(Subject._fields, subject, strict=True)
        if value is not None and not (name == "p" and subject.n is not None)
    ]  # fmt: skip
    computer = open_backend("polars")
    told = lines_of(pl.concat(parts), sources.logs, computer) if parts else pl.DataFrame({"p": []})
    around = pl.DataFrame(schema=dict.fromkeys(SHOWN, pl.String))
    if sources.logs.path is not None:
        around = computer.run(_around, events=sources.logs.path).sort("at", "source", "file", "row")
    exports = audit.preview.export if any(one.n is not None for one in subjects) else None, sources.hr
    days = [export.days() if export is not None else pl.DataFrame() for export in exports]
    return [
        _Teller(audit, sources, subject, told.filter(pl.col("p") == number), around, days).story()
        for number, subject in enumerate(subjects)
    ]


def _around(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    return events.filter(nw.col("operation").is_in(list(AROUND))).select(*SHOWN)


def _one(frame: pl.DataFrame, column: str, value: object) -> dict[str, Any]:
    """The row whose `column` is `value`; empty where there is none."""
    found = frame.filter(pl.col(column) == value) if value is not None else frame.clear()
    return next(found.head(1).iter_rows(named=True), {})


class _Teller:
    """Puts one person's story together."""

    def __init__(
        self, audit: Audit, sources: Sources, who: Subject, told: pl.DataFrame, around: pl.DataFrame,
        days: Sequence[pl.DataFrame],
    ) -> None:  # fmt: skip
        self.audit, self.sources, self.who, self.told, self.around = audit, sources, who, told, around
        self.export_days, self.hr_days = days
        self.asked = _one(audit.coverage.people, "n", who.p)
        self.row = _one(audit.preview.placed, "n", who.n)
        self.user = _one(sources.state.snapshot.users, "id", who.user_id)
        sides = audit.reconciled.people
        self.side = _one(sides, "n", who.n) or _one(sides, "user_id", who.user_id)
        group = self.asked.get("group") or self.side.get("wanted") or self.row.get("group") or ""
        self.wanted = tuple(name for name in group.split("\n") if name)
        state = sources.state
        member = state.snapshot.members.filter(pl.col("user_id") == who.user_id) if who.user_id else None
        ids = member["group_id"].to_list() if member is not None else []
        names = state.snapshot.groups.select("id", "name")
        self.held = tuple(sorted(names.filter(pl.col("id").is_in(ids))["name"].to_list()))
        self.group_keys = {group_key(name) for name in (*self.wanted, *self.held)}
        self.enrolments = tuple(self._enrolments(names))

    def story(self) -> PersonStory:
        """The story."""
        status = self.asked.get("status") or self.side.get("status") or "unexplained"
        names = ("firstName", "lastName", "userName", "email", "externalId")
        keys = {name: self.asked.get(name) or self.row.get(name) or self.user.get(name) for name in names}
        keys |= {"file": self.row.get("file") or self.asked.get("file"),
                 "row": self.row.get("row") or self.asked.get("row"), "user_id": self.who.user_id}  # fmt: skip
        who = words.name_of(keys)
        moments = tuple(sorted(self._moments(), key=lambda one: one.at))
        sentence = words.sentence(who, self.asked, self.side, self)
        return PersonStory(who, keys, moments, tuple(self._links()), self.wanted, self.held, self.enrolments, status,
                           sentence)  # fmt: skip

    def _enrolments(self, names: pl.DataFrame) -> Iterator[Enrolled]:
        """Those of the groups they are in or should be in, and those in whose report they are seen."""
        state = self.sources.state
        if state.enrolments is None:
            return
        ours = [one for one, name in names.iter_rows() if group_key(name) in self.group_keys]
        offers = state.enrolment_groups.filter(pl.col("group_id").is_in(ours)).join(
            names, left_on="group_id", right_on="id"
        )
        seen = set(state.enrolled.filter(pl.col("user_id") == (self.who.user_id or ""))["enrolment_id"])
        known = state.enrolments.filter(pl.col("id").is_in([*offers["enrolment_id"], *seen])).sort("name", "id")
        for one in known.iter_rows(named=True):
            groups = tuple(sorted(offers.filter(pl.col("enrolment_id") == one["id"])["name"].to_list()))
            shown = one["id"] in seen if one["readable"] else None
            yield Enrolled(one["name"], groups, one["auto_enrol"], shown)

    def _links(self) -> Iterator[Link]:
        for link in LINKS if self.asked else ():
            yield Link(link, self.asked[link], words.link_words(link, self.asked, self))

    def _moments(self) -> Iterator[Moment]:
        yield from self._days()
        for line in self.told.iter_rows(named=True):
            yield Moment(line["at"], words.place_of(line), words.event_words(line))
        enrolments = {one.name for one in self.enrolments}
        for line in self.around.iter_rows(named=True):
            name = line["name"] or ""
            if (group_key(name) in self.group_keys and "group" in line["operation"]) or name in enrolments:
                yield Moment(line["at"], words.place_of(line), words.event_words(line))
        taken = moment(self.audit.preview.export.taken_at)
        for step in self._placing():
            yield Moment(taken, "export", step)
        if self.user:
            yield Moment(self.audit.at, "platform", words.user_words(self.user, self.side, self.held))
        else:
            none = "The platform has no target user who is this person."
            unmatched = (
                "No target user was matched with this person, for no row of the export that could be read is theirs."
            )
            yield Moment(self.audit.at, "platform", none if self.row else unmatched)

    def _placing(self) -> list[str]:
        """What the export says, and how the rule places them."""
        file, number = (self.row.get(name, self.asked.get(name)) for name in ("file", "row"))
        if number is None or (not self.row and self.asked.get("reason") is None):
            return ["No row of the export is this person."]
        keys = (self.row.get(name) for name in ("externalId", "userName", "email"))
        key = next((text for text in keys if text), str(number))
        return next(
            (one.steps for one in placing_of(self.audit.preview, key) if (one.row, one.file) == (number, file)), []
        )

    def _days(self) -> Iterator[Moment]:
        """First day, the account's, the last day; of the list of employees and of the export."""
        sources: list[tuple[str, dict[str, Any]]] = []
        if self.who.p is not None and self.sources.hr is not None and self.audit.coverage.population.source == "hr":
            sources.append((f"{self.asked['file']} row {self.asked['row']}", self.hr_days.row(self.who.p, named=True)))
        if self.row:
            sources.append((f"{self.row['file']} row {self.row['row']}", self.export_days.row(self.who.n, named=True)))
        for source, days in sources:
            for name, text in words.DAYS.items():
                day: dt.date | None = days[name]
                if day is not None:
                    yield Moment(day.isoformat(), source, text)
