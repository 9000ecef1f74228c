"""What became of the last audit's findings: which are new, which are solved, which are open and since when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from scimops.errors import UsageError
from scimops.touched import note_read
from scimops.yaml_documents import write_whole

FILE = "last_audit.json"
KEPT = ("code", "cause", "externalId", "userName", "email", "user_id", "since")


class About(BaseModel):
    """Whom an audit asked about, under which setting, masked with which key (its fingerprint; null: not masked)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    setting: str
    population: Literal["idp", "hr"]
    mask: str | None


class Kept(BaseModel):
    """The findings of an audit as they are kept for the next one: columns of the same length."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    at: str
    about: About
    findings: dict[str, list[str | None]]

    @property
    def frame(self) -> pl.DataFrame:
        """The findings as a frame."""
        return pl.DataFrame({name: self.findings[name] for name in KEPT}, dict.fromkeys(KEPT, pl.String))


@dataclass(frozen=True)
class SinceLast:
    """Against the audit at `last` (null: there was none): how many findings of people are `new` and `still` open.

    `solved`: those of the last audit that are no more (columns :data:`KEPT`).
    """

    last: str | None
    new: int
    still: int
    solved: pl.DataFrame


def read_last(folder: Path, about: About) -> Kept | None:
    """The last audit that was kept in `folder`; None where there is none.

    Raises:
        UsageError: it cannot be read, or it asked about others.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    note_read(path)
    try:
        kept = Kept.model_validate_json(path.read_bytes())
        kept.frame  # noqa: B018  # columns of one length, each of them there
    except (ValidationError, OSError, KeyError, pl.exceptions.PolarsError):
        raise UsageError(
            "The last audit cannot be read.",
            where=str(path),
            advice="Bring it back from a copy, or move it away: then everything counts from today on.",
        ) from None
    for name, kind in (("setting", "of another setting"), ("population", "about other people (--people)"),
                       ("mask", "masked otherwise, or with another key")):  # fmt: skip
        if getattr(kept.about, name) != getattr(about, name):
            raise UsageError(
                f"The last audit that is kept here was {kind}.", where=str(folder),
                advice="Give each kind of audit a folder of its own: --keep DIR.",
            )  # fmt: skip
    return kept


def compared(items: pl.DataFrame, last: Kept | None, at: str) -> tuple[pl.DataFrame, SinceLast]:
    """`items` (schema `items`) with `since` (time of the first audit with it) and `new`; and what is solved.

    A person is known again by the first key that there is: externalId, userName, e-mail address, id on the platform;
    a cause that changed is another finding.

    Raises:
        UsageError: the last audit is of a later time.
    """
    if last is not None and last.at > at:
        raise UsageError(
            f"The last audit that was kept is of {last.at}; the platform was read before that, at {at}.",
            advice="Audit a newer state of the platform, or leave out --keep.",
        )  # fmt: skip
    if last is None:
        now = items.with_columns(since=pl.lit(at), new=pl.lit(True))
        return now, SinceLast(None, items.height, 0, pl.DataFrame(schema=dict.fromkeys(KEPT, pl.String)))
    before = last.frame.with_columns(*_key())
    now = items.with_columns(*_key())
    keys = ["code", "cause", "key", "time"]
    solved = before.join(now, on=keys, how="anti", nulls_equal=True, maintain_order="left")
    known = before.select(*keys, was="since")
    now = now.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")
    now = now.with_columns(since=pl.coalesce("was", pl.lit(at)), new=pl.col("was").is_null())
    new = int(now["new"].sum())
    return now.drop("key", "time", "was"), SinceLast(last.at, new, now.height - new, solved.select(KEPT))


def keep(folder: Path, about: About, at: str, items: pl.DataFrame) -> None:
    """Keep the findings in `folder` for the next audit, for its owner alone; `items` has `since`."""
    columns = items.select(KEPT).to_dict(as_series=False)
    kept = Kept(format=1, at=at, about=about, findings=columns)
    write_whole(folder / FILE, kept.model_dump_json() + "\n", private=True)


def _key() -> list[pl.Expr]:
    """What a person is known by, and of several findings with the same key and cause which one it is."""
    key = pl.coalesce("externalId", "userName", "email", "user_id")
    return [key.alias("key"), pl.int_range(pl.len()).over("code", "cause", key).alias("time")]
