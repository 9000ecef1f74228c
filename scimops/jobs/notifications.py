"""`notifications.yaml`: who is told of which runs; and what of a run is worth telling.

::

    format: 1
    routes:
      - name: night watch
        to: keyring:night-watch       # where the URL of the service is; it holds a secret, so it never stands here
      - name: Acme's admin
        to: file:acme-mail
        on: [failure, withheld]
        companies: [Acme, region=eu*]

A run that went as it did the night before is not told. A failed one, and one whose removals are withheld, are told each
time: each time something did not happen that should have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scimops.connections import Text
from scimops.credentials import parse_reference
from scimops.errors import SettingError, UsageError
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.record import RunRecord
from scimops.yaml_documents import load_document

Event = Literal["failure", "withheld", "new_findings", "recovery"]
"""What can be told of a run."""

EVENTS: Final[tuple[Event, ...]] = get_args(Event)

FINDING_COUNTS: Final = ("findings", "differences", "drift", "to_fix")
"""A step's counts that say how much there is to be looked at."""

_SUBJECT: Final[dict[Event, str]] = {
    "failure": "failed", "withheld": "withheld", "new_findings": "new findings", "recovery": "recovered",
}  # fmt: skip
_LONGEST: Final = 300
_MOST: Final = 20
"""Runs that one message tells at length."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")
"""A count's name, a finding's code. Whatever else a step calls them may be somebody's name."""


def _reference(value: str) -> str:
    try:
        parse_reference(value)
    except UsageError:
        pass
    else:
        return value
    raise ValueError(
        "is no reference. The URL of a service holds a secret: keep it elsewhere, and write here where, as "
        "env:SCIMOPS_NAME, keyring:NAME or file:NAME"
    )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Route(_Part):
    """One way to tell somebody."""

    name: Text = Field(description="what messages on standard error call it")
    to: Annotated[str, AfterValidator(_reference)] = Field(description="where the service's URL is: env:, keyring:, …")
    on: list[Event] = Field(list(EVENTS), description="what is told", min_length=1)
    companies: list[Text] = Field(["*"], description="names, or labels as region=eu; * and ? stand for anything")
    notebooks: list[Text] = Field(["*"], description="names, with or without .ipynb; * and ? stand for anything")
    details: Literal["counts", "findings"] = Field("counts", description="findings: also the codes of what was found")

    def takes(self, notebook: str, company: str, labels: Mapping[str, str]) -> bool:
        """Are runs of this notebook for this company told? Without companies the company is the empty text."""
        ours = [company, *(f"{name}={value}" for name, value in labels.items())]
        return _any(self.companies, ours) and _any(self.notebooks, [notebook, notebook.removesuffix(".ipynb")])


class Notifications(_Part):
    """All routes, format 1."""

    format: Literal[1] = Field(1, description="version of this document's format")
    routes: list[Route] = Field(description="who is told", min_length=1)


def load_notifications(path: Path) -> Notifications:
    """The document.

    Raises:
        SettingError: there is no such file, or something in it is wrong: says where and what is allowed.
    """
    document = load_document(path, Notifications)
    names = [route.name for route in document.routes]
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f'two routes are called "{name}".', where=str(path), advice="Give one another name.")
    return document


def decide(run: RunRecord, before: RunRecord | None, compared: RunRecord | None) -> tuple[Event, ...]:
    """What of a run is told.

    Args:
        run: the run that has ended.
        before: the one before it, of the same notebook and company; None where it is the first.
        compared: the last one before it that was completed, whose counts findings are compared with.
    """
    told: list[Event] = []
    trouble = trouble_of(run)
    if trouble:
        told.append(trouble)
    if run.outcome == "completed" and _more_findings(run, compared):
        told.append("new_findings")
    if is_ok(run) and before is not None and trouble_of(before):
        told.append("recovery")
    return tuple(told)


def is_ok(run: RunRecord) -> bool:
    """Completed, with findings or without."""
    return run.outcome == "completed" and run.exit_code in (0, 3)


