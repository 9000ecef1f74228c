"""Do all results say the same of every row? Ends with an error that shows where two differ."""

import sys

import polars as pl

COLUMNS = ("row", "reason", "group_key")


def read(path: str) -> pl.DataFrame:
    scan = pl.scan_csv(path, infer_schema=False) if path.endswith(".csv") else pl.scan_parquet(path)
    return scan.select(pl.col("row").cast(pl.Int64), *(pl.col(name).cast(pl.String) for name in COLUMNS[1:])).collect()


def main(first: str, *others: str) -> None:
    wanted = read(first)
    for path in others:
        found = read(path)
        if wanted.equals(found):
            continue
        sys.exit(f"{path} differs from {first}:\n{differences(wanted, found)}")
    print(f"{wanted.height:,} rows, the same in {1 + len(others)} results")


def differences(wanted: pl.DataFrame, found: pl.DataFrame) -> str:
    if wanted.height != found.height:
        return f"{found.height:,} rows, not {wanted.height:,}"
    pairs = pl.concat([wanted, found.select(pl.all().name.suffix("_found"))], how="horizontal")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_found")) for name in COLUMNS)
    return str(pairs.filter(differs).head(10))


if __name__ == "__main__":
    main(*sys.argv[1:])
