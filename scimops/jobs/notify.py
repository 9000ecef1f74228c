"""Tell of a run by mail, a webhook, Slack or Teams, after its record is written; nothing here changes how a run ended.

A route's URL holds a secret. It is fetched when it is needed, and is in no message, error or log of ours; what the
library and the one below it log is kept from other programs' logs.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scimops.connections import checked_url
from scimops.credentials import resolve
from scimops.errors import ScimopsError
from scimops.jobs import RESULT
from scimops.jobs.history import Wanted, runs, the_run
from scimops.jobs.notifications import Message, Notifications, Route, decide, is_ok, joined, message_of, trouble_of
from scimops.jobs.record import RunRecord

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyBase

LIMIT: Final = 30.0
"""Seconds that all routes together may take."""

AGAIN: Final = 2
"""How often a service that fails is asked again, two seconds later each time."""

LOOKED_BACK: Final = 1_000
"""Runs of the notebook among which the ones before are sought."""

_SERVICES: Final = {"NotifyEmail": "mail", "NotifyJSON": "webhook", "NotifySlack": "Slack", "NotifyWorkflows": "Teams"}
_TYPES: Final = {"failure": "failure", "withheld": "warning", "new_findings": "warning", "recovery": "success"}

_SAFE = re.compile(r"\berror=\d{3}\b|onnection error")
_THREAD: Final = "scimops notify"


@dataclass(frozen=True)
class Ran:
    """A run whose record is in a ledger: `head` is that ledger's; `company` is empty where there is none."""

    id: str
    head: str
    ledger: Path | None = None
    company: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """How it went with one route; `problem` is empty where the service took the message."""

    route: str
    events: tuple[str, ...]
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What the file of events gets."""
        return {"event": "notified", "route": self.route, "on": [*self.events], "problem": self.problem}


def notify(
    notifications: Notifications, ran: Sequence[Ran], tell: Callable[[str], None] = lambda _: None
) -> list[Told]:  # fmt: skip
    """Tell of runs, by one message a route; gives how it went with each route that is told.

    A run whose record cannot be read stops no other: `tell` is called with what is wrong.
    """
    messages: dict[str, list[Message]] = {route.name: [] for route in notifications.routes}
    for each in ran:
        try:
            run = the_run(each.id, each.ledger).record
            before, compared = runs_before(run, each.ledger)
        except ScimopsError as error:
            tell(f"Nobody was told of a run: {error}")
            continue
        events = decide(run, before, compared)
        notebook = run.notebook.name if run.notebook else run.step
        for route in notifications.routes:
            wanted = tuple(event for event in events if event in route.on)
            if wanted and route.takes(notebook, each.company, each.labels):
                found = _found(run) if route.details == "findings" else None
                message = message_of(run, wanted, each.head, compared, each.company, found)
                messages[route.name].append(message)
    return send([(route, joined(messages[route.name])) for route in notifications.routes if messages[route.name]])


def runs_before(run: RunRecord, ledger: Path | None = None) -> tuple[RunRecord | None, RunRecord | None]:
    """The run of that notebook before this one, and the last one that was completed; both None where there is none.

    What a person cancelled counts for nothing.
    """
    if run.notebook is None:
        return None, None
    of_notebook = (logged.record for logged in runs(ledger, Wanted(notebook=run.notebook.name)))
    earlier = islice(dropwhile(lambda record: record.id != run.id, of_notebook), 1, LOOKED_BACK)
    before: RunRecord | None = None
    for record in earlier:
        if before is None and (is_ok(record) or trouble_of(record)):
            before = record
        if is_ok(record) or trouble_of(record) == "withheld":
            return before, record
    return before, None


def send(messages: Sequence[tuple[Route, Message]], limit: float = LIMIT) -> list[Told]:
    """Send each message by its route, all at once; returns after `limit` seconds at the latest.

    A service that does not end by then is left alone in a thread that ends with this process.
    """
    problems: dict[int, str] = {}

    def work(place: int, route: Route, message: Message) -> None:
        problems[place] = _sent(route, message)

    threads = [
        threading.Thread(target=work, args=(place, *each), daemon=True, name=f"{_THREAD} {place}")
        for place, each in enumerate(messages)
    ]
    ends = time.monotonic() + limit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    late = f"it did not end within {limit:g} s"
    return [
        Told(route.name, message.events, problems.get(place, late)) for place, (route, message) in enumerate(messages)
    ]


def _sent(route: Route, message: Message) -> str:
    """Send it; what went wrong, never with a part of the URL."""
    from apprise import Apprise, NotifyType

    try:
        url = resolve(route.to)
    except ScimopsError as error:
        return str(error)
    try:
        service, problem = _service(url.reveal())
        if service is None:
            return problem
        sender = Apprise(asset=service.asset)
        sender.add(service)
        # In Markdown, which Teams takes all for, one new line is none.
        lines = ("\n\n" if type(service).__name__ == "NotifyWorkflows" else "\n").join(message.lines)
        kind = NotifyType(_TYPES[message.events[0]] if message.events else "info")
        return _problem(sender.notify(lines, message.subject, notify_type=kind, body_format="text"))
    except Exception as error:  # the library's services raise many kinds, and their words may hold the URL
        return f"the library failed with {type(error).__name__}"


def _service(url: str) -> tuple[NotifyBase | None, str]:
    """The service that a URL names; None, and why it may not be used."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="scimops", app_desc="scimops", app_url="", image_url_mask="", image_path_mask=False, image_url_logo="",
        async_mode=False, service_timeout=0, default_service_retry=AGAIN, default_service_wait=2.0,
        http_redirects=False, storage_mode="memory", pgp_autogen=False, pem_autogen=False,
    )  # fmt: skip
    _keep_quiet()
    service = Apprise.instantiate(url, asset=asset)
    kind = _SERVICES.get(type(service).__name__)
    if service is None or kind is None:
        return (
            None,
            "its URL is none of mail (mailtos://), a webhook (jsons://), Slack (slack://), Teams (workflows://)",
        )
    if not service.verify_certificate:
        return None, "its URL says verify=no, which gives its secret to whoever stands in between"
    if kind == "webhook" and not service.secure:
        try:
            checked_url(f"http://{service.host}")
        except ValueError:
            return None, "its URL is json:// to another computer, which is not private; write jsons://"
    service.request_rate_per_sec = 0  # one message needs no wait between messages
    return service, ""


