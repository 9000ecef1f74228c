"""The evidence file: checked without scimops by its own instructions; a changed byte and a wrong total are found."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import random
import re
import shutil
import subprocess
import venv
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from scimops.audit.audit import Audit, audit
from scimops.audit.evidence import inputs_of
from scimops.audit.sources import Sources, gather
from scimops.audit.state import load_state
from scimops.cli import app
from scimops.cli import evidence as evidence_options
from scimops.errors import ScimopsError, UsageError
from scimops.jobs.running import recorded
from scimops.jobs.signing import make_key, public_key_file
from scimops.present import evidence_verify
from scimops.present.evidence_file import Evidence, make_evidence, write_evidence
from scimops.samples.story import Story, write_story
from scimops.setting import load_setting

MADE = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
Read = tuple[Story, Audit, Sources]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A story with some faults, audited."""
    faults = [("left_renamed", "leaver 4"), ("value_stale", "Operations 6"), ("auto_enrol_off", "Human Resources"),
              ("two_accounts", "Engineering 1"), ("bad_email", "new 7")]  # fmt: skip
    story = write_story(tmp_path_factory.mktemp("story"), faults)
    sources = gather(
        story.exports[-1], load_setting(story.setting), load_state(story.state), story.logs, story.hr, story.folder
    )
    return story, audit(sources.preview, sources.state, sources.logs, hr=sources.hr, found=sources.found), sources


def evidence_of(read: Read, **more: Any) -> Evidence:
    story, found, sources = read
    given = {"inputs": inputs_of([story.exports[-1], story.state, None]), "made": MADE, "by": "anna at desk",
             "sources": sources, "size": 25, "seed": 7}  # fmt: skip
    return make_evidence(found, found.questions, found.findings, **(given | more))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without any package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    tried = subprocess.run([python, "-I", "-c", "import scimops"], capture_output=True, text=True, check=False)
    assert "No module named 'scimops'" in tried.stderr
    return python


