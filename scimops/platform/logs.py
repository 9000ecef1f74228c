"""Jobs and the audit log; the provisioning log, which only the embedded platform shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict, cast

from scimops.http.answers import Json
from scimops.http.faults import AnswerError
from scimops.platform.answers import checked, row_of, rows_of, text_of
from scimops.platform.session import path_of
from scimops.platform.settings import token_of
from scimops.platform.topic import Topic
from scimops.tokens import Secret


class JobStep(TypedDict):
    """A step of a job: how many went well of how many; each error with its `errorMessage` and `inputData`."""

    name: str | None
    currentCount: int
    targetCount: int
    processErrors: list[Json] | None


class Job(TypedDict):
    """A job of the platform; `processResults` are its steps, where one job was asked for."""

    resourceId: str
    name: str | None
    createTime: str | None
    endTime: str | None
    isFinished: bool
    errorMessage: str | None
    processResults: NotRequired[list[JobStep] | None]


class AuditLine(TypedDict):
    """A line of the audit log."""

    resourceId: str | None
    userName: str | None
    entityName: str | None
    entityResourceId: str | None
    operation: str | None
    oldValue: str | None
    newValue: str | None
    ip: str | None
    userAgent: str | None
    logDate: str


class LogCalls(Topic):
    """`/api/jobs`, `/api/audit-logs`, and the embedded platform's `/api/scim/{id}/scimops`."""

    def jobs(self) -> list[Job]:
        """The jobs, the latest first; a platform may show no more than the latest."""
        return self._session.read("/api/jobs", "the jobs", _jobs)

    def job(self, job_id: str) -> Job:
        """One job with its steps."""
        what = f"the job {job_id}"
        return self._session.read(path_of("jobs", job_id, what=what), what, _job_and_steps)

    def audit_log(self, text: str = "") -> Iterator[AuditLine]:
        """The audit log (lines that hold `text`), the oldest first: all of it, or an error at the end."""
        return self._session.search(
            "/api/audit-logs/search", "the lines of the audit log", "resourceId", _line, order="LogDate", text=text,
            size=self._large_page(),
        )  # fmt: skip

    def provisioning_log(self, setting_id: str, **query: str) -> Iterator[Json]:
        """The embedded platform's log of a setting.

        `query`: since, until (times), resource_id, status (`409`, `4xx`), operation, order (oldest, newest).
        """
        return self._by_cursor(setting_id, "log", "lines", "a provisioning log", query)

    def setting_people(self, setting_id: str) -> Iterator[Json]:
        """The people of a setting on the embedded platform as SCIM knows them (externalId, reason, groups)."""
        return self._by_cursor(setting_id, "users", "users", "the people of a setting", {})

    def tokens(self, setting_id: str) -> list[Json]:
        """The tokens of a setting on the embedded platform, by name and hint."""
        self._only_ours("a list of tokens")
        what = f"the tokens of the SCIM setting {setting_id}"
        path = path_of("scim", setting_id, "scimops", "tokens", what=what)
        return self._session.read(path, what, lambda data: rows_of(_additions(data).get("tokens")))

    def rotate_token(self, setting_id: str, **body: str | int) -> Secret:
        """A new token beside the old ones, which stay good for `overlap_hours`; the embedded platform only."""
        self._only_ours("a change of token with an overlap")
        what = f"the SCIM setting {setting_id}"
        path = path_of("scim", setting_id, "scimops", "tokens", "rotate", what=what)
        deed = f"a new token of {what} was made"
        return self._session.write("POST", path, what, deed, token_of, body=body)

    def revoke_token(self, setting_id: str, token_id: str) -> None:
        """End one token of a setting at once; the embedded platform only."""
        self._only_ours("an end of one token alone")
        what = f"the token {token_id} of the SCIM setting {setting_id}"
        path = path_of("scim", setting_id, "scimops", "tokens", token_id, what=what)
        self._session.write("DELETE", path, what, f"{what} was ended", lambda _: None)

    def _by_cursor(self, setting_id: str, part: str, name: str, what: str, query: Mapping[str, str]) -> Iterator[Json]:
        self._only_ours(what)
        path = path_of("scim", setting_id, "scimops", part, what=what)
        cursor: str | None = ""
        while cursor is not None:
            asked = {"limit": "1000", **query, **({"cursor": cursor} if cursor else {})}
            page = self._session.read(path, what, _additions, query=asked)
            before, cursor = cursor, text_of(page, "next")
            yield from rows_of(page.get(name))
            if cursor == before:
                raise AnswerError("The platform gives the same page again.", where=self._session.where)


def _additions(data: Any) -> Json:
    return row_of(row_of(data).get("scimops"))


def _jobs(data: Any) -> list[Job]:
    """A list, one job (the file's schema), or the embedded platform's list beside it."""
    if isinstance(data, list):
        return [_job(row) for row in rows_of(data)]
    row = row_of(data or {})
    if isinstance(additions := row.get("scimops"), dict):
        return [_job(one) for one in rows_of(additions.get("jobs"))]
    return [_job(row)] if text_of(row, "resourceId") else []


def _job(row: Json) -> Job:
    return cast(Job, checked(row, "resourceId", "name createTime endTime errorMessage", "isFinished"))


def _job_and_steps(data: Any) -> Job:
    job = _job(row_of(data))
    for step in rows_of(job.get("processResults")):
        checked(step, texts="name", numbers="currentCount targetCount")
        for error in rows_of(step.get("processErrors")):
            checked(error, texts="errorMessage inputData")
    return job


def _line(row: Json) -> AuditLine:
    return cast(AuditLine, checked(row, "logDate", "userName entityName entityResourceId operation oldValue newValue"))