class _Quiet(logging.Filter):
    """Of what the library and the one below it log while they send for us, only words without a URL are left."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not threading.current_thread().name.startswith(_THREAD):
            return True
        words = _SAFE.search(record.getMessage())
        record.msg, record.args, record.exc_info = words[0] if words else "…", (), None
        return record.name == "apprise"


_QUIET: Final = _Quiet()
_NOWHERE: Final = logging.NullHandler()


def _keep_quiet() -> None:
    """Both log URLs, at every level and to whatever handler somebody gave them."""
    import requests  # noqa: F401  # makes the loggers below it

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("apprise", "urllib3"):
            logging.getLogger(name).addFilter(_QUIET)
    logging.getLogger("apprise").addHandler(_NOWHERE)
    logging.getLogger("apprise").propagate = False


def _problem(result: AppriseResult) -> str:
    """What went wrong, from what the library has to say of it; the words themselves name hosts and people."""
    if result:
        return ""
    said = " ".join(entry.message for entry in result.logs())
    status = re.search(r"\berror=(\d{3})\b", said)
    if status:
        return f"it answered with HTTP status {status[1]}"
    if "onnection error" in said:
        return "it cannot be reached, gives no answer in time, or refuses the sign-in"
    return "it did not take the message"


def _found(run: RunRecord) -> dict[str, int]:
    """Code of each finding → how many, as the step's last result in the output notebook has it."""
    if run.folder is None or run.notebook is None:
        return {}
    try:
        cells = json.loads((Path(run.folder) / run.notebook.name).read_bytes())["cells"]
        outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
        told = [data[RESULT] for data in outputs if RESULT in data][-1]
        return {str(code): int(count) for code, count in told["findings"]}
    except (OSError, ValueError, KeyError, IndexError, TypeError):  # it failed before it said so, or says none
        return {}
