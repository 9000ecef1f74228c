"""A notebook for many companies: each is a run of its own, in a process of its own with only its own secrets.

In the output folder each company has its own (`companies/NAME`): its ledger `runs.ndjson`, its `parameters.yaml` and
`output`. So one company's folder can be handed over without naming another. The main ledger has one record of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from scimops import touched
from scimops.connections import load_connections
from scimops.credentials import resolve
from scimops.errors import ScimopsError, UsageError, nearest
from scimops.jobs.companies import Company
from scimops.jobs.companies_check import load_companies
from scimops.jobs.each_summary import (
    COMMAND,
    CompanyRun,
    EachRun,
    failed_in,
    result_of,
    results_before,
    sorted_worst_first,
)
from scimops.jobs.history import runs
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.locks import alone
from scimops.jobs.record import Notebook, RunRecord, begin, end, step_of
from scimops.jobs.running import kept, write_broken
from scimops.jobs.stopping import Stopping
from scimops.yaml_documents import write_whole

LONGEST_MESSAGE: Final = 600


def run_each(
    notebook: Path,
    companies_file: Path,
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    parallel: int = 2,
    only: Sequence[str] = (),
    retry_failed: str = "",
    wait: float = 0,
    ledger: Path | None = None,
    report: Callable[[EachRun], None] = lambda _: None,
) -> EachRun:
    """Run `notebook` once for each company; one that fails stops no other.

    Args:
        notebook: the notebook.
        companies_file: the companies (:mod:`scimops.jobs.companies`), checked whole before the first starts.
        folder: for all output; `out/NAME` where not given.
        tell: called with a line for people when a company begins or ends.
        parallel: how many run at a time.
        only: names of the companies to run; all where none is given.
        retry_failed: id of an earlier such run; only its companies that failed or were not run are run.
        wait: seconds to wait for another run of the same job.
        ledger: the main ledger; where not given :func:`scimops.config.ledger_file`.
        report: called with the result when it is in the ledger, before another run may begin.

    Raises:
        UsageError: something is wrong in the file or with a name; nothing has run.
        LockedError: another run of the same job is on its way; nothing has run.
        LedgerError: nothing can be added to the main ledger.
    """
    touched.forget()
    folder = (folder or Path("out") / notebook.stem).absolute()
    companies = load_companies(companies_file, notebook)
    continues, chosen = _chosen(companies, only, retry_failed, notebook, companies_file, ledger)
    given = {"companies": str(companies_file.absolute()), "parallel": parallel} | ({"only": list(only)} if only else {})
    with alone(notebook, folder, wait, tell) as note:
        begun = _begun(notebook, folder, given, continues)
        note(begun.id)
        with kept(begun, ledger) as write, Stopping() as stopping:
            before = results_before(notebook, companies_file, ledger)
            clock = time.perf_counter()
            every = _Every(notebook.absolute(), folder, companies, chosen, wait, stopping, tell)
            asyncio.run(every.run(parallel))
            done = [replace(one, before=before.get(one.name, "")) for one in every.results()]
            each = EachRun(
                begun.id, notebook.name, str(companies_file), str(folder), _time(begun.started), "",
                round(time.perf_counter() - clock, 2), sorted_worst_first(done), stopping.signal, continues,
            )  # fmt: skip
            record = _record(begun, each)
            written = write(record)
        each = replace(each, ended=_time(record.ended), head=written.head)
        report(each)
    return each


def _chosen(
    companies: list[Company], only: Sequence[str], retry_failed: str, notebook: Path, file: Path, ledger: Path | None
) -> tuple[str, list[Company]]:  # fmt: skip
    """The run that is continued, and the companies to run."""
    names = [company.name for company in companies]
    for name in only:
        if name not in names:
            raise UsageError(f'There is no company "{name}".', where=str(file), advice=nearest(name, names))
    wanted, continues = set(only or names), ""
    if retry_failed:
        continues, failed = failed_in(retry_failed, notebook, file, ledger)
        wanted &= set(failed)
    chosen = [company for company in companies if company.name in wanted]
    if not chosen:
        raise UsageError("No company is to be run.", advice="None of them failed in that run, or each of them is no "
                         "longer in the file.")  # fmt: skip
    return continues, chosen


def _begun(notebook: Path, folder: Path, given: Mapping[str, Any], continues: str) -> RunRecord:
    known = Notebook(
        name=notebook.name, path=str(notebook.absolute()), sha256=str(touched.hashed(notebook)["sha256"])
    )  # fmt: skip
    begun = begin(step_of(notebook), COMMAND, given)
    return begun.model_copy(update={"notebook": known, "folder": str(folder), "continues": continues or None})


def _time(time: dt.datetime | None) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else ""


def _record(begun: RunRecord, each: EachRun) -> RunRecord:
    """The parent record: the counts, each company's result, and the head of its ledger."""
    inputs, outputs = touched.collected()
    heads = {one.name: one.head for one in each.companies if one.head}
    record = end(begun, each.outcome, each.exit_code, each.counts, inputs, outputs, heads)
    return record.model_copy(update={"companies": {one.name: one.result for one in each.companies}})