@pytest.fixture(scope="module")
def signed(read: Read, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """An evidence file as the command line writes it, with signature and runs; and the public key."""
    place = tmp_path_factory.mktemp("signed")
    story, found, sources = read
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_CONFIG", str(place / "config"))
        patch.setenv("SCIMOPS_LEDGER", str(place / "runs.ndjson"))
        make_key()
        with recorded("preview_groups", "preview", {"setting": "s.yaml"}):
            from scimops.idp import read_export

            read_export(story.exports[-1])
        with recorded("preview_groups", "preview", {"setting": "of something else"}):
            pass
        with recorded("audit_provisioning", "audit", {}) as recording:
            evidence_options.write(
                place / "evidence.zip", found, found.questions, found.findings,
                files=[story.exports[-1], story.setting, story.state, *story.logs, None], sources=sources, sample=25,
                seed=7,
            )  # fmt: skip
        assert recording.written
        yield place / "evidence.zip", public_key_file()


def checked(python: Path, path: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """What an auditor does by VERIFY.md: take verify.py out, and run it alone."""
    program = path.with_suffix(".py")
    with zipfile.ZipFile(path) as archive:
        program.write_bytes(archive.read("verify.py"))
    return subprocess.run([python, "-I", program, path, *words], capture_output=True, text=True, check=False)


def test_checked_without_scimops_by_its_own_instructions(signed: tuple[Path, Path], bare: Path) -> None:
    path, key = signed
    with zipfile.ZipFile(path) as archive:
        text = archive.read("VERIFY.md").decode()
    assert "python3 -I verify.py EVIDENCE.zip --key ledger.pub" in text
    said = checked(bare, path, "--key", key)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines()[-1] == "ALL GOOD"
    assert "Signature: 2 good, by your copy of the key." in said.stdout  # the manifest and the one run of the export
    assert "Sample: 25 people, those whom seed 7 gives." in said.stdout
    assert len(re.findall("^Question .* counted again", said.stdout, re.MULTILINE)) == 4


def test_the_commands_of_verify_md(signed: tuple[Path, Path], tmp_path: Path) -> None:
    path, key = signed
    shutil.copy(path, tmp_path / "EVIDENCE.zip")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("VERIFY.md").decode()
        archive.extractall(tmp_path)
    shutil.copy(key, tmp_path / "ledger.pub")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        if "unzip" not in block:
            said = subprocess.run(["sh", "-ec", block], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert said.returncode == 0, said.stderr
            if "head -c" in block:
                assert len({line.split()[0] for line in said.stdout.splitlines()}) == 1


def flips(path: Path, count: int) -> Iterator[tuple[int, bytes]]:
    data = path.read_bytes()
    for at in [0, 20, len(data) - 1, len(data) - 70, *random.Random(1).sample(range(len(data)), count)]:
        yield at, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def content(path: Path, name: str) -> bytes | None:
    """A file in a zip; None where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError, ValueError):
        return None


def test_one_byte_changed_anywhere_is_found_and_the_file_named(signed: tuple[Path, Path], tmp_path: Path) -> None:
    path, _ = signed
    with zipfile.ZipFile(path) as archive:
        places = {one.filename: range(one.header_offset, one.header_offset + 30 + len(one.filename) + one.compress_size)
                  for one in archive.infolist()}  # fmt: skip
    changed, named = tmp_path / "changed.zip", 0
    for at, data in flips(path, 150):
        changed.write_bytes(data)
        wrong = evidence_verify.Check(changed).all().wrong
        assert any("a byte is not as it was written" in fault for fault in wrong), at
        # a bit of padding may change without changing the file in which it is
        inside = [name for name, place in places.items() if at in place]
        if inside and content(changed, inside[0]) != content(path, inside[0]):
            named += 1
            assert any(fault.startswith(f"{inside[0]}:") for fault in wrong), (at, inside, wrong)
    assert named > 100


def test_a_changed_byte_in_a_bare_environment(signed: tuple[Path, Path], bare: Path, tmp_path: Path) -> None:
    path, _ = signed
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("cover.html").header_offset + 200
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    (tmp_path / "e.zip").write_bytes(data)
    said = checked(bare, tmp_path / "e.zip")
    assert said.returncode == 1
    assert "WRONG cover.html:" in said.stdout


def rewritten(path: Path, to: Path, change: dict[str, Callable[[bytes], bytes]]) -> Path:
    """A forger's copy: files changed, every hash written anew."""
    with zipfile.ZipFile(path) as archive:
        files = {name: change.get(name, lambda data: data)(archive.read(name)) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    for one in manifest["files"]:
        one["sha256"] = hashlib.sha256(files[one["name"]]).hexdigest()
    if change.keys() - {"manifest.json"}:
        files["manifest.json"] = json.dumps(manifest).encode()
    del files["SHA256SUMS"]
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    with zipfile.ZipFile(to, "w") as archive:
        archive.comment = b"0" * 64
        for name, data in (files | {"SHA256SUMS": sums.encode()}).items():
            archive.writestr(name, data)
    whole = to.read_bytes()[:-64]
    to.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())
    return to


def wrong_of(path: Path, key: Path | None = None) -> list[str]:
    return evidence_verify.Check(path, key).all().wrong


def test_a_forger_without_the_key_is_found_by_the_signature(signed: tuple[Path, Path], tmp_path: Path) -> None:
    path, key = signed
    forged = rewritten(path, tmp_path / "f.zip", {"cover.html": lambda data: data.replace(b"Sales", b"Salty")})
    assert wrong_of(forged, key) == ["manifest.json: its signature does not fit the key"]
    other = tmp_path / "other.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "k"], check=True)
    subprocess.run(["openssl", "pkey", "-in", tmp_path / "k", "-pubout", "-out", other], check=True)
    assert wrong_of(path, other) == ["manifest.json: its signature does not fit the key"]


@pytest.fixture
def unsigned(read: Read, tmp_path: Path) -> Path:
    write_evidence(tmp_path / "evidence.zip", evidence_of(read))
    return tmp_path / "evidence.zip"


def test_a_key_was_named_and_there_is_no_signature(unsigned: Path, signed: tuple[Path, Path]) -> None:
    assert wrong_of(unsigned) == []
    assert wrong_of(unsigned, signed[1]) == ["manifest.sig: there is none, and a key was named"]


def _total(name: str, count: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        manifest = json.loads(data)
        manifest["questions"][0]["totals"][name] += count
        return json.dumps(manifest).encode()

    return change


def _moved(data: bytes) -> bytes:
    manifest = json.loads(data)
    totals = manifest["questions"][0]["totals"]
    totals["arrived"] += 1
    totals["lost"] -= 1
    return json.dumps(manifest).encode()


def _seed(data: bytes) -> bytes:
    manifest = json.loads(data)
    manifest["sample"]["seed"] = 8
    return json.dumps(manifest).encode()


def _without_a_row(data: bytes) -> bytes:
    return data[: data.rindex(b"\n", 0, -1) + 1]


def _all_arrived(data: bytes) -> bytes:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    lost = next(row for row in rows if row["status"] == "lost")
    lost.update(status="arrived", counted_as="arrived", lost_at="", cause="")
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"manifest.json": _total("lost", 1)}, "question arrived: "),
        ({"manifest.json": _moved}, "counts/arrived.csv: "),
        ({"manifest.json": _seed}, "sample/sample.csv: "),
        ({"questions/not_arrived.csv": _without_a_row}, "questions/not_arrived.csv: "),
        ({"counts/differences.csv": _without_a_row}, "counts/differences.csv: "),
        ({"counts/arrived.csv": _all_arrived}, "counts/arrived.csv: line "),
    ],
)
def test_totals_that_do_not_add_up_are_found(
    unsigned: Path, bare: Path, tmp_path: Path, change: dict[str, Callable[[bytes], bytes]], named: str
) -> None:
    forged = rewritten(unsigned, tmp_path / "forged.zip", change)
    assert [fault for fault in wrong_of(forged) if fault.startswith(named)]
    said = checked(bare, forged)
    assert said.returncode == 1
    assert f"WRONG {named}" in said.stdout


