"""The evidence file: one ZIP file that an auditor checks without scimops, by what stands in it.

Its bytes follow from what it is made from and from the time alone: no clock, no order of a set, no name of a machine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import polars as pl

import scimops
from scimops.audit.causes import LINKS
from scimops.audit.evidence import METHOD, SAMPLED, counted, drawn
from scimops.audit.explain import PersonStory, Subject, stories_of
from scimops.errors import ScimopsError
from scimops.present import evidence_verify
from scimops.present.audit_files import sheet_name
from scimops.present.cells import flat, safe_frame
from scimops.present.evidence_page import cover_html, sample_html
from scimops.present.files import replaced
from scimops.present.plan_files import findings_sheet
from scimops.present.workbook import write_workbook

if TYPE_CHECKING:
    from scimops.audit.audit import Audit, Question
    from scimops.audit.sources import Sources
    from scimops.findings import Finding
    from scimops.touched import Touched

FORMAT = 1
_FIRST = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the ZIP file: the time is said in the manifest, once."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Evidence:
    """What goes into an evidence file.

    `questions` and `audit` are masked where `masked` is true. `counts`: who was counted as what, by question. `sample`:
    place, sha256, then the chain; empty without a `seed`. `runs`: whole lines of the ledger. `public_key`: PEM.
    """

    audit: Audit
    questions: Sequence[Question]
    findings: Sequence[Finding]
    inputs: Sequence[Touched]
    made: dt.datetime
    by: str
    masked: bool
    counts: dict[str, pl.DataFrame]
    sample: pl.DataFrame
    size: int
    seed: int | None
    stories: Sequence[PersonStory]
    runs: Sequence[bytes]
    public_key: bytes | None

    @property
    def made_at(self) -> str:
        """When, ISO 8601 in UTC to the second."""
        return self.made.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_evidence(
    audit: Audit, questions: Sequence[Question], findings: Sequence[Finding], *, inputs: Sequence[Touched],
    made: dt.datetime, by: str, sources: Sources | None = None, size: int = 0, seed: int | None = None,
    runs: Sequence[bytes] = (), public_key: bytes | None = None,
) -> Evidence:  # fmt: skip
    """Put together what goes into an evidence file.

    Args:
        audit: the audit, masked where people are to be masked.
        questions: its questions with their answers, masked likewise.
        findings: what is shown on the cover.
        inputs: the files that were read.
        made: now.
        by: who makes it.
        sources: what the audit worked on, for the stories of the sample. None where people are masked: a story has the
            free text of logs.
        size: people of the sample.
        seed: of the sample; None: no sample.
        runs: lines of the ledger, each with its newline.
        public_key: of the ledger, PEM.
    """
    counts = {}
    for one in questions:
        table = counted(audit, one)
        if table is not None:
            counts[one.name] = safe_frame(table)
    sample = drawn(counts[SAMPLED].clear() if seed is None else counts[SAMPLED], size, seed or 0)
    people = audit.coverage.people
    chosen = flat(people.drop("n"))[sample["number"].to_list()]
    stories: list[PersonStory] = []
    if sources is not None and sample.height:
        asked = audit.coverage.population.people.select("p", "n").join(
            people.select("user_id", p="n"), on="p", how="left", maintain_order="left"
        )
        stories = stories_of(audit, sources, [Subject(*asked.row(number)) for number in sample["number"]])
    return Evidence(
        audit, questions, findings, inputs, made, by, sources is None, counts,
        pl.concat([sample.drop("number"), chosen], how="horizontal"), size, seed, stories, runs, public_key,
    )  # fmt: skip


def write_evidence(path: Path, evidence: Evidence, sign: Callable[[str], str] | None = None) -> str:
    """Write the evidence file, for its owner alone; it is checked by its own instructions before it is there.

    Args:
        path: the ZIP file; it appears whole or not at all.
        evidence: from :func:`make_evidence`.
        sign: gives the Ed25519 signature of 64 letters as hexadecimal digits; its public key is `evidence.public_key`.

    Returns:
        The SHA-256 of the file.

    Raises:
        ScimopsError: what was written does not hold, such as control totals that do not add up: there is no file.
    """
    with tempfile.TemporaryDirectory(prefix="scimops-") as folder, replaced(path) as draft:
        with ZipFile(draft, "w") as archive:
            archive.comment = b"0" * evidence_verify.END
            bundle = _Bundle(archive, Path(folder))
            _tables(bundle, evidence)
            _texts(bundle, evidence, signed=sign is not None)
            bundle.close(_manifest(evidence), sign)
        digest = _seal(draft)
        wrong = evidence_verify.Check(draft).all().wrong
        if wrong:
            raise ScimopsError(
                f"The evidence does not hold, so it is not written: {'; '.join(wrong)}.",
                advice="This is a fault of scimops. Please report it.",
            )
    return digest


class _Bundle:
    """Files on their way into the ZIP file, with the hash of each."""

    def __init__(self, archive: ZipFile, folder: Path) -> None:
        self.archive, self.folder = archive, folder
        self.files: dict[str, tuple[int, str]] = {}

    def add(self, name: str, data: bytes) -> None:
        """A file of these bytes."""
        with self.archive.open(_member(name), "w") as out:
            out.write(data)
        self.files[name] = (len(data), hashlib.sha256(data).hexdigest())

    def add_csv(self, name: str, frame: pl.DataFrame) -> None:
        """A frame as CSV: UTF-8 with a byte order mark, cells that no spreadsheet runs."""
        path = self.folder / "table.csv"
        safe_frame(frame).write_csv(path, include_bom=True)
        self.add_file(name, path)

    def add_file(self, name: str, path: Path) -> None:
        """A file from disk."""
        with path.open("rb") as stream, self.archive.open(_member(name), "w", force_zip64=True) as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        with path.open("rb") as stream:
            self.files[name] = (path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())

    def close(self, manifest: dict[str, Any], sign: Callable[[str], str] | None) -> None:
        """Add the manifest, its signature and SHA256SUMS."""
        listed = [{"name": name, "size": size, "sha256": digest} for name, (size, digest) in sorted(self.files.items())]
        self.add(
            "manifest.json", (json.dumps(manifest | {"files": listed}, ensure_ascii=False, indent=1) + "\n").encode()
        )
        if sign:
            self.add("manifest.sig", bytes.fromhex(sign(self.files["manifest.json"][1])))
        self.add("SHA256SUMS", "".join(f"{self.files[name][1]}  {name}\n" for name in sorted(self.files)).encode())


def _member(name: str) -> ZipInfo:
    info = ZipInfo(name, _FIRST)
    info.compress_type = ZIP_DEFLATED
    info.create_system = 3  # whatever system writes it
    info.external_attr = 0o600 << 16
    return info


def _seal(path: Path) -> str:
    """Put the SHA-256 of all bytes before it at the end; gives that of the whole file."""
    digest, left = hashlib.sha256(), path.stat().st_size - evidence_verify.END
    with path.open("r+b") as stream:
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
        end = digest.hexdigest().encode()
        stream.write(end)
    digest.update(end)
    return digest.hexdigest()


def _tables(bundle: _Bundle, evidence: Evidence) -> None:
    """The answers and counts as CSV, the sample, and all answers as a workbook."""
    sheets = {"Cover": _cover_sheet(evidence), "Control totals": _totals(evidence)}
    sheets["Findings"] = findings_sheet(list(evidence.findings))
    for one in evidence.questions:
        answer = flat(one.answer)
        bundle.add_csv(f"questions/{one.name}.csv", answer)
        sheets[sheet_name(one.name)] = answer
    for name, counts in evidence.counts.items():
        bundle.add_csv(f"counts/{name}.csv", counts)
    if evidence.seed is not None:
        bundle.add_csv("sample/sample.csv", evidence.sample)
        sheets["Sample"] = evidence.sample
    sheets["Inputs"] = _inputs(evidence)
    workbook = bundle.folder / "evidence.xlsx"
    write_workbook(sheets, workbook)
    _without_clock(workbook, evidence.made_at)
    bundle.add_file("evidence.xlsx", workbook)


def _texts(bundle: _Bundle, evidence: Evidence, *, signed: bool) -> None:
    bundle.add("cover.html", cover_html(evidence, signed=signed).encode())
    bundle.add("VERIFY.md", (_HERE / "evidence_verify.md").read_bytes())
    bundle.add("verify.py", Path(evidence_verify.__file__).read_bytes())
    sums = "".join(f"{one['sha256']}  {one['name']}\n" for one in evidence.inputs if one["sha256"])
    bundle.add("inputs.sha256", sums.encode())
    if evidence.stories:
        bundle.add("sample/stories.html", sample_html(evidence.stories, evidence.seed or 0).encode())
    if evidence.runs:
        bundle.add("runs.ndjson", b"".join(evidence.runs))
    if evidence.public_key:
        bundle.add("public_key.pem", evidence.public_key)


def _manifest(evidence: Evidence) -> dict[str, Any]:
    """Everything for programs, without the list of files."""
    audit, counts = evidence.audit, evidence.counts
    questions = [
        {
            "name": one.name, "title": one.title, "about": one.about, "source": one.source, "how": one.how,
            "population": one.population, "totals": one.totals, "rows": one.answer.height,
            "file": f"questions/{one.name}.csv", "counts": f"counts/{one.name}.csv" if one.name in counts else None,
        }
        for one in evidence.questions
    ]  # fmt: skip
    sample = None
    if evidence.seed is not None:
        sample = {"of": f"counts/{SAMPLED}.csv", "size": evidence.size, "seed": evidence.seed,
                  "method": METHOD.format(question=SAMPLED), "file": "sample/sample.csv"}  # fmt: skip
    return {
        "format": FORMAT, "made_by": evidence.by, "made_at": evidence.made_at, "with": f"scimops {scimops.__version__}",
        "setting": audit.preview.setting.name, "at": audit.at, "masked": evidence.masked, "links": list(LINKS),
        "chain": f"counts/{SAMPLED}.csv", "questions": questions, "sample": sample, "inputs": list(evidence.inputs),
        "runs": "runs.ndjson" if evidence.runs else None,
    }  # fmt: skip


def _cover_sheet(evidence: Evidence) -> pl.DataFrame:
    rows = [("Setting", evidence.audit.preview.setting.name), ("The platform as of (UTC)", evidence.audit.at),
            ("Made (UTC)", evidence.made_at), ("By", evidence.by)]  # fmt: skip
    for one in evidence.questions:
        rows += [(one.title, f"{one.about}: {one.population:,}"), ("Source", one.source), ("How", one.how)]
    return pl.DataFrame(rows, {"what": pl.String, "is": pl.String}, orient="row")


def _totals(evidence: Evidence) -> pl.DataFrame:
    rows = [
        (one.name, total, count)
        for one in evidence.questions
        for total, count in {**one.totals, "together": sum(one.totals.values())}.items()
    ]
    return pl.DataFrame(rows, {"question": pl.String, "counted_as": pl.String, "people": pl.Int64}, orient="row")


def _inputs(evidence: Evidence) -> pl.DataFrame:
    rows = [(one["name"], one["size"], one["sha256"]) for one in evidence.inputs]
    return pl.DataFrame(rows, {"file": pl.String, "bytes": pl.Int64, "sha256": pl.String}, orient="row")


def _without_clock(workbook: Path, made_at: str) -> None:
    """The same workbook with `made_at` for every time in it."""
    draft = workbook.with_suffix(".draft")
    workbook.replace(draft)
    with ZipFile(draft) as given, ZipFile(workbook, "w") as out:
        for name in given.namelist():
            with given.open(name) as stream, out.open(_member(name), "w", force_zip64=True) as to:
                if name == "docProps/core.xml":
                    to.write(re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made_at.encode(), stream.read()))
                else:
                    shutil.copyfileobj(stream, to, 1 << 20)
