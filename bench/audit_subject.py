"""What is measured: coverage and reconcile of an export against a saved state, with staged logs.

`python -m bench.audit_subject EXPORT FOLDER make LINES` makes state and logs of the export (as bench.plan_subject does:
of each hundred people one is in another department, of each two hundred one is missing and one left); then
`… EXPORT FOLDER audit RESULT` audits, `… EXPORT FOLDER read RESULT` reads the same inputs with Polars and does nothing.
"""

import datetime as dt
import json
import sys
import time
from pathlib import Path

import polars as pl

from bench.plan_subject import save_snapshot
from scimops import preview_export, quick_setting, read_export
from scimops.audit.coverage import cover
from scimops.audit.frames import ENROLLED, ENROLMENT_GROUPS, EVENTS
from scimops.audit.people import meet, of_export
from scimops.audit.reconcile import reconcile
from scimops.audit.state import State, load_state
from scimops.audit.told import Logs
from scimops.client.snapshot import load_snapshot
from scimops.frames import polars_types

AT = dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)
SPANS = (("entra", "2000-01-01T00:00:00.000Z", "2026-11-25T08:00:00.000Z"),)


def make(export: str, folder: Path, lines: int) -> None:
    preview = preview_export(read_export(export), quick_setting("department", "Everyone"))
    save_snapshot(preview, folder / "first")
    held = load_snapshot(folder / "first")
    groups = held.groups["id"]
    enrolments = pl.DataFrame({"id": ["e"], "name": ["Basics"], "auto_enrol": [True], "readable": [True]})
    pairs = pl.DataFrame({"enrolment_id": ["e"] * len(groups), "group_id": groups}, schema=ENROLMENT_GROUPS.names)
    seen = held.users.select(enrolment_id=pl.lit("e"), user_id="id").select(ENROLLED.names)
    State(held, enrolments, pairs, seen).save(folder / "state")
    logs = folder / "logs"
    logs.mkdir()
    people = preview.people.select("externalId", "userName", "email", "user_key", "email_key", "n")
    absent = [column.name for column in EVENTS.columns if column.name not in people.columns]
    kinds = polars_types(EVENTS)
    for number in range(max(1, lines // people.height)):
        said = dict.fromkeys(absent, None) | {
            "source": "entra", "file": "log.json", "outcome": "success", "changes": "[]", "resource_type": "User",
            "operation": "create" if number == 0 else "update", "at": f"2026-11-{number + 10}T08:00:00.000Z",
        }  # fmt: skip
        part = people.with_columns(pl.lit(value, kinds[name]).alias(name) for name, value in said.items())
        part = part.with_columns(row=pl.col("n") + number * people.height + 1)
        part.select(*EVENTS.names, "user_key", "email_key").write_parquet(logs / f"{number:04}.parquet")


def audit(export: str, folder: Path, result: Path) -> None:
    clock = {"start": time.process_time()}
    state = load_state(folder / "state")
    clock["state"] = time.process_time()
    preview = preview_export(read_export(export), quick_setting("department", "Everyone"))
    clock["preview"] = time.process_time()
    met = meet(preview, state.snapshot)
    clock["match"] = time.process_time()
    logs = Logs(folder / "logs", SPANS)
    sides = reconcile(met, logs, AT)
    clock["reconcile"] = time.process_time()
    coverage = cover(met, state, of_export(met), logs, AT, told=sides.told)
    clock["coverage"] = time.process_time()
    coverage.people.write_parquet(result)
    sides.people.write_parquet(result.with_suffix(".sides"))
    clock["write"] = time.process_time()
    ends = list(clock.values())
    steps = {name: round(end - before, 2) for name, end, before in zip(clock, ends, [0.0, *ends], strict=False)}
    json.dump({"coverage": coverage.counts, "sides": sides.counts, "cpu s": steps}, sys.stdout)


def read(export: str, folder: Path) -> None:
    rows = pl.read_csv(export, infer_schema=False).height
    for path in sorted((folder / "state").rglob("*.parquet")) + sorted((folder / "logs").glob("*.parquet")):
        rows += pl.read_parquet(path).height
    json.dump({"rows": rows}, sys.stdout)


if __name__ == "__main__":
    source, place, what, *more = sys.argv[1:]
    if what == "make":
        make(source, Path(place), int(more[0]))
    elif what == "audit":
        audit(source, Path(place), Path(more[0]))
    else:
        read(source, Path(place))