def trouble_of(run: RunRecord) -> Literal["failure", "withheld"] | None:
    """What is wrong with a run; None where nothing is.

    A run that Ctrl-C cancelled is not wrong: a person was there. SIGTERM and a terminal that hung up come from a
    scheduler, a time limit of its own or a computer that shuts down, and nobody may have seen it.
    """
    if is_ok(run) or (run.outcome == "cancelled" and run.exit_code == 130):
        return None
    return "withheld" if run.outcome == "completed" and run.exit_code == 4 else "failure"


def _more_findings(run: RunRecord, compared: RunRecord | None) -> bool:
    """One of the counts of findings grew, or the exit code is 3 and was 0. A first run is compared with none."""
    known = compared.counts if compared else {}
    grew = any(run.counts.get(name, 0) > known.get(name, 0) for name in FINDING_COUNTS)
    return grew or (run.exit_code == 3 and (compared is None or compared.exit_code == 0))


@dataclass(frozen=True)
class Message:
    """What is sent: plain text, in lines."""

    subject: str
    lines: tuple[str, ...]
    events: tuple[Event, ...] = ()


def message_of(
    run: RunRecord, events: tuple[Event, ...], head: str, compared: RunRecord | None = None, company: str = "",
    found: Mapping[str, int] | None = None,
) -> Message:  # fmt: skip
    """The message of a run: notebook, company, outcome, counts, where its report and record are; no parameter.

    Args:
        run: the run.
        events: what of it is told.
        head: of the ledger with the run in it.
        compared: the run with whose counts the counts stand together.
        company: its name; empty where there is none.
        found: code of a finding → how many; not given where the route wants counts only.
    """
    notebook = run.notebook.name.removesuffix(".ipynb") if run.notebook else run.step
    what = ", ".join(_SUBJECT[event] for event in events)
    subject = f"scimops: {notebook}{f' for {company}' if company else ''}: {what} (exit code {run.exit_code})"
    rows = {"company": company, "notebook": notebook, "outcome": run.outcome.replace("_", " ")}
    rows |= {"exit code": str(run.exit_code), "counts": _counts(run.counts, compared.counts if compared else {})}
    rows |= {"findings": _counts(found or {}, {}), "run": run.id, "ledger": head, "report": _report(run)}
    lines = tuple(f"{name}: {plain(value)}" for name, value in rows.items() if value)
    return Message(plain(subject), lines, events)


def joined(messages: Sequence[Message]) -> Message:
    """One message of several runs; a single one stays as it is."""
    if len(messages) == 1:
        return messages[0]
    events = [event for message in messages for event in message.events]
    what = ", ".join(f"{events.count(event)} {_SUBJECT[event]}" for event in EVENTS if event in events)
    lines = [line for message in messages[:_MOST] for line in (message.subject, *message.lines, "")]
    lines += [message.subject for message in messages[_MOST:]]
    told = tuple(event for event in EVENTS if event in events)
    return Message(f"scimops: {len(messages)} runs: {what}", tuple(lines), told)


def _counts(counts: Mapping[str, int], before: Mapping[str, int]) -> str:
    """Each count, with what it was where that differs."""
    named = {name: count for name, count in counts.items() if _CODE.fullmatch(name)}
    said = [
        f"{name.replace('_', ' ')} {count:,}{f' (was {before[name]:,})' if before.get(name, count) != count else ''}"
        for name, count in named.items()
    ]
    return ", ".join(said)


def _report(run: RunRecord) -> str:
    if run.folder is None or run.notebook is None:
        return ""
    return str((Path(run.folder) / run.notebook.name).with_suffix(".html"))


def plain(text: str) -> str:
    """`text` in one line without a known secret, that no service takes for a link, a mention or an order.

    Slack mentions by `<!channel>`, Teams by `<at>…</at>`, both hide a link's target behind other words in `[ ]( )` or
    `<|>`. A company's name may have been chosen by somebody else.
    """
    clean = "".join(letter if letter.isprintable() else " " for letter in redacted(text))
    clean = clean.translate(str.maketrans("<>[]", "‹›()"))
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1] + "…"


def _any(patterns: Iterable[str], texts: Iterable[str]) -> bool:
    """Does one of `texts` fit one of `patterns`? Case counts nothing; brackets are brackets."""
    wanted = [pattern.casefold().replace("[", "[[]") for pattern in patterns]
    return any(fnmatchcase(text.casefold(), pattern) for text in texts for pattern in wanted)
