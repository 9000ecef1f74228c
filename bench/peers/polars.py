"""The peer in Polars: a lazy scan with projection, then expressions."""

import json
import sys

import polars as pl

from bench.peers.text import EMAIL, TARGET, group_key


def clean(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)


def shared(slot: str) -> pl.Expr:
    return pl.col(slot).is_not_null() & (pl.len().over(slot) > 1)


def main(export: str, result: str) -> None:
    people = (
        pl.scan_csv(export, infer_schema=False)
        .select(
            userName=clean("userPrincipalName"),
            email=pl.coalesce(clean("mail"), clean("userPrincipalName")),
            department=pl.col("department"),
            active=pl.col("accountEnabled").str.to_lowercase() != "false",
        )
        .with_row_index("row", offset=1)
        .collect()
    )
    departments = people["department"].drop_nulls().unique().to_list()
    keys = pl.LazyFrame({"department": departments, "own": [group_key(text) or None for text in departments]})
    free = pl.col("early").is_null()
    placed = (
        people.lazy()
        .with_columns(
            user_key=pl.col("userName").str.to_lowercase(),
            email_key=pl.col("email").str.to_lowercase(),
            early=pl.when(pl.col("userName").is_null())
            .then(pl.lit("rejected_no_username"))
            .when(pl.col("email").is_null())
            .then(pl.lit("rejected_no_email"))
            .when(~pl.col("email").str.contains(EMAIL) | (pl.col("email").str.len_chars() > 320))
            .then(pl.lit("rejected_bad_email")),
        )
        .with_columns(slot=pl.when(free).then("user_key"))
        .with_columns(clash=shared("slot"))
        .with_columns(slot=pl.when(free & ~pl.col("clash")).then("email_key"))
        .with_columns(clash=pl.col("clash") | shared("slot"))
        .join(keys, on="department", how="left", maintain_order="left")
        .with_columns(
            reason=pl.when(~free)
            .then("early")
            .when("clash")
            .then(pl.lit("rejected_duplicate"))
            .when(~pl.col("active"))
            .then(pl.lit("inactive"))
            .when(pl.col("own").is_null())
            .then(pl.lit("fallback_blank"))
            .otherwise(pl.lit("matched"))
        )
        .select(
            "row",
            "userName",
            "reason",
            group_key=pl.when(pl.col("reason") == "matched")
            .then("own")
            .when(pl.col("reason") == "fallback_blank")
            .then(pl.lit(TARGET)),
        )
        .collect()
    )
    placed.write_parquet(result)
    reasons = dict(placed["reason"].value_counts().iter_rows())
    groups = dict(placed["group_key"].drop_nulls().value_counts().iter_rows())
    json.dump({"reasons": reasons, "groups": groups}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
