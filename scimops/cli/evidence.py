"""Options of `scimops audit` for an evidence file, and what brings it together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import complain
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.audit.audit import Audit, Question
    from scimops.audit.sources import Sources
    from scimops.findings import Finding

EVIDENCE = Annotated[
    Path | None, typer.Option(help="Everything for an auditor, checked without scimops.", metavar="FILE.zip")
]
SAMPLE = Annotated[
    int | None, typer.Option(help="With --evidence: whole chains of so many people.", metavar="N", min=1, max=1000)
]
SEED = Annotated[
    int | None, typer.Option(help="Number that decides who is in the sample; the auditor says it.", metavar="N", min=0)
]


def check(evidence: Path | None, sample: int | None, seed: int | None) -> None:
    """Do these options go together? Before anything is read.

    Raises:
        UsageError: they do not, or there is no such folder.
    """
    if evidence is None and (sample is not None or seed is not None):
        raise UsageError("A sample stands in an evidence file.", advice="Say --evidence FILE.zip too.")
    if (sample is None) != (seed is None):
        raise UsageError("A sample needs its size and its seed.", advice="Say both, such as --sample 25 --seed 7.")
    if evidence is not None and not evidence.absolute().parent.is_dir():
        raise UsageError("There is no such folder.", where=str(evidence.parent), advice="Make it, or name another.")


def write(
    path: Path, audit: Audit, questions: Sequence[Question], findings: Sequence[Finding], *,
    files: Iterable[Path | None], sources: Sources | None, sample: int | None = None, seed: int | None = None,
    ledger: Path | None = None,
) -> None:  # fmt: skip
    """Write an evidence file; signed where the ledger is.

    Args:
        path: the ZIP file.
        audit: the audit; questions and findings: what is shown of it. All masked where people are masked.
        questions: with their answers.
        findings: what was found.
        files: what was read; a folder stands for all files in it, None for nothing.
        sources: what the audit worked on; None where people are masked.
        sample: people of the sample.
        seed: of the sample.
        ledger: where runs are looked for that read or wrote one of the files.

    Raises:
        ScimopsError: the evidence does not hold, or the ledger cannot be read.
    """
    from scimops.audit.evidence import inputs_of
    from scimops.jobs.record import who_runs
    from scimops.jobs.signing import public_key_file, signer
    from scimops.present.evidence_file import make_evidence, write_evidence

    inputs, signs, who = inputs_of(files), signer(), who_runs()
    hashes = {str(one["sha256"]) for one in inputs if one["sha256"]}
    made = make_evidence(
        audit, questions, findings, inputs=inputs, made=dt.datetime.now(dt.UTC), by=f"{who.user} at {who.host}",
        sources=sources, size=sample or 0, seed=seed, runs=list(_runs(hashes, ledger)),
        public_key=public_key_file().read_bytes() if signs else None,
    )  # fmt: skip
    digest = write_evidence(path, made, signs.sign if signs else None)
    signed = "signed" if signs else "not signed (scimops runs key makes the key)"
    complain(f"Evidence written to {path}, {signed}. Keep its SHA-256 elsewhere: {digest}")


def _runs(hashes: set[str], ledger: Path | None) -> Iterator[bytes]:
    """The whole lines of the ledger that name one of these hashes."""
    from scimops.config import ledger_file
    from scimops.jobs.ledger import read_line

    path = ledger or ledger_file()
    if not hashes or not path.is_file():
        return
    needles = [one.encode() for one in sorted(hashes)]
    with path.open("rb") as stream:
        for line in stream:
            if any(needle in line for needle in needles) and read_line(line):
                yield line
