"""The plan's peer in Polars: the same export against the same people, joined by userName, operations written out."""

import json
import sys
from pathlib import Path

import polars as pl

from bench.peers.polars import main as preview

FIELDS = ("email", "firstName", "lastName", "department")


def main(export: str, held: str, result: str) -> None:
    placed_file = Path(result).with_suffix(".preview.parquet")
    sys.stdout, out = sys.stderr, sys.stdout
    preview(export, str(placed_file))
    sys.stdout = out
    people = (
        pl.scan_csv(export, infer_schema=False)
        .select(
            userName=pl.col("userPrincipalName").str.strip_chars(),
            email=pl.coalesce(pl.col("mail").str.strip_chars(), pl.col("userPrincipalName").str.strip_chars()),
            firstName="givenName", lastName="surname", department="department",
        )
        .with_row_index("row", offset=1)
        .collect()
        .join(pl.read_parquet(placed_file).select(pl.col("row").cast(pl.UInt32), "reason", "group_key"), on="row")
        .filter(pl.col("reason").is_in(["matched", "fallback_blank", "inactive"]))
        .with_columns(key=pl.col("userName").str.to_lowercase(), active=pl.col("reason") != "inactive")
    )  # fmt: skip
    there = pl.read_parquet(Path(held) / "users.parquet").with_columns(key=pl.col("userName").str.to_lowercase())
    both = people.join(there, on="key", suffix="_there")
    changed = both.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_there")) for name in (*FIELDS, "active"))
    )
    new = people.filter("active").join(there, on="key", how="anti")
    gone = there.filter("active").join(people, on="key", how="anti")
    kinds = {"changed": changed, "create": new, "left": gone}
    operations = pl.concat(
        [frame.select(kind=pl.lit(kind), userName="userName", department="department") for kind, frame in kinds.items()]
    )
    operations.write_parquet(result)
    json.dump({kind: frame.height for kind, frame in kinds.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
