"""Check an evidence file of scimops: `python -I verify.py EVIDENCE.zip [--key ledger.pub]`.

It needs Python 3.11 or later and nothing else; for signatures OpenSSL 3 (the command openssl). It says what is as it
was written, and names what is wrong; it ends with 0, or with 1 where anything is wrong. It fetches nothing, and writes
nothing but, for openssl, three files in a temporary folder.

This program stands in every evidence file as verify.py. Whoever does not trust that copy takes it from scimops, where
it is scimops/present/evidence_verify.py.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import heapq
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

LISTS = ("manifest.json", "manifest.sig", "SHA256SUMS")
"""What the manifest does not list: itself, its signature, and the same hashes for sha256sum."""

END = 64
"""Letters at the very end: the SHA-256 of all bytes before them."""

Row = dict[str, str]


class Check:
    """What was found so far: `wrong` names each fault, `said` is what is as it was written, `unseen` what was not."""

    def __init__(self, path: Path, key: Path | None = None) -> None:
        self.path, self.key = path, key
        self.wrong: list[str] = []
        self.said: list[str] = []
        self.unseen: list[str] = []
        self.manifest: dict[str, Any] = {}

    def all(self) -> Check:
        """Check everything that can be checked."""
        self.container()
        try:
            with zipfile.ZipFile(self.path) as archive:
                if self.files(archive):
                    steps = (self.questions, self.links, self.sample, self.runs, self.signature)
                    for step in steps:
                        self.attempt(step.__name__, step, archive)
        except Exception as error:  # a damaged zip fails in many ways
            self.wrong.append(f"{self.path.name}: it is no whole zip file ({type(error).__name__}: {error})")
        return self

    def attempt(self, what: str, step: Any, archive: zipfile.ZipFile) -> None:
        """One step; where it cannot be done at all that is a fault."""
        try:
            step(archive)
        except Exception as error:  # what is missing or misshapen fails in many ways
            self.wrong.append(f"{what}: cannot be checked ({type(error).__name__}: {error})")

    def container(self) -> None:
        """The bytes of the file as a whole."""
        digest, left = hashlib.sha256(), self.path.stat().st_size - END
        with self.path.open("rb") as stream:
            while left > 0 and (block := stream.read(min(left, 1 << 20))):
                digest.update(block)
                left -= len(block)
            end = stream.read()
        if end == digest.hexdigest().encode():
            self.said.append("The zip file: every byte is as it was written.")
        else:
            self.wrong.append(
                f"{self.path.name}: a byte is not as it was written (in a file named here, or around the files)"
            )

    def files(self, archive: zipfile.ZipFile) -> bool:
        """Every file against the manifest; true where all that the other steps need is good."""
        before, names = len(self.wrong), archive.namelist()
        found = {name: self.hash_of(archive, name) for name in names}
        try:
            self.manifest = json.loads(archive.read("manifest.json"))
            listed = {one["name"]: one["sha256"] for one in self.manifest["files"]}
        except Exception as error:  # see all()
            self.wrong.append(f"manifest.json: it cannot be read ({type(error).__name__})")
            return False
        self.wrong += [f"{name}: it stands in the file twice" for name, times in Counter(names).items() if times > 1]
        self.wrong += [f"{name}: it is missing" for name in listed if name not in found]
        self.wrong += [f"{name}: it is not listed" for name in found if name not in listed and name not in LISTS]
        for name, digest in found.items():
            if digest and name in listed and digest != listed[name]:
                self.wrong.append(f"{name}: it is not what was written: its SHA-256 is another")
        sums = "".join(f"{found[name]}  {name}\n" for name in sorted(found) if name != "SHA256SUMS")
        if found.get("SHA256SUMS") != hashlib.sha256(sums.encode()).hexdigest():
            self.wrong.append("SHA256SUMS: its hashes are not those of the files")
        good = len(self.wrong) == before
        if good:
            self.said.append(f"Files: {len(found):,}, each as the manifest lists it.")
        return good

    def hash_of(self, archive: zipfile.ZipFile, name: str) -> str:
        """SHA-256 of a file in the zip; where it cannot be read that is a fault, and the hash is empty."""
        digest = hashlib.sha256()
        try:
            with archive.open(name) as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        except Exception as error:  # see all()
            self.wrong.append(f"{name}: it cannot be read ({type(error).__name__}: {error})")
            return ""
        return digest.hexdigest()

    def questions(self, archive: zipfile.ZipFile) -> None:
        """The control totals add up, and are those of the counts; the answers have the rows that were counted."""
        for one in self.manifest["questions"]:
            name, totals, population = one["name"], one["totals"], one["population"]
            before = len(self.wrong)
            if totals and sum(totals.values()) != population:
                added = " + ".join(str(count) for count in totals.values())
                self.wrong.append(f"question {name}: {added} is not the population of {population}")
            rows, answer = digest_of_rows(read(archive, one["file"]))
            if rows != one["rows"]:
                self.wrong.append(f"{one['file']}: it has {rows} rows, and the manifest says {one['rows']}")
            if not one["counts"]:
                self.unseen.append(f"Question {name}: its totals were added up and not counted again.")
                continue
            counted: Counter[str] = Counter()
            if digest_of_rows(answered(read(archive, one["counts"]), counted)) != (rows, answer):
                self.wrong.append(f"{one['file']}: its rows are not those that {one['counts']} marks as answered")
            for total in {**counted, **totals}:
                if counted.get(total, 0) != totals.get(total, 0):
                    said = f"{counted.get(total, 0)} are counted as {total}, and the total says {totals.get(total, 0)}"
                    self.wrong.append(f"{one['counts']}: {said}")
            if len(self.wrong) == before:
                self.said.append(f"Question {name}: {population:,} counted again, {rows:,} in the answer.")

    def links(self, archive: zipfile.ZipFile) -> None:
        """The status of each person follows from the links."""
        order, file = self.manifest["links"], self.manifest["chain"]
        people = 0
        for number, line in enumerate(read(archive, file), 1):
            people += 1
            missing = next((link for link in order if line[link] == "false"), "")
            wanted = {"arrived": "", "lost": line["lost_at"], "not_due_yet": line["lost_at"]}.get(line["status"])
            if wanted is not None and (missing != wanted or (line["status"] != "arrived" and not missing)):
                self.wrong.append(f"{file}: line {number} is {line['status']}, and its links say otherwise")
        self.said.append(f"Chain: the status of {people:,} people follows from their links.")

    def sample(self, archive: zipfile.ZipFile) -> None:
        """The sample is the one that the seed gives."""
        one = self.manifest["sample"]
        if not one:
            return
        chain = ["file", "row", "status", *self.manifest["links"]]
        keys = (
            (digest(f"{one['seed']}:{line['file']}:{line['row']}"), number, [line[name] for name in chain])
            for number, line in enumerate(read(archive, one["of"]))
        )
        chosen = [(key, values) for key, _, values in heapq.nsmallest(one["size"], keys)]
        held = [(line["sha256"], [line[name] for name in chain]) for line in read(archive, one["file"])]
        if held != chosen:
            self.wrong.append(f"{one['file']}: these are not the people whom seed {one['seed']} gives")
        else:
            self.said.append(f"Sample: {len(held):,} people, those whom seed {one['seed']} gives.")

    def runs(self, archive: zipfile.ZipFile) -> None:
        """Each record of a run is as it was written into the ledger."""
        entries = self.records(archive)
        for entry in entries:
            hashed = {name: value for name, value in entry.items() if name not in ("hash", "signature")}
            if entry["hash"] != hashlib.sha256(canonical(hashed)).hexdigest():
                self.wrong.append(f"runs.ndjson: record {entry['number']} is not what was once written")
        if entries:
            self.said.append(f"Runs: {len(entries):,} records of the ledger, each as its hash says.")

    def records(self, archive: zipfile.ZipFile) -> list[dict[str, Any]]:
        """The records of runs; none where there are none."""
        name = self.manifest["runs"]
        return [json.loads(line) for line in archive.read(name).splitlines()] if name else []

    def signature(self, archive: zipfile.ZipFile) -> None:
        """The manifest's signature and those of the runs, by openssl."""
        if "manifest.sig" not in archive.namelist() and self.key:
            self.wrong.append("manifest.sig: there is none, and a key was named")
            return
        if "manifest.sig" not in archive.namelist():
            self.unseen.append("Signature: there is none; a change by whoever made this file would not show.")
            return
        pem = self.key.read_bytes() if self.key else archive.read("public_key.pem")
        signed = [("manifest.json", digest(archive.read("manifest.json")), archive.read("manifest.sig"))]
        for entry in self.records(archive):
            if entry.get("key") == public_digits(pem):
                signed.append((f"record {entry['number']}", entry["hash"], bytes.fromhex(entry["signature"])))
        openssl = shutil.which("openssl")
        if openssl is None:
            self.unseen.append("Signature: there is no openssl here; VERIFY.md has the command.")
            return
        wrong = [name for name, text, signature in signed if not fits(openssl, pem, text, signature)]
        self.wrong += [f"{name}: its signature does not fit the key" for name in wrong]
        which = "your copy of the key" if self.key else "the key in this file; compare it with your copy (--key)"
        if not wrong:
            self.said.append(f"Signature: {len(signed):,} good, by {which}.")


