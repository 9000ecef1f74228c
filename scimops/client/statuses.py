"""What a status and the error document of SCIM mean (RFC 7644 §3.12, RFC 9865 §2): one error with what to do."""

from __future__ import annotations

from scimops.client.faults import ChangedError, ConflictError, CursorError
from scimops.http.answers import Answer, Json, read_json
from scimops.http.exchange import Request
from scimops.http.faults import (
    AddressError,
    AnswerError,
    BusyError,
    CredentialsError,
    ForbiddenError,
    NotFoundError,
    PlatformError,
    RedirectError,
    RefusedError,
    ServerFaultError,
)
from scimops.http.told import cleaned
from scimops.http.waits import seconds_to_wait, span

CHECK_URL = "Check the URL of the connection; it mostly ends with /scim/v2 or /scim."

ADVICE = {
    "uniqueness": "Look for who has it already; two people cannot share it.",
    "tooMany": "Ask for less at a time.",
    "invalidFilter": "The service provider does not know this filter or attribute.",
    "mutability": "Leave out what cannot be changed there.",
    "invalidSyntax": "The service provider wants another form of request; tell its support what it says.",
    "invalidPath": "Check the attribute path of the field mapping.",
    "noTarget": "Read the person or group again: what was to be changed is not there.",
    "invalidValue": "Correct the value that it names.",
    "invalidVers": "Check the version in the URL of the connection.",
    "expiredCursor": "Read the list again from its start.",
    "invalidCursor": "Read the list again from its start.",
    "sensitive": "Send that in the body, not in the URL.",
}
"""What to do, by `scimType`."""


def said_by(answer: Answer) -> tuple[str, str]:
    """What the service provider says of a failure, cleaned, and its `scimType`; empty where it says nothing."""
    document, _ = read_json(answer)
    if not isinstance(document, dict):
        return "", ""
    detail, kind = document.get("detail"), document.get("scimType")
    return (cleaned(detail.strip()) if isinstance(detail, str) else ""), (kind if isinstance(kind, str) else "")


def fault_of(answer: Answer, asked: Request) -> PlatformError | None:
    """The error that an answer means; None for a good one."""
    if answer.good:
        return None
    if 300 <= answer.status < 400:
        return RedirectError(f"The service provider sends us to {answer.location or 'nowhere'}; nothing is followed.",
                             advice="If that is right, write its URL into the connection.")  # fmt: skip
    if answer.status in (429, 503):
        wait = seconds_to_wait(answer)
        why = "asks us to wait" if answer.status == 429 else "is not available"
        when = f"Try again in {span(wait)}." if wait else "Try again later."
        return BusyError(f"The service provider {why} ({answer.status}).", advice=when, repeatable=True, wait=wait)
    detail, kind = said_by(answer)
    words = f" It says: {detail}" if detail else ""
    if answer.status >= 500:
        return ServerFaultError(
            f"The service provider failed ({answer.status}) when it was asked for {asked.what}.{words}",
            advice="Try again later; if it stays so, tell its support.", repeatable=answer.status in (502, 504),
        )  # fmt: skip
    return _refused(answer.status, asked, words, kind, bool(detail or kind))


def _refused(  # noqa: PLR0911  # one line a status
    status: int, asked: Request, words: str, kind: str, is_scim: bool
) -> PlatformError:
    if status == 401:
        return CredentialsError("The service provider does not take the token.",
                                advice="Renewed meanwhile? `scimops setting revoke` gives a new one.")  # fmt: skip
    if status == 403:
        return ForbiddenError(f"The token has no right to {asked.what}.{words}",
                              advice="Use the token of the setting that is to be filled.")  # fmt: skip
    if status in (404, 405, 410):
        if is_scim and status != 405:
            return NotFoundError(f"The service provider does not have {asked.what}.{words}",
                                 advice="It may have been deleted meanwhile; make the plan again.")  # fmt: skip
        return AddressError(f"There is no SCIM endpoint at the connection's URL ({status} for {asked.path}).",
                            advice=CHECK_URL)  # fmt: skip
    if status == 409:
        return ConflictError(f"The service provider has somebody else with the same: {asked.what}.{words}",
                             advice=ADVICE["uniqueness"])  # fmt: skip
    if status == 412:
        return ChangedError(f"Somebody changed {asked.what} since it was read.{words}", advice="Make the plan again.")
    message = f"The service provider refuses {asked.what} ({status}{f', {kind}' if kind else ''}).{words}"
    return (CursorError if "cursor" in kind.lower() else RefusedError)(
        message, advice=ADVICE.get(kind, "Correct what it names.")
    )


def document_of(answer: Answer, asked: Request) -> Json:
    """The document of a good answer.

    Raises:
        AnswerError: there is none.
    """
    document, problem = read_json(answer)
    if problem or not isinstance(document, dict):
        problem = problem or "it is no object"
        raise AnswerError(f"The answer for {asked.what} cannot be read: {problem}.", advice=CHECK_URL)
    return document