def test_what_does_not_add_up_is_never_written(read: Read, tmp_path: Path) -> None:
    whole = evidence_of(read)
    one = whole.questions[0]
    wrong = replace(one, totals=one.totals | {"lost": one.totals["lost"] + 1})
    with pytest.raises(ScimopsError, match="question arrived"):
        write_evidence(tmp_path / "e.zip", replace(whole, questions=[wrong, *whole.questions[1:]]))
    assert list(tmp_path.iterdir()) == []


def test_the_same_bytes_but_for_the_time(read: Read, tmp_path: Path) -> None:
    digests = [
        write_evidence(tmp_path / f"{number}.zip", evidence_of(read, made=MADE + dt.timedelta(seconds=later)))
        for number, later in enumerate((0, 0, 1))
    ]
    assert digests[0] == digests[1] != digests[2]
    assert digests[0] == hashlib.sha256((tmp_path / "0.zip").read_bytes()).hexdigest()


def sampled(read: Read, **more: Any) -> Sequence[str]:
    return evidence_of(read, **more).sample["sha256"].to_list()


def test_the_sample_is_drawn_again_from_its_seed(read: Read) -> None:
    assert sampled(read) == sampled(read)
    assert sampled(read, size=10) == sampled(read)[:10]
    assert sampled(read, seed=8) != sampled(read)
    whole = evidence_of(read, size=1000, sources=None)
    assert whole.sample.height == read[1].coverage.people.height
    sample = evidence_of(read)
    for story, row in zip(sample.stories, sample.sample.iter_rows(named=True), strict=True):
        assert story.status == row["status"]
        assert row["email"] in (None, story.keys["email"])
    assert evidence_of(read, seed=None, size=0).sample.is_empty()