class _Every:
    """All companies' runs on their way."""

    def __init__(
        self, notebook: Path, folder: Path, companies: list[Company], chosen: list[Company], wait: float,
        stopping: Stopping, tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.notebook, self.folder, self.chosen, self.wait = notebook, folder, chosen, wait
        self.stopping, self.tell = stopping, tell
        self.known = load_connections().connections
        self.secrets = {name for company in companies for name in company.variables}
        self.secrets |= {one.reference.removeprefix("env:") for one in self.known.values()
                         if one.reference.startswith("env:")}  # fmt: skip
        self.done: dict[str, CompanyRun] = {}
        self.processes: set[asyncio.subprocess.Process] = set()

    def results(self) -> Iterator[CompanyRun]:
        """In the order of the file."""
        for company in self.chosen:
            yield self.done.get(company.name) or self._blank(company)

    async def run(self, parallel: int) -> None:
        """Run them, `parallel` at a time; a signal ends those on their way, and the others are not run."""
        self.stopping.loop = asyncio.get_running_loop()
        queue = iter(self.chosen)
        watch = asyncio.create_task(self._stop())
        try:
            await asyncio.gather(*(self._work(queue) for _ in range(parallel)))
        finally:
            watch.cancel()
            for process in self.processes:  # none, save after a fault of scimops
                _terminate(process)

    async def _stop(self) -> None:
        """The first signal asks the runs to end, a second one to wait no longer."""
        for event in (self.stopping.asked, self.stopping.hurry):
            await event.wait()
            self.tell(f"{self.stopping.signal}: ending what runs.")
            for process in self.processes:
                _terminate(process)

    async def _work(self, queue: Iterator[Company]) -> None:
        for company in queue:
            if self.stopping.signal:
                return
            self.tell(f"{company.name}: running")
            begun = time.perf_counter()
            try:
                result = await self._one(company)
            except (ScimopsError, OSError) as error:
                result = replace(self._blank(company), result="failed", message=redacted(str(error)))
            result = replace(result, seconds=round(time.perf_counter() - begun, 2))
            self.done[company.name] = result
            why = f": {result.message}" if result.message else ""
            word = result.result.replace("_", " ")
            self.tell(f"{company.name}: {word}, {result.seconds} s ({len(self.done)} of {len(self.chosen)}){why}")

    def _blank(self, company: Company) -> CompanyRun:
        own = self.folder / "companies" / company.folder
        ledger, output = str(own / "runs.ndjson"), str(own / "output")
        return CompanyRun(company.name, ledger=ledger, folder=output, labels=company.labels)

    async def _one(self, company: Company) -> CompanyRun:
        """Run one company to its end.

        Raises:
            ScimopsError: a secret of its cannot be fetched, or its ledger not be written; nothing else has happened.
            OSError: its folder cannot be written, or no process started.
        """
        own = self.folder / "companies" / company.folder
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(write_broken, own / "runs.ndjson")  # what another night left
        write_whole(own / "parameters.yaml", json.dumps(company.parameters, indent=2) + "\n")
        environment = await asyncio.to_thread(self._environment, company, own / "runs.ndjson")
        process = await asyncio.create_subprocess_exec(
            *self._command(company, own), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,  # Ctrl-C comes here, and from here to the runs, once
        )  # fmt: skip
        self.processes.add(process)
        if self.stopping.signal:
            _terminate(process)
        out, err = await process.communicate()
        self.processes.discard(process)
        broken = await asyncio.to_thread(write_broken, own / "runs.ndjson")
        return self._ended(self._blank(company), int(process.returncode or 0), out, err, broken)

    def _command(self, company: Company, own: Path) -> list[str]:
        words = [sys.executable, "-m", "scimops", "run", str(self.notebook), "--json", "--quiet"]
        words += ["--out", str(own / "output"), "--dated", "--ledger", str(own / "runs.ndjson")]
        words += ["-f", str(own / "parameters.yaml")]
        limits = {"--timeout": company.limits.timeout, "--cell-timeout": company.limits.cell_timeout}
        limits["--wait"] = self.wait or None
        return words + [word for name, value in limits.items() if value for word in (name, str(value))]

    def _environment(self, company: Company, ledger: Path) -> dict[str, str]:
        """This process's, without what is another company's; what runs in it writes into the company's own ledger."""
        connection = self.known[company.connection].reference if company.connection else ""
        own = company.variables | {connection.removeprefix("env:")}
        without = (self.secrets - own) | {"SCIMOPS_NOTIFICATIONS"}  # messages are sent by whoever runs all
        kept = {name: value for name, value in os.environ.items() if name not in without}
        fetched = {name: resolve(reference).reveal() for name, reference in company.environment.items()}
        return kept | fetched | {"SCIMOPS_LEDGER": str(ledger)}

    def _ended(
        self, blank: CompanyRun, code: int, out: bytes, err: bytes, broken: list[RunRecord]
    ) -> CompanyRun:  # fmt: skip
        """What came of a company's process."""
        newest = next(runs(Path(blank.ledger)), None)
        blank = replace(blank, head=f"{newest.number}:{newest.hash}" if newest else "")
        if broken:
            run = broken[-1]
            message = f"Its runner was killed ({code}): what had begun may be half done."
            return replace(blank, result="failed", outcome=run.outcome, run=run.id, message=message)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(out)
            return replace(
                blank, result=result_of(said["outcome"], said["exit_code"]), outcome=said["outcome"],
                exit_code=said["exit_code"], counts=said["counts"], message=said["message"], run=said["id"],
                page=said["page"],
            )  # fmt: skip
        if self.stopping.signal and code < 0:  # it had not begun
            return blank
        last = ["", *redacted(err.decode("utf-8", "replace")).split("\n")]
        message = next((line for line in reversed(last) if line.strip()), f"It ended with {code} and said nothing.")
        return replace(blank, result="failed", exit_code=code if code >= 0 else None, message=message[:LONGEST_MESSAGE])


def _terminate(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
