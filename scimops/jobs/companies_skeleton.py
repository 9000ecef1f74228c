"""The skeleton of `companies.yaml` from a platform's list of companies; what a person wrote into it stays."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scimops.errors import SettingError
from scimops.jobs.companies import folder_of, read_document
from scimops.yaml_documents import parse_yaml, round_trip

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

NEW: Final = """\
# For which companies a notebook runs: scimops run NOTEBOOK --each THIS_FILE
format: 1
# What counts for each company that does not say otherwise: connection, parameters, environment, limits, labels.
defaults:
  limits:
    timeout: 3600
companies: []
"""


@dataclass
class Skeleton:
    """A document brought up to the platform's list, and what that changed, by name.

    `renamed` are pairs: the name in the document, which stays, and the one on the platform. `unconnected` are those for
    which no connection is known.
    """

    before: str
    after: str = ""
    added: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    unconnected: list[str] = field(default_factory=list)
    unchanged: int = 0


def brought_up(path: Path, found: Iterable[tuple[str, str]], connections: dict[str, str]) -> Skeleton:
    """The document at `path`, or a new one, with every company that was found; nothing is written.

    Args:
        path: the document.
        found: id and name of each company on the platform.
        connections: company id → name of the connection that acts for it.

    Raises:
        SettingError: what is there is no such document.
    """
    there = path.is_file()
    document = read_document(path) if there else parse_yaml(NEW, str(path))
    skeleton = Skeleton(path.read_text(encoding="utf-8-sig") if there else "")
    entries = document.get("companies")
    if entries is not None and not (isinstance(entries, list) and all(isinstance(one, dict) for one in entries)):
        raise SettingError('"companies" must be a list of entries with a name.', where=str(path))
    if not entries:  # written as [] or not at all: the list is made anew, a line each
        document["companies"] = entries = _rows()
    _compare(entries, list(found), connections, skeleton)
    for name in (str(one["name"]) for one in entries if "name" in one and not _connected(one, document)):
        skeleton.unconnected.append(name)
    out = io.StringIO()
    round_trip().dump(document, out)
    skeleton.after = out.getvalue() if skeleton.added or not there else skeleton.before
    return skeleton


def _compare(entries: Any, found: list[tuple[str, str]], connections: dict[str, str], skeleton: Skeleton) -> None:
    """Append what is new, and note what is gone or has another name; by id, else by name."""
    by_id = {str(one["company_id"]): one for one in entries if one.get("company_id")}
    by_folder = {folder_of(str(one.get("name", ""))): one for one in entries}
    known = set()
    for company_id, name in found:
        same_name = by_folder.get(folder_of(name))
        if same_name is not None and same_name.get("company_id", company_id) != company_id:
            same_name = None
        entry = by_id.get(company_id, same_name)
        if entry is None:
            entry = _entry(company_id, name, connections, taken=set(by_folder))
            entries.append(entry)
            by_folder[folder_of(entry["name"])] = entry
            skeleton.added.append(entry["name"])
        elif folder_of(str(entry.get("name", ""))) != folder_of(name) and not _is_numbered(entry, name):
            skeleton.renamed.append((str(entry.get("name", "")), name))
        else:
            skeleton.unchanged += 1
        known.add(id(entry))
    skeleton.gone += [str(one.get("name", "")) for one in entries if id(one) not in known]


def _entry(company_id: str, name: str, connections: dict[str, str], taken: set[str]) -> CommentedMap:
    from ruamel.yaml.comments import CommentedMap

    if not folder_of(name) or folder_of(name) in taken:
        name = f"{name} {company_id}"
    entry = CommentedMap({"name": name, "company_id": company_id})
    if company_id in connections:
        entry["connection"] = connections[company_id]
    return entry


def _is_numbered(entry: Any, name: str) -> bool:
    """Was its id put behind its name, because another company had that name?"""
    return str(entry.get("name", "")) == f"{name} {entry.get('company_id')}"


def _connected(entry: Any, document: Any) -> bool:
    return bool(entry.get("connection") or (document.get("defaults") or {}).get("connection"))


def _rows() -> Any:
    from ruamel.yaml.comments import CommentedSeq

    return CommentedSeq()
