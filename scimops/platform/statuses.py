"""What a status of HTTP, or an envelope that says failure, means: one error with what to do."""

from __future__ import annotations

import datetime as dt
import re

from scimops.http.answers import Answer
from scimops.http.exchange import Request
from scimops.http.faults import (
    AddressError,
    AnswerError,
    BusyError,
    ForbiddenError,
    NameTakenError,
    NotFoundError,
    PlatformError,
    RedirectError,
    RefusedError,
    ServerFaultError,
    UncertainError,
)
from scimops.http.waits import date_of, seconds_to_wait, span
from scimops.platform.answers import Envelope, read_envelope

LOOK_FIRST = "Look on the platform before you try again."
_TAKEN = re.compile(r"already|in use|\btaken\b|duplicate|must be unique", re.IGNORECASE)
_SLOW_CLOCK = dt.timedelta(minutes=2)


def fault_of_status(answer: Answer, asked: Request, company: str) -> PlatformError | None:
    """The error that the status of an answer means; None for a good one. 401 is not decided here."""
    if answer.good:
        return None
    if 300 <= answer.status < 400:
        return RedirectError(f"The platform sends us to {answer.location or 'nowhere'}; nothing is followed.",
                             advice="If that is the platform, write its URL into the connection.")  # fmt: skip
    if answer.status in (429, 503):
        wait = seconds_to_wait(answer)
        when = f"Try again in {span(wait)}." if wait else "Try again later."
        why = "asks us to wait" if answer.status == 429 else "is not available"
        return BusyError(f"The platform {why} ({answer.status}).", advice=when, repeatable=True, wait=wait)
    if answer.status >= 500:
        return _failed(answer, asked)
    return _refused(answer, asked, company)


def fault_of_envelope(envelope: Envelope, asked: Request) -> PlatformError:
    """The error of an answer with a good status whose envelope does not say success."""
    if envelope.ok is False:
        return _told(asked, envelope.texts)
    if asked.deed:
        return UncertainError(
            f"{_sentence(asked.deed)}, it seems, but the answer cannot be read: {envelope.problem}.", advice=LOOK_FIRST
        )
    return AnswerError(f"The answer for {asked.what} cannot be read: {envelope.problem}.",
                       advice="Check the URL of the connection: it must be the platform's management API.")  # fmt: skip


def clock_difference(answer: Answer) -> str:
    """How much this computer's clock differs from the platform's, in words; empty where they agree."""
    theirs = date_of(answer.date)
    if theirs is None:
        return ""
    difference = dt.datetime.now(dt.UTC) - theirs
    if abs(difference) < _SLOW_CLOCK:
        return ""
    way = "ahead of" if difference > dt.timedelta() else "behind"
    return f"This computer's clock is {span(abs(difference.total_seconds()))} {way} the platform's."


def _failed(answer: Answer, asked: Request) -> PlatformError:
    if asked.deed:
        return UncertainError(
            f"The platform failed ({answer.status}) when it was asked: {asked.deed}, or was not; that is not known.",
            advice=LOOK_FIRST,
        )
    return ServerFaultError(
        f"The platform failed ({answer.status}) when it was asked for {asked.what}.",
        advice="Try again later; if it stays so, tell the platform's support.",
        repeatable=answer.status in (502, 504),
    )


def _refused(answer: Answer, asked: Request, company: str) -> PlatformError:
    envelope = read_envelope(answer)
    if answer.status == 403:
        of = f" for the company {company}" if company else ""
        return ForbiddenError(
            f"The credential has no right to {asked.what}{of}.{_their_words(envelope.texts)}",
            advice="Ask the platform's admin for a credential of this company that has it.",
        )
    if answer.status in (404, 405, 410) and (envelope.problem or asked.form is not None):
        return AddressError(
            f"There is no management API at the connection's URL ({answer.status} for {asked.path}).",
            advice="Check the URL; such as https://api.keepnetlabs.com.",
        )
    if answer.status in (404, 410):
        return NotFoundError(f"The platform does not have {asked.what}.{_their_words(envelope.texts)}",
                             advice="It may have been deleted meanwhile; read the list again.")  # fmt: skip
    if answer.status == 409 and asked.names:
        return _taken(asked, envelope.texts)
    return _told(asked, envelope.texts or f"status {answer.status}")


def _told(asked: Request, texts: str) -> PlatformError:
    if asked.names and _TAKEN.search(texts):
        return _taken(asked, texts)
    return RefusedError(f"The platform refuses {asked.what}: {texts or 'it says failure and no reason'}",
                        advice="Correct what it names.")  # fmt: skip


def _taken(asked: Request, texts: str) -> NameTakenError:
    return NameTakenError(f"The platform has one with this name already: {asked.what}.{_their_words(texts)}",
                          advice="Use that one, or choose another name.")  # fmt: skip


def _their_words(texts: str) -> str:
    return f" It says: {texts}" if texts else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