def test_what_stands_in_it(signed: tuple[Path, Path], read: Read) -> None:
    path, _ = signed
    story, found, _ = read
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        cover = archive.read("cover.html").decode()
        book = openpyxl.load_workbook(io.BytesIO(archive.read("evidence.xlsx")), read_only=True)
        runs = [json.loads(line) for line in archive.read("runs.ndjson").splitlines()]
        sums = archive.read("inputs.sha256").decode()
    assert {f"questions/{one.name}.csv" for one in found.questions} < names
    assert {"Arrived", "Not arrived", "Left still active", "Differences", "Sample", "Inputs"} <= set(book.sheetnames)
    for one in found.questions:
        assert one.title in cover
        for total, count in one.totals.items():
            assert re.search(rf"<code>{re.escape(total)}</code>.*?>{count:,}</td>", cover)
    assert [run["record"]["parameters"] for run in runs] == [{"setting": "s.yaml"}]
    assert f"{hashlib.sha256(story.exports[-1].read_bytes()).hexdigest()}  {story.exports[-1].name}" in sums
    assert "state/snapshot/users.parquet" in sums
    assert path.stat().st_mode & 0o077 == 0


def test_the_run_in_the_ledger_has_the_hash_of_the_evidence_file(signed: tuple[Path, Path]) -> None:
    path, _ = signed
    last = json.loads((path.parent / "runs.ndjson").read_text().splitlines()[-1])
    files = {Path(one["name"]).name: one["sha256"] for one in last["record"]["outputs"]}
    assert files == {"evidence.zip": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_a_cell_that_a_spreadsheet_would_run_is_text(read: Read, tmp_path: Path) -> None:
    whole = evidence_of(read)
    one = whole.questions[0]
    answer = one.answer.with_columns(firstName=pl.lit("=cmd|' /C calc'!A0"))
    write_evidence(tmp_path / "e.zip", replace(whole, questions=[replace(one, answer=answer), *whole.questions[1:]]))
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        rows = csv.DictReader(io.StringIO(archive.read("questions/arrived.csv").decode("utf-8-sig")))
        assert {row["firstName"][:2] for row in rows} == {"'="}


def test_masked_people_are_named_nowhere(read: Read, tmp_path: Path) -> None:
    from scimops.audit.mask import Mask
    from scimops.audit.report import report_of
    from scimops.tokens import Secret

    story, found, _ = read
    report = report_of(found, mask=Mask(Secret("a key that is long enough")))
    masked = make_evidence(
        report.audit, report.questions, report.findings, inputs=[], made=MADE, by="anna", size=25, seed=7
    )
    write_evidence(tmp_path / "e.zip", masked)
    assert "sample/stories.html" not in zipfile.ZipFile(tmp_path / "e.zip").namelist()
    names = {one.userName for one in story.people.values() if one.userName}
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8", "replace")
            assert not [one for one in names if one in text], name
        book = openpyxl.load_workbook(io.BytesIO(archive.read("evidence.xlsx")), read_only=True)
        assert names.isdisjoint(cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    assert masked.sample["sha256"].to_list() == sampled(read)


@pytest.mark.parametrize("words", [["--sample", "25"], ["--evidence", "e.zip", "--seed", "1"],
                                   ["--evidence", "no/such/e.zip"]])  # fmt: skip
def test_options_that_do_not_go_together(words: list[str]) -> None:
    given = dict(zip(words[::2], words[1::2], strict=True))
    with pytest.raises(UsageError):
        evidence_options.check(
            Path(given["--evidence"]) if "--evidence" in given else None,
            int(given["--sample"]) if "--sample" in given else None,
            int(given["--seed"]) if "--seed" in given else None,
        )


def test_the_command(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    story, _, _ = read
    words = ["audit", str(story.exports[-1]), "--setting", str(story.setting), "--state", str(story.state),
             "--people", str(story.hr), "--evidence", str(tmp_path / "e.zip")]  # fmt: skip
    words += ["--sample", "5", "--seed", "3"]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    assert hashlib.sha256((tmp_path / "e.zip").read_bytes()).hexdigest() in said.stderr
    assert wrong_of(tmp_path / "e.zip") == []
    assert "not signed" in said.stderr
