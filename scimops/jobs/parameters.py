"""A notebook's parameters, checked against the types it declares before anything runs.

Papermill itself checks nothing: an unknown name is a warning, `007` for a text becomes 7. Here the type stands in the
notebook's parameters cell (`limit: int = 10`), and a value on the command line is read as that type.
"""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scimops.credentials import redact
from scimops.errors import SettingError, UsageError, nearest
from scimops.yaml_documents import load_document

_SECRET_NAME = re.compile(r"(^|_)(secret|token|password|passwd|passphrase|api_?key|credentials?)$", re.IGNORECASE)

_SECRET = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY|\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-)\w{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\b(Bearer|Basic) [\w+/=.~-]{8,}|://[^/\s:@]*:[^/\s@]+@"
)
"""A JSON Web Token, a private key, tokens of code hosts, chats and clouds, an Authorization header, a URL with a
password; tokens of scimops and secrets of the environment are found by :func:`redact`."""

_REFERENCE = re.compile(r"(env|keyring|file|dir|cmd):.")


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


def read_notebook(path: Path) -> tuple[Any, str]:
    """The notebook in the file `path`, and the SHA-256 of that file.

    Raises:
        UsageError: there is no such notebook, or it is none.
    """
    import nbformat

    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else Path()
        near = nearest(path.name, [each.name for each in folder.glob("*.ipynb")])
        raise UsageError("there is no such notebook.", where=str(path), advice=near or "Check the name and the folder.")
    data = path.read_bytes()
    try:
        notebook = nbformat.reads(data.decode("utf-8-sig"), as_version=4)  # type: ignore[no-untyped-call]  # nbformat ships no types
    except Exception as error:  # nbformat raises many kinds for a file that is no notebook
        raise UsageError(f"this is no notebook ({type(error).__name__}).", where=str(path)) from error
    return notebook, hashlib.sha256(data).hexdigest()


def declared(notebook: Path) -> dict[str, tuple[str, str]]:
    """The parameters a notebook declares: name → (type, default as it is written).

    Raises:
        UsageError: there is no such notebook, or it is none.
    """
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    document, _ = read_notebook(notebook)
    try:
        found = papermill.inspect_notebook(document)
    except Exception as error:  # papermill raises many kinds for a notebook that it does not understand
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


def checked(notebook: Path, given: Sequence[tuple[str, str]], file: Path | None = None) -> dict[str, Any]:
    """The values of `file` (YAML) and of `given`, which wins, as the types that `notebook` declares.

    Raises:
        UsageError: an unknown name, a name given twice, a value of another type, or a secret; lists what there is, and
            never repeats a secret.
    """
    known = declared(notebook)
    for name, (_, default) in known.items():
        _refuse_secret(name, _literal(default))
    values = _read_file(file, known) if file is not None else {}
    seen = set()
    for name, text in given:
        _refuse_secret(name, text)
        if name not in known:
            listed = ", ".join(f"{key} ({kind})" for key, (kind, _) in known.items()) or "none"
            raise UsageError(
                f'{notebook.name} has no parameter "{redact(name)}".',
                advice=f"{nearest(name, known)} It has: {listed}.".strip(),
            )
        if name in seen:
            raise UsageError(f'The parameter "{name}" is given twice.')
        seen.add(name)
        words, read = _TYPES[known[name][0]]
        try:
            values[name] = read(text)
        except (ValueError, KeyError):
            raise UsageError(f'The parameter "{name}" must be {words}, not "{text}".') from None
    return values


def _read_file(path: Path, known: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The values in a YAML file, read as strictly as any document: `007` is no text, and a text no number."""
    from pydantic import ConfigDict, create_model

    kinds: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
    fields = {name: (kinds[kind], None) for name, (kind, _) in known.items() if not name.startswith("_")}
    with warnings.catch_warnings():  # a parameter may be called as a method of pydantic's is
        warnings.simplefilter("ignore")
        model = create_model("Parameters", __config__=ConfigDict(extra="forbid", strict=True), **fields)  # type: ignore[call-overload]  # names are known only now
    try:
        document = load_document(path, model)
    except SettingError as error:
        raise SettingError(redact(error.message), where=error.where, advice=error.advice) from None
    values = {name: getattr(document, name) for name in document.model_fields_set}
    for name, value in values.items():
        _refuse_secret(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return values


def _refuse_secret(name: str, text: str) -> None:
    """Parameters stand in the report, and those of a command in the list of processes."""
    named = bool(_SECRET_NAME.search(name)) and bool(text) and not _REFERENCE.match(text)
    if named or _SECRET.search(text) or redact(text) != text:
        raise UsageError(
            f'The parameter "{redact(name)}" holds a secret, which would stand in the report.',
            advice="Give a reference, such as env:SCIMOPS_NAME or keyring:NAME, and renew that secret.",
        )


def _literal(default: str) -> str:
    """A default as it is written, without the quotes of a text."""
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return default
    return value if isinstance(value, str) else "" if value is None else default
