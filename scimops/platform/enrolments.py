"""Enrolments (trainings sent to target groups), and who is in their reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from scimops.http.answers import Json
from scimops.http.faults import AnswerError
from scimops.platform.answers import checked, needed, row_of
from scimops.platform.session import path_of
from scimops.platform.topic import Topic


class Enrolment(TypedDict):
    """An enrolment. `isAutoEnrollmentActive`: whoever joins one of its groups later should be enrolled too."""

    enrollmentId: str
    name: str
    trainingName: str | None
    isAutoEnrollmentActive: bool
    status: str | None
    startDate: str


@dataclass(frozen=True)
class EnrolmentDetail:
    """An enrolment with the ids of its target groups."""

    id: str
    name: str
    auto_enrol: bool
    group_ids: tuple[str, ...]


class ReportUser(TypedDict):
    """A person in the report of an enrolment: enrolled, since when the platform does not say (platform facts)."""

    targetUserResourceId: str | None
    email: str | None
    status: str | None
    department: str | None
    firstCompletionDate: str | None
    lastInteractionDate: str | None


class EnrolmentCalls(Topic):
    """`/api/enrollments` and `/api/training-reports`."""

    def enrolments(self) -> list[Enrolment]:
        """Every enrolment of the company, the oldest first."""
        what = "the enrolments"
        return list(
            self._session.search("/api/enrollments/search", what, "enrollmentId", _enrolment, capitals=True)
        )  # fmt: skip

    def enrolment(self, enrolment_id: str) -> EnrolmentDetail:
        """One enrolment."""
        what = f"the enrolment {enrolment_id}"
        path = path_of("enrollments", enrolment_id, what=what)
        return self._session.read(path, what, lambda data: _detail(data, enrolment_id))

    def training_report_users(self, enrolment_id: str) -> Iterator[ReportUser]:
        """Who is enrolled: all of them, or an error at the end."""
        what = f"the people of the enrolment {enrolment_id}"
        path = path_of("training-reports", enrolment_id, "users", "search", what=what)
        return self._session.search(
            path, what, "resourceId", _report_user, order="Email", capitals=True, size=self._large_page()
        )


def _enrolment(row: Json) -> Enrolment:
    texts = "trainingName status startDate"
    return cast(Enrolment, checked(row, "enrollmentId name", texts, "isAutoEnrollmentActive"))


def _detail(data: Any, enrolment_id: str) -> EnrolmentDetail:
    row = row_of(data)
    ids = row.get("targetGroupResourceIds") or []
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise AnswerError('The answer has no ids at "targetGroupResourceIds".')
    return EnrolmentDetail(enrolment_id, needed(row, "name"), row.get("enrollmentAutoEnroll") is not None, tuple(ids))


def _report_user(row: Json) -> ReportUser:
    return cast(ReportUser, checked(row, texts="targetUserResourceId email status department"))
