"""`scimops demo`: the whole story once, on invented people, against an embedded platform of its own.

Everything is below one folder: its configuration, its platform, its ledger. What it runs are the commands and notebooks
that anybody runs; each notebook is an audited job.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scimops.cli.common import complain as say
from scimops.cli.common import print_counts
from scimops.cli.demo_company import DELETED, SWITCHED_OFF, Company, make_company, push_changes
from scimops.errors import ScimopsError

if TYPE_CHECKING:
    from scimops.jobs.run import Run

PLATFORM, SCIM = "demo", "demo-scim"
"""The connections: to the management API, and to the SCIM endpoint of the setting."""

_TOKEN: Final = "file:demo-token"  # noqa: S105  # where it is, not what it is
WRITING: Final = ("02_preview_groups", "03_plan_and_apply", "04_audit_provisioning")
"""The notebooks that write files of their own."""

Parameters = dict[str, str | Path]

_UP, _PAUSE = 60.0, 0.1
"""Seconds that the platform may take to start, and between two looks whether it did."""

_SHOWN = 150
"""Letters of a command that are shown."""


@dataclass
class Demo:
    """The demo in a folder `work` that has the notebooks; `story` is made anew by each run."""

    work: Path
    ledger: Path
    quiet: bool = False
    runs: list[Run] = field(default_factory=list)
    port: int = 0

    @property
    def again(self) -> list[str]:
        """How to go on with the demo's platform and connections once it has ended."""
        return [
            f"scimops serve --port {self.port} --database {self._database}",
            f"in another terminal, with SCIMOPS_CONFIG={self._config} in its environment: scimops lab {self.work}",
        ]

    @property
    def story(self) -> Path:
        """Where the platform, the configuration and the exports of the demo are."""
        return self.work / "story"

    def tell(self) -> None:
        """The whole story, step by step.

        Raises:
            ScimopsError: a step failed; says which and why.
        """
        shutil.rmtree(self.story, ignore_errors=True)
        self.story.mkdir(mode=0o700)
        company = make_company(self.story)
        setting = self.story / "setting.yaml"
        shutil.copyfile(self.work / "sample_data" / "setting.yaml", setting)
        given: Parameters = {"export": company.yesterday, "setting": setting}
        of_audit: Parameters = {"connection": PLATFORM, "keep": self.story / "kept"}
        with _environment(self._config, self.ledger), self._platform() as url:
            self._connect(url)
            self._make_setting(setting, company)
            say("Guide: what the identity provider must be told, and whether the platform is as the document says.")
            self._job("setting", "01_create_setting", given | {"connection": PLATFORM})
            say("Preview: where everybody would land, before anything is sent.")
            self._job("preview", "02_preview_groups", given)
            say("Plan and apply: the people are sent for the first time, and each step leaves a receipt.")
            self._job("apply", "03_plan_and_apply", given | {"connection": SCIM, "apply": "true"})
            switched = self._give_trainings()
            say("Audit of the first day: did everybody arrive?")
            self._job("audit_first_day", "04_audit_provisioning", given | of_audit)
            self._second_day(company, switched)
            say("Audit of the second day: it has to find each of these faults.")
            given["export"] = company.today
            of_audit |= {"exports": company.yesterday, "applied": self.work / "apply" / "files" / "plan.json"}
            self._job("audit", "04_audit_provisioning", given | of_audit | {"fail_on": "error"})
            say("Review of runs: what ran, and whether anybody changed the ledger since.")
            self._job("review", "05_review_runs", {"ledger": self.ledger})

    def _connect(self, url: str) -> None:
        say("Connection: the address of the platform and where its secret is kept, under a name.")
        file = self.story / "credentials.json"
        self._run("connection", "add", PLATFORM, "--url", url, "--from-file", str(file), "--store", "file")
        file.unlink()
        self._run("connection", "test", PLATFORM, "--pin")

    def _make_setting(self, setting: Path, company: Company) -> None:
        from scimops.create_setting.record import read_record

        say("Setting: created from its document; its token goes into a file that only you may read.")
        self._run("setting", "create", str(setting), "--connection", PLATFORM, "--export", str(company.yesterday),
                  "--yes", "--token-to", _TOKEN)  # fmt: skip
        url = read_record(setting).connections[PLATFORM].url or ""
        self._run("connection", "add", SCIM, "--kind", "scim", "--url", url, "--secret-ref", _TOKEN)

    def _give_trainings(self) -> str:
        """Each group has a training; the id of the enrolment that is switched off later."""
        from scimops import platform
        from scimops.connections import get_connection

        say("By hand: an admin gives each group its training, with auto-enrol on.")
        with platform.connect(get_connection(PLATFORM)) as there:
            names = [str(group["name"]) for group in there.target_groups()]
        others = [word for name in names if name != SWITCHED_OFF for word in ("--group", name)]
        self._serve("enrol", "Security basics", *others)
        return self._serve("enrol", f"Security for {SWITCHED_OFF}", "--group", SWITCHED_OFF).strip()

    def _second_day(self, company: Company, switched: str) -> None:
        """The identity provider takes over, and an admin makes two mistakes."""
        from scimops import client
        from scimops.connections import get_connection

        say("The identity provider takes over and sends the changes of a day:")
        with client.connect(get_connection(SCIM)) as service_provider:
            for words in push_changes(company, service_provider):
                say(f"  {words}")
        self._serve("enrol-new")
        say(f"By hand: an admin deletes the group {DELETED}, and switches auto-enrol off for {SWITCHED_OFF}.")
        self._serve("delete-group", DELETED)
        self._serve("auto-enrol", switched, "--off")

    def _job(self, folder: str, name: str, parameters: Parameters) -> None:
        """One notebook as an audited job; its numbers are shown.

        Raises:
            ScimopsError: it did not come to its end.
        """
        from scimops.jobs.audited import run_audited

        place, notebook = self.work / folder, self.work / "notebooks" / f"{name}.ipynb"
        if name in WRITING:
            parameters = parameters | {"out": place / "files"}
        told = [(key, str(value)) for key, value in parameters.items()]
        run, _ = run_audited(notebook, told, place, ledger=self.ledger)
        self.runs.append(run)
        if run.message:
            raise ScimopsError(run.message, where=notebook.name)
        if not self.quiet:
            print_counts(run.counts)
        if run.exit_code:
            say(f"Its exit code is {run.exit_code}.")

    def _run(self, *words: str) -> str:
        """One command of scimops, shown as it can be typed; what it prints.

        Raises:
            ScimopsError: it failed; says what it said.
        """
        shown = " ".join(_shown(word, self.story) for word in words)
        say(f"  $ scimops {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + ' …'}")
        done = subprocess.run(  # noqa: S603  # our own words
            _program(*words), cwd=self.story, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            encoding="utf-8", check=False,
        )  # fmt: skip
        if done.returncode:
            raise ScimopsError(f"scimops {shown}: {done.stderr.strip()}")
        return done.stdout

    def _serve(self, *words: str) -> str:
        return self._run("serve", *words, "--database", self._database)

    @property
    def _config(self) -> Path:
        return self.story / "config"

    @property
    def _database(self) -> str:
        return f"sqlite:///{(self.story / 'platform.db').as_posix()}"

    @contextlib.contextmanager
    def _platform(self) -> Iterator[str]:
        """An embedded platform on a free port, stopped at the end; its URL."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        say(f"An embedded platform is started for this demo, on port {self.port}; it ends with the demo.")
        words = ("serve", "--port", str(self.port), "--database", self._database,
                 "--credentials-file", str(self.story / "credentials.json"))  # fmt: skip
        log = self.story / "platform.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(_program(*words), cwd=self.story, stdout=stream, stderr=stream)  # noqa: S603
            try:
                url = f"http://127.0.0.1:{self.port}"
                _wait_until_ready(process, url, log)
                yield url
            finally:
                process.terminate()
                process.wait()


def _program(*words: str) -> list[str]:
    # -P: a file called scimops.py in the working folder must not be taken for the program
    return [sys.executable, "-P", "-m", "scimops", *words]


def _shown(word: str, story: Path) -> str:
    """A word of a command, with paths as they are from the story's folder."""
    short = word.replace(f"{story.as_posix()}/", "").replace(f"{story}{os.sep}", "")
    return f'"{short}"' if " " in short else short


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until the platform answers.

    Raises:
        ScimopsError: it ended, or does not answer.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + _UP
    while process.poll() is None and time.monotonic() < until:
        try:
            opener.open(f"{url}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(_PAUSE)
        else:
            return
    raise ScimopsError("The embedded platform did not start.", where=str(log), advice="Read why there.")


@contextlib.contextmanager
def _environment(config: Path, ledger: Path) -> Iterator[None]:
    """The demo's own configuration, so that it needs none and touches none; for commands, jobs and their kernels."""
    own = {"SCIMOPS_CONFIG": str(config), "SCIMOPS_LEDGER": str(ledger)}
    others = ("SCIMOPS_CREDENTIALS_DIR", "SCIMOPS_NOTIFICATIONS")
    before = {name: os.environ.pop(name, None) for name in (*own, *others)}
    config.mkdir(mode=0o700)
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
