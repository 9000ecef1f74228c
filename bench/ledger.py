"""The ledger among many records: verify is linear and flat in memory, list comes at once.

    python -m bench.ledger

Whole processes of `scimops runs` over ledgers of 20,000 and 200,000 records (with SIZE=full 100,000 and a million),
unsigned and, the small one, signed.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from bench.process import Cost, run
from scimops.jobs.ledger import FIRST, append, canonical, hash_of
from scimops.jobs.record import begin, end
from scimops.jobs.signing import make_key, signer

MANY = 1_000_000 if os.environ.get("SIZE") == "full" else 200_000
FEW = MANY // 10
LINEAR, FLAT, AT_ONCE = 1.25, 1.2, 1.0


def fill(path: Path, records: int) -> None:
    """A chain of so many runs, signed where there is a key; by the functions of the real writer, without its fsync."""
    parameters = {"export": "/data/users.csv", "setting": "/data/setting.yaml", "out": "/data/out"}
    first = path.with_name("first")
    append(end(begin("preview_groups", "preview", parameters), "completed", 0, {"people": 200}, [], []), first)
    entry, signs, previous = json.loads(first.read_bytes()), signer(), FIRST
    first.unlink()
    with path.open("wb") as out:
        for number in range(1, records + 1):
            entry |= {"number": number, "previous": previous}
            entry["record"] |= {"id": f"{number:08x}-1c00-7abc-8def-0123456789ab", "exit_code": number % 4}
            previous = entry["hash"] = hash_of(entry)
            if signs:
                entry["signature"] = signs.sign(previous)
            out.write(canonical(entry) + b"\n")


def runs(folder: Path, *words: str) -> Cost:
    return run(["-m", "scimops", "runs", *words], folder)[0]


def show(what: str, cost: Cost, *targets: tuple[str, float, float]) -> None:
    said = "".join(
        f"  {'met' if found <= most else 'MISSED'}: {name} {found:.2f} of {most:.2f}" for name, found, most in targets
    )
    print(f"{what:44}{cost.cpu:8.2f}{cost.wall:8.2f}{cost.peak:8.0f}{said}")


def bench(folder: Path) -> None:
    few, many, signed = folder / "few.ndjson", folder / "many.ndjson", folder / "signed.ndjson"
    fill(few, FEW)
    fill(many, MANY)
    make_key()
    fill(signed, FEW)
    print(f"\n{f'{many.stat().st_size / MANY:.0f} bytes a record':44}{'cpu s':>8}{'wall s':>8}{'MiB':>8}")
    small = runs(folder, "verify", "--ledger", str(few))
    show(f"verify {FEW:,}", small)
    large = runs(folder, "verify", "--ledger", str(many))
    growth = large.cpu / small.cpu / (MANY // FEW)
    show(f"verify {MANY:,}", large, ("linear", growth, LINEAR), ("memory", large.peak / small.peak, FLAT))
    show(f"verify {FEW:,} signed", runs(folder, "verify", "--ledger", str(signed)))
    start = runs(folder, "list", "--ledger", str(folder / "none"))
    show("list nothing", start)
    asked = {
        "list": ("list",),
        "list, none of that outcome": ("list", "--outcome", "kernel_died"),
        "list, a notebook that never ran": ("list", "--notebook", "never"),
        "show the first one": ("show", "00000001-1c00-7abc-8def-0123456789ab"),
    }
    for what, words in asked.items():
        cost = runs(folder, *words, "--ledger", str(many))
        show(f"{what}, among {MANY:,}", cost, ("seconds more", cost.wall - start.wall, AT_ONCE))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as folder:
        os.environ["SCIMOPS_CONFIG"] = str(Path(folder) / "config")
        bench(Path(folder))


if __name__ == "__main__":
    main()
