"""`companies.yaml` looked at whole, against a notebook and the connections: every fault at once, each with its line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel

from scimops.connections import load_connections
from scimops.errors import ScimopsError, SettingError, UsageError, nearest
from scimops.jobs.companies import Companies, Company, Defaults, read_document
from scimops.jobs.kernel_seam import know_environment
from scimops.jobs.parameters import checked, declared
from scimops.yaml_documents import line_of, validated

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

Model = TypeVar("Model", bound=BaseModel)

_KINDS: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "str": ("text; put it in quotes", (str,)), "int": ("a whole number", (int,)), "float": ("a number", (int, float)),
    "bool": ("true or false", (bool,)), "list": ("a list (lines that begin with -)", (list,)),
    "dict": ("keys and values", (dict,)),
}  # fmt: skip


def load_companies(path: Path, notebook: Path) -> list[Company]:
    """The companies of a document, each over the defaults, checked whole against the notebook and the connections.

    Raises:
        SettingError: something is wrong; names every fault with its line.
        UsageError: there is no such notebook.
    """
    know_environment(os.environ)
    document = read_document(path)
    return _Check(path, document, notebook).all()


class _Check:
    """Looks at a document whole; `faults` are those found so far, by what they say: one in the defaults counts once."""

    def __init__(self, path: Path, document: CommentedMap, notebook: Path) -> None:
        self.path, self.document, self.notebook = path, document, notebook
        self.faults: dict[str, ScimopsError] = {}
        self.declared = declared(notebook)
        self.known = load_connections().connections

    def all(self) -> list[Company]:
        """The companies, each over the defaults; raises where there is any fault."""
        rest = _part(self.document, {key: value for key, value in self.document.items() if key != "defaults"})
        if not validated(rest, Companies, str(self.path)).companies:
            raise SettingError("it names no company.", where=str(self.path),
                               advice="Write a list `companies:` of entries with a name.")  # fmt: skip
        defaults = self._read(self.document.get("defaults") or {}, Defaults, ["defaults"]) or Defaults()
        found, folders = [], dict[str, str]()
        for place, entry in enumerate(self.document["companies"]):
            company = self._read(entry, Company, ["companies", place])
            if company is None:
                continue
            if company.folder in folders:
                other = folders[company.folder]
                self._fault(f'"{company.name}" has the same folder as "{other}".', ["companies", place, "name"],
                            f"Both are {company.folder}; give one of them another name.")  # fmt: skip
            folders.setdefault(company.folder, company.name)
            found.append(self._whole(company.over(defaults), ["companies", place]))
        self._raise()
        return found

    def _read(self, node: Any, model: type[Model], where: list[Any]) -> Model | None:
        """A part of the document as far as it is right, and a fault for each piece of it that is wrong."""
        if not isinstance(node, dict):
            self._fault(f'"{where[0]}" must be keys and values.', where)
            return None
        if model is Company and "name" not in node:
            self._fault('"name" is missing.', where)
        good: dict[str, Any] = {}
        for key in node:
            right = [self._right(_part(node, {key: piece}), model) for piece in _pieces(node[key])]
            if all(right):
                good[key] = node[key]
        return validated(_part(node, good), model, str(self.path)) if model is Defaults or "name" in good else None

    def _right(self, piece: CommentedMap, model: type[BaseModel]) -> bool:
        """Is it right by itself?"""
        if model is Company:
            piece.setdefault("name", "any")
        try:
            validated(piece, model, str(self.path))
        except SettingError as error:
            self.faults.setdefault(str(error), error)
            return False
        return True

    def _whole(self, company: Company, where: list[Any]) -> Company:
        """The company with its connection as a parameter, its connection and parameters looked at."""
        name, given = company.connection, dict(company.parameters)
        if name is not None and name not in self.known:
            advice = nearest(name, self.known) or f"Known: {', '.join(self.known) or 'none'}."
            self._fault(f'There is no connection "{name}".', self._place(where, "connection"), advice)
        if name is not None and "connection" in given:
            self._fault('"connection" stands there twice: by itself, and as a parameter.',
                        self._place(where, "parameters", "connection"), "Keep the first.")  # fmt: skip
        elif name is not None and "connection" in self.declared:
            given["connection"] = name
        self._parameters(given, where)
        return company.model_copy(update={"parameters": given})

    def _parameters(self, given: Mapping[str, Any], where: list[Any]) -> None:
        """All at once; where something is wrong one by one, so that each fault has its line."""
        texts = {
            name: value if isinstance(value, str) else json.dumps(value, default=str) for name, value in given.items()
        }
        wrong = {
            name: _wrong_kind(value, self.declared[name][0]) for name, value in given.items() if name in self.declared
        }
        try:
            checked(self.notebook, list(texts.items()))
            if not any(wrong.values()):
                return
        except UsageError:
            pass
        for name, text in texts.items():
            place = self._place(where, "parameters", name)
            try:
                checked(self.notebook, [(name, text)])
                if wrong.get(name):
                    self._fault(f'The parameter "{name}" must be {wrong[name]}.', place)
            except UsageError as error:
                self._fault(error.message, place, error.advice)

    def _place(self, where: list[Any], *keys: str) -> list[Any]:
        """Where a key stands: in the entry, else in the defaults."""
        part = self.document["companies"][where[1]]
        for key in keys:
            part = part.get(key) if isinstance(part, dict) else None
        return [*where, *keys] if part is not None else ["defaults", *keys]

    def _fault(self, message: str, location: list[Any], advice: str = "") -> None:
        where = f"{self.path}, line {line_of(self.document, location)}"
        fault = SettingError(message, where=where, advice=advice)
        self.faults.setdefault(str(fault), fault)

    def _raise(self) -> None:
        if len(self.faults) == 1:
            raise next(iter(self.faults.values()))
        if self.faults:
            raise SettingError(
                "\n".join([f"{len(self.faults)} faults; nothing ran.", *self.faults]), where=str(self.path)
            )


def _part(node: Any, values: dict[str, Any]) -> CommentedMap:
    """`values`, some of which stand in `node`, with their lines there."""
    from ruamel.yaml.comments import CommentedMap

    part = CommentedMap(values)
    lines = node.lc.data or {} if hasattr(node, "lc") else {}
    for key in values:
        if key in lines:
            part.lc.add_kv_line_col(key, lines[key])
    return part


def _pieces(value: Any) -> list[Any]:
    """A value's keys each by itself, so that each that is wrong is told."""
    return (
        [_part(value, {key: inner}) for key, inner in value.items()] if isinstance(value, dict) and value else [value]
    )


def _wrong_kind(value: Any, kind: str) -> str:
    """What a value must be and is not: YAML reads 007 as a number, so no text is made of one."""
    words, kinds = _KINDS[kind]
    right = isinstance(value, kinds) and (kind == "bool" or not isinstance(value, bool))
    return "" if right else words