def read(archive: zipfile.ZipFile, name: str) -> csv.DictReader[str]:
    """The rows of a CSV file in the zip."""
    return csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8-sig", newline=""))


def answered(lines: Iterable[Row], counted: Counter[str]) -> Iterator[Row]:
    """The lines that the answer has; on the way every line is counted."""
    for line in lines:
        if line["counted_as"]:
            counted[line["counted_as"]] += 1
        if line["answered"] == "true":
            yield line


def digest_of_rows(lines: Iterable[Row]) -> tuple[int, str]:
    """How many lines, and a hash of the file and row of each, in their order."""
    number, rows = 0, hashlib.sha256()
    for line in lines:
        number += 1
        rows.update(f"{line.get('file', '')}:{line.get('row', '')}\n".encode())
    return number, rows.hexdigest()


def digest(data: str | bytes) -> str:
    """SHA-256 as 64 letters."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 writes it: keys sorted, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def public_digits(pem: bytes) -> str:
    """A public key as the ledger writes it: the last 32 bytes of its DER form (RFC 8410)."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    return base64.b64decode(body)[-32:].hex()


def fits(openssl: str, pem: bytes, text: str, signature: bytes) -> bool:
    """Did the owner of the key sign this text?"""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("key.pem", "text", "signature")]
        for path, data in zip(paths, (pem, text.encode(), signature), strict=True):
            path.write_bytes(data)
        key, data_path, sig = map(str, paths)
        words = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", data_path, "-sigfile", sig]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603  # our own words


def main(words: list[str]) -> int:
    """Check the file that is named, and say what was found."""
    key = Path(words.pop(words.index("--key") + 1)) if "--key" in words[:-1] else None
    words = [word for word in words if word != "--key"]
    if len(words) != 1:
        sys.stdout.write("python -I verify.py EVIDENCE.zip [--key ledger.pub]\n")
        return 2
    for path in filter(None, (Path(words[0]), key)):
        if not path.is_file():
            sys.stdout.write(f"There is no such file: {path}\n")
            return 2
    csv.field_size_limit(1 << 24)
    found = Check(Path(words[0]), key).all()
    lines = found.said + found.unseen + [f"WRONG {fault}" for fault in found.wrong]
    lines.append(f"{len(found.wrong)} WRONG" if found.wrong else "ALL GOOD")
    text = "\n".join(lines) + "\n"
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
