"""What a service provider holds, read whole: three frames, a digest, and the same on disk."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from scimops import frames
from scimops.capabilities import Capabilities
from scimops.client.faults import SnapshotError
from scimops.yaml_documents import write_whole

FORMAT = 2
"""Of `snapshot.json`; in format 1 the digest was one of rows."""

_SCHEMAS = {"users": frames.SNAPSHOT_USERS, "groups": frames.SNAPSHOT_GROUPS, "members": frames.SNAPSHOT_MEMBERS}
_KEYS = {"users": ["id"], "groups": ["id"], "members": ["group_id", "user_id"]}
_SLICE, _NULL = 50_000, 2**32 - 1


@dataclass(frozen=True)
class Snapshot:
    """Users, groups and members (schemas `snapshot_users`, `snapshot_groups`, `snapshot_members`), sorted by id.

    `source` says by which way they were read, `where` of which connection, `read_at` when the reading began (ISO
    8601, UTC). `cannot_tell` are sentences on what nobody can know from it. The digest is of the frames alone: two
    readings of one state have one digest. `seats`: of the licence; `tokens`: names of the setting's tokens
    that were used lately; both where they can be read there.
    """

    users: pl.DataFrame
    groups: pl.DataFrame
    members: pl.DataFrame
    source: Literal["scim", "management"]
    where: str
    read_at: str
    capabilities: Capabilities
    digest: str
    cannot_tell: tuple[str, ...] = ()
    seats: int | None = None
    tokens: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = ", ".join(f"{getattr(self, name).height:,} {name}" for name in _SCHEMAS)
        return f"<Snapshot of {self.where}: {counts}, {self.digest[:12]}>"

    def save(self, folder: str | Path) -> None:
        """Write it into `folder`, for its owner alone: three Parquet files, then `snapshot.json`."""
        place = Path(folder)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _SCHEMAS:
            part = place / f".{name}.part"
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                getattr(self, name).write_parquet(stream)
            part.replace(place / f"{name}.parquet")
        said = asdict(self.capabilities) | {"rules": sorted(self.capabilities.rules)}
        document = {
            "format": FORMAT, "digest": self.digest, "source": self.source, "where": self.where,
            "read_at": self.read_at, "capabilities": said, "cannot_tell": list(self.cannot_tell), "seats": self.seats,
            "tokens": list(self.tokens),
        }  # fmt: skip
        write_whole(place / "snapshot.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def make_snapshot(users: pl.DataFrame, groups: pl.DataFrame, members: pl.DataFrame, **more: Any) -> Snapshot:
    """A snapshot of these frames, sorted and with its digest."""
    unsorted = {"users": users, "groups": groups, "members": members}
    sorted_frames = {name: frames.check(frame, _SCHEMAS[name]).sort(_KEYS[name]) for name, frame in unsorted.items()}
    return Snapshot(**{**sorted_frames, **more}, digest=_digest(sorted_frames))


def load_snapshot(folder: str | Path) -> Snapshot:
    """The snapshot that was saved in `folder`.

    Raises:
        SnapshotError: it is not there, not whole, or not what was saved.
    """
    place = Path(folder)
    try:
        document = json.loads((place / "snapshot.json").read_text("utf-8"))
        loaded = {name: frames.check(pl.read_parquet(place / f"{name}.parquet"), schema)
                  for name, schema in _SCHEMAS.items()}  # fmt: skip
        digest, said = _digest(loaded), document["capabilities"]
        snapshot = Snapshot(
            loaded["users"], loaded["groups"], loaded["members"], document["source"], document["where"],
            document["read_at"], Capabilities(**said | {"rules": frozenset(said["rules"])}), digest,
            tuple(document["cannot_tell"]), document.get("seats"),
            tuple(document.get("tokens", ())),
        )  # fmt: skip
        old = document["format"] == 1
        whole = (old or document["format"] == FORMAT) and document["digest"] == (_of_rows(loaded) if old else digest)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        whole = False
    if not whole:
        raise SnapshotError("There is no whole snapshot here, or it was changed after it was saved.",
                            where=str(place), advice="Read the service provider again.")  # fmt: skip
    return snapshot


def _digest(contents: dict[str, pl.DataFrame]) -> str:
    """SHA-256 of one frame after the other: its name, height and columns as JSON, then each column.

    Of a text column first the length of each value in bytes (32 bits, little-endian; all ones: null), then all values
    as UTF-8; of a boolean one a byte for each value (0, 1; 2: null). So it is the same however a frame lies in memory.
    """
    hashed = hashlib.sha256()
    for name, frame in contents.items():
        hashed.update(json.dumps([name, frame.height, frame.columns]).encode())
        for column in frame.iter_columns():
            if column.dtype == pl.Boolean:
                hashed.update(column.cast(pl.UInt8).fill_null(2).to_numpy().tobytes())
                continue
            hashed.update(column.str.len_bytes().fill_null(_NULL).to_numpy().astype("<u4").tobytes())
            for start in range(0, frame.height, _SLICE):
                hashed.update((column.slice(start, _SLICE).str.join().item() or "").encode())
    return hashed.hexdigest()


def _of_rows(contents: dict[str, pl.DataFrame]) -> str:
    """The digest of format 1: SHA-256 of the rows as JSON."""
    hashed = hashlib.sha256()
    for name, frame in contents.items():
        hashed.update(json.dumps([name, frame.columns]).encode())
        for part in frame.iter_slices(10_000):
            hashed.update(part.write_ndjson().encode())
    return hashed.hexdigest()
