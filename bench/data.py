"""The export to be measured on: synthetic people as Entra's "Download users", some of them with what goes wrong.

Of every 10,000 people six are no good, in ways that every peer can find: two share a userName in other letters, two an
e-mail address, one has no userName, one no usable address. So the reasons that are rare in life occur here too.
"""

import csv
import sys
from pathlib import Path

from scimops.samples import write_sample

EVERY = 10_000
KINDS = 4


def spoiled(person: dict[str, str], number: int) -> list[dict[str, str]]:
    name = person["userPrincipalName"]
    return [
        person | {"userPrincipalName": name.upper(), "mail": f"again{number}@example.com"},
        person | {"userPrincipalName": f"second{number}@example.com", "mail": f" {name.title()} "},
        person | {"userPrincipalName": "", "mail": ""},
        person | {"userPrincipalName": f"third{number}@example.com", "mail": f"third{number}@@example.com"},
    ]


def main(path: str, people: int) -> None:
    spoils = max(1, people // EVERY)
    write_sample(path, "entra_download_users", people - KINDS * spoils, nasty=False)
    with Path(path).open("r", encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream))
        taken = [next(csv.reader([line])) for index, line in enumerate(stream) if index % EVERY in (1, 2)][: 2 * spoils]
    with Path(path).open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for number, (one, two) in enumerate(zip(taken[::2], taken[1::2], strict=True)):
            for person, kinds in ((one, (0, 2)), (two, (1, 3))):
                rows = spoiled(dict(zip(header, person, strict=True)), number)
                writer.writerows(list(rows[kind].values()) for kind in kinds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
