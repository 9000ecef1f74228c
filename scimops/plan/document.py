"""The plan as a document: for people and programs to read, sealed by a digest, read back only if unchanged."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.errors import ScimopsError
from scimops.findings import Finding
from scimops.plan.safeguards import Verdict
from scimops.preview import Preview
from scimops.setting import Setting
from scimops.touched import file_digest
from scimops.yaml_documents import write_whole

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

FORMAT = 1

_TEXT, _TEXTS, _NUMBER, _FLAG = pl.String(), pl.List(pl.String), pl.Int64(), pl.Boolean()
OPERATIONS = pl.Schema(
    {
        "number": _NUMBER, "kind": _TEXT, "n": _NUMBER, "row": _NUMBER, "file": _TEXT, "id": _TEXT, "version": _TEXT,
        "matched_by": _TEXT, "externalId": _TEXT, "userName": _TEXT, "email": _TEXT, "changed": _TEXTS,
        "before": _TEXT, "after": _TEXT, "leaves": _TEXTS, "joins": _TEXTS, "empties": _FLAG, "moves": _FLAG,
        "why": _TEXT, "withheld": _TEXT, "group_key": _TEXT, "group": _TEXT, "group_id": _TEXT, "due": _TEXT,
    }
)  # fmt: skip
"""One operation a row, in the order in which they are done.

`kind`: create, update, rename, reactivate, deactivate, delete; where the service provider does not place people also
create_group, join, leave (and delete_group, which only undoes). `n`, `row`, `file`: the row of the export; null for who
is in none. `id`, `version`: of the person there; null for a create. `changed`: names of fields; `before`, `after`: JSON
objects of those fields alone. `leaves`, `joins`: names of groups; expected effects where the service provider places.
`why`: the reason of the preview, `inactive`, or `left`. `withheld`: the safeguard's name; null = it may be done.
`group_key`, `group` (its name), `group_id` (null: this plan makes it): only of operations on groups and members.
`due`: ISO 8601, UTC; when the grace period of somebody ends who is in no row of the export; null: there is none left.
"""


MOVES = pl.Schema({"n": _NUMBER, "id": _TEXT, "group_key": _TEXT, "group": _TEXT, "group_id": _TEXT, "joins": _FLAG})
"""Who leaves (`joins` false) and who joins which group."""

GROUPS = pl.Schema(
    {"group_key": _TEXT, "group": _TEXT, "before": _NUMBER, "leaves": _NUMBER, "joins": _NUMBER, "after": _NUMBER,
     "withheld": _NUMBER}
)  # fmt: skip
"""How many people a group has now, how many leave and join it, and how many it has once what may be done is done.

`withheld`: how many more would leave or join it by operations that are withheld.
"""


class StalePlanError(ScimopsError):
    """A plan that is not what was made, or whose setting, export or people changed since."""

    exit_code = 5


@dataclass(frozen=True)
class Source:
    """What a plan was made of: digests, and how old it is. Times are ISO 8601 in UTC."""

    setting_sha256: str
    files: tuple[dict[str, str], ...]
    rows: int
    taken_at: str
    snapshot: str
    where: str
    read_at: str
    read_by: str
    placement: str

    @classmethod
    def of(cls, preview: Preview, snapshot: Snapshot) -> Source:
        """The sources of a plan."""
        files = [{"name": part.source.name, "sha256": file_digest(part.source.path)} for part in preview.export.parts]
        return cls(
            digest_of(preview.setting.model_dump(mode="json")), tuple(files), preview.rows,
            preview.export.taken_at.isoformat(timespec="seconds"), snapshot.digest, snapshot.where, snapshot.read_at,
            snapshot.source, snapshot.capabilities.placement,
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Operations with the verdicts of the safeguards.

    `moves`: who leaves and joins which group, expected. `seats`: `before`, `after` what may be done, `after_approval`
    of what is withheld too, and the licence's `limit` (null: not said). `groups`: schema `GROUPS`. `history`: since
    when earlier applies count (`since`; empty: none do) and how many there were (`applies`); null: not looked for.
    """

    setting: Setting
    source: Source
    operations: pl.DataFrame
    moves: pl.DataFrame
    verdicts: list[Verdict]
    findings: list[Finding]
    seats: dict[str, int | None]
    groups: pl.DataFrame
    history: dict[str, Any] | None = None

    @cached_property
    def allowed(self) -> pl.DataFrame:
        """The operations that may be done."""
        return self.operations.filter(pl.col("withheld").is_null())

    @cached_property
    def held(self) -> pl.DataFrame:
        """The operations that are withheld, each with the safeguard's name."""
        return self.operations.filter(pl.col("withheld").is_not_null())

    @property
    def counts(self) -> dict[str, int]:
        """How many operations of each kind may be done, and how many are withheld."""
        kinds = dict(sorted(self.allowed["kind"].value_counts().iter_rows()))
        return kinds | {"withheld": self.held.height}

    @property
    def exit_code(self) -> int:
        """0: nothing to do; 3: changes; 4: something is withheld."""
        return 4 if self.held.height else 3 if self.operations.height else 0

    def to_dict(self) -> dict[str, Any]:
        """The whole plan as plain data, without its seal. Keys that came later are there where they say something."""
        late = [] if self.operations["due"].null_count() < self.operations.height else ["due"]
        return {
            "format": FORMAT,
            "setting": self.setting.model_dump(mode="json"),
            "source": asdict(self.source),
            "counts": self.counts,
            "seats": self.seats,
            "groups": self.groups.to_dicts(),
            "safeguards": [verdict.to_dict() for verdict in self.verdicts],
            "findings": [each.to_dict() for each in self.findings],
            "operations": self.operations.drop(late).to_dicts(),
            "moves": self.moves.to_dicts(),
        } | ({} if self.history is None else {"history": self.history})

    @cached_property
    def digest(self) -> str:
        """The seal: SHA-256 of the plan as canonical JSON. An approval is of this digest alone."""
        return digest_of(self.to_dict())

    def save(self, path: Path) -> None:
        """Write it to `path`, sealed, for its owner alone."""
        document = self.to_dict() | {"made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
        write_whole(
            path, json.dumps(document | {"seal": self.digest}, ensure_ascii=False, indent=1) + "\n", private=True
        )


def load_plan(path: Path) -> Plan:
    """The plan in `path`, once its seal fits.

    Raises:
        StalePlanError: it is no plan, or it was changed after it was made.
    """
    if not path.is_file():
        raise StalePlanError("There is no such file.", where=str(path), advice="Name a plan that scimops plan wrote.")
    try:
        document = json.loads(path.read_text("utf-8"))
        plan = Plan(
            Setting.model_validate(document["setting"]),
            Source(**document["source"] | {"files": tuple(document["source"]["files"])}),
            pl.DataFrame(document["operations"], schema=OPERATIONS),
            pl.DataFrame(document["moves"], schema=MOVES),
            [Verdict(**each) for each in document["safeguards"]],
            [Finding(**each) for each in document["findings"]],
            document["seats"],
            pl.DataFrame(document["groups"], schema=GROUPS),
            document.get("history"),
        )
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        raise StalePlanError("This is no plan.", where=str(path), advice="Make one: scimops plan.") from None
    if document.get("seal") != plan.digest:
        raise StalePlanError("The plan was changed after it was made.", where=str(path), advice="Make it anew.")
    return plan


def digest_of(value: Any) -> str:
    """SHA-256 of `value` as canonical JSON: keys sorted, no white space, UTF-8."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
