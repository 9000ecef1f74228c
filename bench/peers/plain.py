"""The peer in plain Python: the csv module, dictionaries, a list of people."""

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

from bench.peers.text import EMAIL, TARGET, group_key

USABLE = re.compile(EMAIL).match
COLUMNS = ("userPrincipalName", "mail", "department", "accountEnabled")


def early(name: str, email: str) -> str:
    if not name:
        return "rejected_no_username"
    if not email:
        return "rejected_no_email"
    return "" if USABLE(email) and len(email) <= 320 else "rejected_bad_email"


def read(export: str) -> tuple[list[tuple[str, str, str, bool]], list[str]]:
    """Everybody's name, keys and active, and the reason that is clear from the row alone."""
    people, reasons = [], []
    with Path(export).open(encoding="utf-8", newline="") as stream:
        records = csv.reader(stream)
        header = next(records)
        name_at, mail_at, department_at, enabled_at = (header.index(column) for column in COLUMNS)
        departments: dict[str, str] = {}
        for record in records:
            name = record[name_at].strip()
            email = record[mail_at].strip() or name
            department = record[department_at]
            if department not in departments:
                departments[department] = group_key(department)
            people.append((name, email.lower(), departments[department], record[enabled_at].lower() != "false"))
            reasons.append(early(name, email))
    return people, reasons


def reject_duplicates(keys: list[str], reasons: list[str]) -> None:
    counts = Counter(key for key, reason in zip(keys, reasons, strict=True) if not reason)
    for index, key in enumerate(keys):
        if not reasons[index] and counts[key] > 1:
            reasons[index] = "rejected_duplicate"


def main(export: str, result: str) -> None:
    people, reasons = read(export)
    reject_duplicates([name.lower() for name, _, _, _ in people], reasons)
    reject_duplicates([email for _, email, _, _ in people], reasons)
    groups: Counter[str] = Counter()
    with Path(result).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["row", "userName", "reason", "group_key"])
        for index, (name, _, key, active) in enumerate(people):
            own = ""
            if not reasons[index] and not active:
                reasons[index] = "inactive"
            elif not reasons[index]:
                own = key or TARGET
                reasons[index] = "matched" if key else "fallback_blank"
                groups[own] += 1
            writer.writerow([index + 1, name, reasons[index], own])
    json.dump({"reasons": Counter(reasons), "groups": groups}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
