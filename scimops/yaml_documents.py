"""Documents that people write: YAML read strictly into a pydantic model, and written back with comments kept.

Strictly: an unknown key, a wrong type, a duplicate key, an anchor or a tag is an error with its line, what is allowed
there, and the nearest right word.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from scimops.errors import SettingError, nearest
from scimops.touched import note_read, note_written

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from ruamel.yaml.comments import CommentedMap

MAX_YAML = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 50

Model = TypeVar("Model", bound=BaseModel)


def load_document(path: str | Path, model: type[Model]) -> Model:
    """The document of type `model` in the YAML file `path`.

    Raises:
        SettingError: there is no such file, or something in it is wrong: says where and what is allowed.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingError("there is no such file.", where=str(path), advice="Check the name and the folder.")
    if path.stat().st_size > MAX_YAML:
        raise SettingError("such a document is at most 1 MB.", where=str(path))
    note_read(path)
    return parse_document(read_text(path), model, str(path))


def parse_document(text: str, model: type[Model], name: str) -> Model:
    """The document of type `model` in YAML `text`; `name` is what errors call it.

    Raises:
        SettingError: as in :func:`load_document`.
    """
    return validated(parse_yaml(text, name), model, name)


def validated(document: dict[str, Any], model: type[Model], name: str = "") -> Model:
    """The document of type `model` that `document` means; `name` is what errors call it.

    Raises:
        SettingError: something in it is wrong: says where and what is allowed.
    """
    try:
        return model.model_validate(_plain(document))
    except ValidationError as error:
        raise _explained(error, document, model, name) from None


def save_document(value: BaseModel, path: str | Path) -> None:
    """Write `value` to `path` whole or not at all; comments and order of a document that is there are kept."""
    path = Path(path)
    said = value.model_dump(mode="json", exclude_defaults=True)
    first = {key: getattr(value, key) for key in ("format", "name") if hasattr(value, key)}
    said = first | {key: inner for key, inner in said.items() if key not in first}
    document: Any = said
    if path.is_file():
        document = parse_yaml(read_text(path), str(path))
        _merge(document, value.model_dump(mode="json"), said)
    out = io.StringIO()
    round_trip().dump(document, out)
    write_whole(path, out.getvalue())


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write `text` to `path`, in UTF-8, whole or not at all; `private`: for its owner alone."""
    part = path.with_name(f".{path.name}.part")
    if private:
        part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
    note_written(path)


def read_text(path: Path) -> str:
    """The text of a document.

    Raises:
        SettingError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingError("this is not UTF-8 text.", where=str(path), advice="Save it as UTF-8.") from None


