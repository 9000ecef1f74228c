"""What the platform holds as an audit sees it: a snapshot, the enrolments and who is in their reports."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from scimops import frames
from scimops.audit.frames import ENROLLED, ENROLMENT_GROUPS, ENROLMENTS
from scimops.client.faults import SnapshotError
from scimops.client.management import People, read_from_platform
from scimops.client.snapshot import Snapshot, load_snapshot
from scimops.http.faults import ForbiddenError
from scimops.yaml_documents import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scimops.platform import Enrolment, EnrolmentDetail, ReportUser
    from scimops.setting import Setting

FORMAT = 1
_SCHEMAS = {"enrolments": ENROLMENTS, "enrolment_groups": ENROLMENT_GROUPS, "enrolled": ENROLLED}


class Enrolments(People, Protocol):
    """What is needed of :class:`scimops.platform.Platform`."""

    def enrolments(self) -> list[Enrolment]:
        """Every enrolment."""

    def enrolment(self, enrolment_id: str) -> EnrolmentDetail:
        """One enrolment with its groups."""

    def training_report_users(self, enrolment_id: str) -> Iterator[ReportUser]:
        """Who is enrolled."""


@dataclass(frozen=True)
class State:
    """A snapshot with the enrolments (schemas `enrolments`, `enrolment_groups`, `enrolled`).

    `enrolments` is None where nobody may read them: over SCIM, or with a credential without the right.
    """

    snapshot: Snapshot
    enrolments: pl.DataFrame | None
    enrolment_groups: pl.DataFrame
    enrolled: pl.DataFrame

    def __repr__(self) -> str:
        return f"<State of {self.snapshot.where}: {self.enrolled.height:,} seen in reports, {self.snapshot!r}>"

    def save(self, folder: str | Path) -> None:
        """Write it into `folder`, for its owner alone: the snapshot, Parquet files, then `state.json`."""
        place = Path(folder)
        self.snapshot.save(place / "snapshot")
        for name in _SCHEMAS:
            frame = getattr(self, name)
            with os.fdopen(
                os.open(place / f"{name}.parquet", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as to:
                (frame if frame is not None else _frame([], "enrolments")).write_parquet(to)
        document = {"format": FORMAT, "enrolments": self.enrolments is not None}
        write_whole(place / "state.json", json.dumps(document) + "\n")


def without_enrolments(snapshot: Snapshot) -> State:
    """The state of a service provider that shows no enrolments."""
    return State(snapshot, None, _frame([], "enrolment_groups"), _frame([], "enrolled"))


def load_state(folder: str | Path) -> State:
    """The state that was saved in `folder`.

    Raises:
        SnapshotError: it is not there or not whole.
    """
    place = Path(folder)
    snapshot = load_snapshot(place / "snapshot")
    try:
        document = json.loads((place / "state.json").read_text("utf-8"))
        loaded = {name: frames.check(pl.read_parquet(place / f"{name}.parquet"), schema)
                  for name, schema in _SCHEMAS.items()}  # fmt: skip
        readable = document["format"] == FORMAT and document["enrolments"]
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        raise SnapshotError(
            "There is no whole state here.", where=str(place), advice="Read the platform again."
        ) from None
    return State(snapshot, loaded["enrolments"] if readable else None, loaded["enrolment_groups"], loaded["enrolled"])


def read_state(platform: Enrolments, setting: Setting, where: str) -> State:
    """People, groups, enrolments and their reports through the management API.

    An enrolment whose report the credential may not see is `readable: false`.

    Raises:
        SnapshotError: people or groups changed while they were read, twice.
        PlatformError: one of :mod:`scimops.http.faults`.
    """
    snapshot = read_from_platform(platform, setting, where)
    try:
        rows = platform.enrolments()
    except ForbiddenError:
        return without_enrolments(snapshot)
    enrolments, groups, enrolled = [], [], []
    for row in rows:
        name = row["enrollmentId"]
        groups += [(name, group) for group in platform.enrolment(name).group_ids]
        seen = _report(platform, name)
        enrolments.append((name, row["name"], row["isAutoEnrollmentActive"], seen is not None))
        enrolled += [(name, user) for user in seen or []]
    return State(
        snapshot, _frame(enrolments, "enrolments"), _frame(groups, "enrolment_groups"), _frame(enrolled, "enrolled")
    )


def _report(platform: Enrolments, enrolment_id: str) -> list[str] | None:
    try:
        users = [row["targetUserResourceId"] for row in platform.training_report_users(enrolment_id)]
    except ForbiddenError:
        return None
    return [user for user in users if user]


def _frame(rows: Sequence[tuple[object, ...]], name: str) -> pl.DataFrame:
    frame = pl.DataFrame(rows, frames.polars_types(_SCHEMAS[name]), orient="row")
    return frames.check(frame.unique(maintain_order=True), _SCHEMAS[name])
