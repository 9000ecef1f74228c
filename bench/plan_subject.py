"""What is measured: a preview and the plan against a snapshot, with everything that both check.

`python -m bench.plan_subject EXPORT SNAPSHOT RESULT`; with SNAPSHOT not there yet it is made of the export: of each
hundred people one is in another department, of each two hundred one is missing and one more is there.
"""

import json
import sys
from pathlib import Path

import polars as pl

from scimops import frames, preview_export, quick_setting, read_export
from scimops.capabilities import PUBLISHED
from scimops.client.snapshot import load_snapshot, make_snapshot
from scimops.plan import make_plan
from scimops.preview import Preview

NAMES = ("externalId", "userName", "email", "firstName", "lastName", "department", "phone")


def save_snapshot(preview: Preview, folder: Path) -> None:
    schema = frames.polars_types(frames.SNAPSHOT_USERS)
    sent = preview.people.filter(pl.col("reason").is_in(["matched", "fallback_blank", "inactive"]))
    held = sent.filter(pl.col("n") % 200 != 7).select(
        *NAMES, "n", "group_key", id=pl.format("p{}", pl.col("n")), active=pl.col("reason") != "inactive"
    )
    held = held.with_columns(department=pl.when(pl.col("n") % 100 == 3).then(pl.lit("Other")).otherwise("department"))
    gone = [pl.format("gone{}", pl.col("n")).alias(name) for name in ("id", "externalId", "userName", "email")]
    held = pl.concat([held, held.head(held.height // 200).with_columns(gone)])
    users = held.match_to_schema(schema, missing_columns="insert", extra_columns="ignore")
    names = {group.group_key: group.name for group in preview.groups}
    groups = pl.DataFrame(
        {"id": list(names), "name": list(names.values())}, schema={"id": pl.String, "name": pl.String}
    )  # a group's key is as good an id as any
    columns = frames.polars_types(frames.SNAPSHOT_GROUPS)
    members = held.filter("active").drop_nulls("group_key").select(group_id="group_key", user_id="id")
    make_snapshot(
        users, groups.match_to_schema(columns, missing_columns="insert"), members, source="scim", where="bench",
        read_at="2026-01-01T00:00:00+00:00", capabilities=PUBLISHED,
    ).save(folder)  # fmt: skip


def main(export: str, held: str, result: str) -> None:
    preview = preview_export(read_export(export), quick_setting("department", "Everyone"), channel="apply")
    if not Path(held).exists():
        save_snapshot(preview, Path(held))
        return
    operations = make_plan(preview, load_snapshot(held)).operations
    operations.write_parquet(result)
    kind, why = operations["kind"], operations["why"]
    left = int((why == "left").sum())
    counts = {"changed": operations.height - int((kind == "create").sum()) - left,
              "create": int((kind == "create").sum()), "left": left}  # fmt: skip
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