def round_trip() -> Any:
    """Reads and writes YAML so that comments, quotes and order stay."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.width = 120
    return yaml


def parse_yaml(text: str, name: str) -> CommentedMap:
    """The keys and values of a document, with their lines; `name` is what errors call it.

    Raises:
        SettingError: it is no YAML as documents may have it.
    """
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > MAX_YAML:
        raise SettingError("such a document is at most 1 MB.", where=name)
    try:
        _refuse_anchors(text, name)
        document = round_trip().load(text)
        _refuse_keys(document, name)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SettingError("a key stands there twice.", where=f"{name}, line {line}", advice="Keep one.") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SettingError(f"this is not YAML: {error.problem}.", where=f"{name}, line {line}") from None
    except YAMLError as error:
        raise SettingError(f"this is not YAML: {str(error).splitlines()[0]}.", where=name) from None
    if not isinstance(document, CommentedMap):
        raise SettingError("this is no list of keys and values.", where=name, advice="Start with `format: 1`.")
    return document


def _refuse_anchors(text: str, name: str) -> None:
    from ruamel.yaml import events

    depth = 0
    for number, event in enumerate(round_trip().parse(text)):
        place = f"{name}, line {event.start_mark.line + 1}"
        depth += isinstance(event, events.CollectionStartEvent) - isinstance(event, events.CollectionEndEvent)
        if number > MAX_NODES:
            raise SettingError(f"such a document has at most {MAX_NODES:,} values.", where=name)
        if depth > MAX_DEPTH:
            raise SettingError("such a document is not nested so deeply.", where=place)
        if isinstance(event, events.AliasEvent) or getattr(event, "anchor", None):
            raise SettingError("anchors (&) and aliases (*) are not allowed.", where=place, advice="Write it out.")
        if getattr(event, "tag", None):
            raise SettingError("tags (!) are not allowed.", where=place, advice="Write plain values.")
        if getattr(event, "value", None) == "<<" and event.style is None:
            raise SettingError("merge keys (<<) are not allowed.", where=place, advice="Write it out.")


def _refuse_keys(document: Any, name: str) -> None:
    """Every key is text as it is written: YAML reads 007 as the number 7, and ~ as nothing."""
    if isinstance(document, dict):
        for key, value in document.items():
            if not isinstance(key, str):
                where = f"{name}, line {line_of(document, [key])}"
                raise SettingError(f'the key "{_word(key)}" must be text.', where=where, advice="Put it in quotes.")
            _refuse_keys(value, name)
    elif isinstance(document, list):
        for value in document:
            _refuse_keys(value, name)


def _plain(value: Any) -> Any:
    """What ruamel read as plain Python; its dates stay what they are, so that strict types refuse them."""
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return _whole(str(value))
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def _whole(text: str) -> str:
    """JSON writes a character beyond U+FFFF as two halves; ruamel reads them as two characters."""
    try:
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


def _merge(document: Any, values: dict[str, Any], said: dict[str, Any]) -> None:
    """Make `document` say `values`: what it says already stays as it is written, of the rest only what is `said`.

    `said` are those of `values` that are not what counts where nothing is said.
    """
    for key in [key for key in document if key not in values or (values[key] is None and document[key] is not None)]:
        del document[key]
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            _merge(document[key], value, said.get(key, {}))
        elif key not in document:
            if key in said:
                document[key] = said[key]
        elif _plain(document[key]) != value:
            document[key] = said.get(key, value)


_TYPES = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list (lines that begin with -)",
    "dict_type": "must be keys and values",
    "model_type": "must be keys and values",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "string_unicode": "holds half a character",
    "greater_than_equal": "must be 0 or more",
}


def _explained(error: ValidationError, document: dict[str, Any], model: type[BaseModel], name: str) -> SettingError:
    """The first thing wrong, with its line, its key and what is allowed there; an unknown key counts as first."""
    problems = error.errors()
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    location, message, advice = list(first["loc"]), first["msg"].removeprefix("Value error, "), ""
    if first["type"] == "wrong_key":
        where, message, advice = message.split("|", 2)
        location = list(where.split("."))
    key = ".".join(str(part) for part in location if part != "[key]") or "it"
    text, hint = _sentence(first, location, model)
    where = f"{name}, line {line_of(document, location)}" if hasattr(document, "lc") else name
    return SettingError(f'"{key}" {text or message}.', where=where, advice=(advice or hint).strip())


def _sentence(problem: ErrorDetails, location: list[Any], model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong in our words, and what is allowed; empty where pydantic's own message serves."""
    kind, given = problem["type"], problem.get("input")
    limits = problem.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _allowed(model, location[:-1])
        return "is not known here", nearest(str(location[-1]), allowed) or f"Allowed: {', '.join(allowed)}."
    if kind == "literal_error":
        expected = str(limits["expected"]).replace("'", "")
        expected = "true" if expected == "True" else expected
        if given == expected:
            return "is text", "Write it without quotes."
        near = nearest(given, re.split(", | or ", expected)) if isinstance(given, str) else ""
        return f'is "{_word(given)}"', f"Allowed: {expected}. {near}"
    if kind == "string_too_long":
        return f"is longer than {limits['max_length']} characters", ""
    if kind == "string_pattern_mismatch":
        return f'is "{given}"', "Allowed: a number with h, d or w, such as 12h, 7d, 2w."
    return _TYPES.get(kind, ""), ""


def _word(value: Any) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _allowed(model: Any, location: list[Any]) -> list[str]:
    """The keys a document has at `location`."""
    for part in location:
        if part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def line_of(document: Any, location: list[Any]) -> int:
    """The line of the deepest part of `location` that the document has."""
    line = 1
    for part in location:
        try:
            data = document.lc.data
            entry = data[int(part)] if isinstance(document, list) else data[part]
            line = entry[0] + 1
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            break
    return line
