"""A notebook's parameters, checked against the types it declares before anything runs.

Papermill itself checks nothing: an unknown name is a warning, `007` for a text becomes 7. Here the type stands in the
notebook's parameters cell (`limit: int = 10`), and a value on the command line is read as that type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scimops.errors import UsageError, nearest


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words[text.lower()]


def _json(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


_TYPES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "str": ("text", str),
    "int": ("a whole number", int),
    "float": ("a number", float),
    "bool": ("true or false", _boolean),
    "list": ("a JSON list", _json(list)),
    "dict": ("a JSON object", _json(dict)),
}


def declared(notebook: Path) -> dict[str, tuple[str, str]]:
    """The parameters a notebook declares: name → (type, default as it is written).

    Raises:
        UsageError: there is no such notebook, or it is none.
    """
    import logging

    import papermill

    if not notebook.is_file():
        folder = notebook.parent if notebook.parent.is_dir() else Path()
        near = nearest(notebook.name, [path.name for path in folder.glob("*.ipynb")])
        raise UsageError(
            "there is no such notebook.", where=str(notebook), advice=near or "Check the name and the folder."
        )
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        found = papermill.inspect_notebook(str(notebook))
    except Exception as error:  # nbformat and papermill raise many kinds for a file that is no notebook
        raise UsageError(f"this is no notebook ({type(error).__name__}).", where=str(notebook)) from error
    return {name: (_kind(entry), str(entry["default"])) for name, entry in found.items()}


def _kind(entry: Mapping[str, Any]) -> str:
    """`str` of `str`, `list` of `list[str]`; without an annotation the type of the default."""
    name = str(entry["inferred_type_name"]).split("[")[0].split("|")[0].strip()
    if name in _TYPES:
        return name
    default = str(entry["default"])
    if default in ("True", "False"):
        return "bool"
    return "int" if default.lstrip("-").isdecimal() else "str"


def checked(notebook: Path, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The values of `given` as the types that `notebook` declares.

    Raises:
        UsageError: an unknown name, a name given twice, or a value of another type; lists what there is.
    """
    known = declared(notebook)
    values: dict[str, Any] = {}
    for name, text in given:
        if name not in known:
            listed = ", ".join(f"{key} ({kind})" for key, (kind, _) in known.items()) or "none"
            raise UsageError(
                f'{notebook.name} has no parameter "{name}".',
                advice=f"{nearest(name, known)} It has: {listed}.".strip(),
            )
        if name in values:
            raise UsageError(f'The parameter "{name}" is given twice.')
        words, read = _TYPES[known[name][0]]
        try:
            values[name] = read(text)
        except (ValueError, KeyError):
            raise UsageError(f'The parameter "{name}" must be {words}, not "{text}".') from None
    return values
