"""The peer in pandas: whole columns, strings held by PyArrow as pandas 3 does."""

import json
import sys

import numpy as np
import pandas as pd

from bench.peers.text import EMAIL, TARGET, group_key

COLUMNS = ["userPrincipalName", "mail", "department", "accountEnabled"]


def clean(column: pd.Series) -> pd.Series:
    text = column.str.strip()
    return text.mask(text == "")


def shared(slot: pd.Series) -> pd.Series:
    return slot.notna() & slot.duplicated(keep=False)


def main(export: str, result: str) -> None:
    people = pd.read_csv(export, usecols=COLUMNS, dtype="str", keep_default_na=False)
    names = clean(people["userPrincipalName"])
    emails = clean(people["mail"]).fillna(names)
    active = people["accountEnabled"].str.lower() != "false"
    departments = people["department"]
    own = departments.map({text: group_key(text) for text in departments.unique()})

    usable = emails.str.match(EMAIL, na=False) & (emails.str.len() <= 320)
    free = names.notna() & usable
    clash = shared(names.str.lower().where(free))
    clash |= shared(emails.str.lower().where(free & ~clash))

    conditions = [names.isna(), emails.isna(), ~usable, clash, ~active, own == ""]
    reasons = ["rejected_no_username", "rejected_no_email", "rejected_bad_email", "rejected_duplicate", "inactive"]
    reason = pd.Series(np.select(conditions, [*reasons, "fallback_blank"], "matched"), dtype="str")
    key = own.where(reason == "matched").mask(reason == "fallback_blank", TARGET)
    placed = pd.DataFrame({"row": np.arange(1, len(people) + 1), "userName": names, "reason": reason, "group_key": key})
    placed.to_parquet(result, index=False)
    groups = placed["group_key"].value_counts()
    json.dump({"reasons": reason.value_counts().to_dict(), "groups": groups.to_dict()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
