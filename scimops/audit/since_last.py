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

    `solved`: those of the last audit that are no more (columns :data:`KEPT`). `untold`: those that this audit could not
    look for (the same columns): they are kept as they were.
    """

    last: str | None
    new: int
    still: int
    solved: pl.DataFrame
    untold: pl.DataFrame


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


def compared(
    items: pl.DataFrame, last: Kept | None, at: str, unseen: pl.Expr | None = None
) -> tuple[pl.DataFrame, SinceLast]:  # fmt: skip
    """`items` (schema `items`) with `since` (time of the first audit with it) and `new`; and what is solved.

    A person is known again by the first key that there is: externalId, userName, e-mail address, id on the platform.
    Who did not arrive for another cause than last time, or who left, is open since the first time all the same: a log
    that is missing tonight solves nothing.

    Args:
        items: what was found now.
        last: what was kept.
        at: when the platform was read.
        unseen: of findings of the last audit that are no more (with `key`), which this audit could not look for.

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
        nothing = pl.DataFrame(schema=dict.fromkeys(KEPT, pl.String))
        return now, SinceLast(None, items.height, 0, nothing, nothing)
    before = last.frame.with_columns(*_key())
    now = items.with_columns(*_key())
    keys = ["kind", "key", "time"]
    ended = before.join(now, on=keys, how="anti", nulls_equal=True, maintain_order="left")
    ended = ended.with_columns(unseen=pl.lit(False) if unseen is None else unseen.fill_null(False))
    solved, untold = (ended.filter(pl.col("unseen") == could_not).select(KEPT) for could_not in (False, True))
    known = before.select(*keys, was="since")
    now = now.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")
    now = now.with_columns(since=pl.coalesce("was", pl.lit(at)), new=pl.col("was").is_null())
    new = int(now["new"].sum())
    return now.drop(*keys, "was"), SinceLast(last.at, new, now.height - new, solved, untold)


def to_keep(items: pl.DataFrame, since: SinceLast) -> pl.DataFrame:
    """What the next audit is compared with: the findings (`items` has `since`), and those that were not looked for."""
    return pl.concat([items.select(KEPT), since.untold])


def keep(folder: Path, about: About, at: str, findings: pl.DataFrame) -> None:
    """Keep the findings, from :func:`to_keep`, in `folder` for the next audit, for its owner alone."""
    columns = findings.to_dict(as_series=False)
    kept = Kept(format=1, at=at, about=about, findings=columns)
    write_whole(folder / FILE, kept.model_dump_json() + "\n", private=True)


def _key() -> list[pl.Expr]:
    """What a finding is of and whom, and of several with the same kind and key which one it is."""
    code, key = pl.col("code"), pl.coalesce("externalId", "userName", "email", "user_id")
    kind = (
        pl.when(code.str.starts_with("lost_")).then(pl.lit("lost"))
        .when(code == "maybe_left").then(pl.lit("left_still_active")).otherwise(code)
    )  # fmt: skip
    return [kind.alias("kind"), key.alias("key"), pl.int_range(pl.len()).over(kind, key).alias("time")]
