"""Identity providers: the shapes of their exports, what they send, their quirks.

One module per identity provider declares `IDP` and `SHAPES`; a new one is added to :data:`PROVIDERS` and needs
nothing else. :func:`read_export` reads any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scimops.errors import IncompleteSourceError, SourceError, UsageError
from scimops.idp import entra, generic, google_workspace, jumpcloud, okta, onelogin, rehearsal, scim
from scimops.idp.delimited import read_delimited
from scimops.idp.documents import read_documents
from scimops.idp.encoding import is_json
from scimops.idp.export import Export, Part
from scimops.idp.shape import IdentityProvider, Recognition, Shape, detect
from scimops.idp.source import Source, Workspace, is_workbook, open_source
from scimops.idp.table import RejectedRow, Table, is_password
from scimops.idp.workbook import read_workbook

__all__ = ["IDPS", "SHAPES", "Export", "IdentityProvider", "RejectedRow", "Shape", "read_export", "read_table"]

PROVIDERS = (entra, okta, onelogin, jumpcloud, google_workspace, scim, rehearsal)
IDPS: dict[str, IdentityProvider] = {module.IDP.name: module.IDP for module in (*PROVIDERS, generic)}
SHAPES: dict[str, Shape] = {shape.name: shape for module in PROVIDERS for shape in module.SHAPES}


def read_export(
    *files: str | Path,
    shape: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    allow_incomplete: bool = False,
) -> Export:
    """Read an export of users, recognised by its columns alone. Several files are the pages of one export.

    Args:
        files: paths; `-` is standard input; gzip is unpacked.
        shape: the name of a shape where the columns leave a doubt (`generic` guesses every column).
        encoding: `utf-8`, `utf-16-le`, `utf-16-be` or `cp1252`; found out where not given.
        delimiter: one character, or comma, semicolon, tab, pipe; found out where not given.
        allow_incomplete: accept a part of an export, for looking only; the export says so in `missing`.

    Raises:
        SourceError: a file cannot be read as an export; says which and why.
        ShapeTieError: two shapes fit equally well.
        IncompleteSourceError: the files hold only a part of what they say.
        UsageError: an unknown shape, encoding or delimiter.
    """
    if not files:
        raise UsageError("No file was named.", advice="Name the export, or - for standard input.")
    workspace = Workspace()
    parts: list[Part] = []
    shapes: list[Shape] = []
    for name in files:
        source = open_source(name, workspace)
        table = _read_table(source, encoding, delimiter)
        if table.broken and not allow_incomplete:
            raise _incomplete(table.broken, source.name)
        recognition = _recognise(table, shape, source.name)
        if recognition.shape.prepare:
            table = recognition.shape.prepare(table)
            table.headers = [header for header in table.headers if not is_password(header)]
        parts.append(Part(source, table, recognition.recognised_by))
        shapes.append(recognition.shape)
    _refuse_strangers(parts, shapes)
    missing = _missing([part.table for part in parts])
    if missing and not allow_incomplete:
        raise _incomplete(missing, ", ".join(part.source.name for part in parts))
    told = [one for one, part in zip(shapes, parts, strict=True) if part.table.headers]
    return Export((told or shapes)[0], parts, missing)


def _incomplete(missing: str, where: str) -> IncompleteSourceError:
    advice = "Export again and name all pages. To look at this part only, say --allow-incomplete."
    return IncompleteSourceError(f"this is only a part of the export: {missing}.", where=where, advice=advice)


def _refuse_strangers(parts: Sequence[Part], shapes: Sequence[Shape]) -> None:
    """Pages have one shape, and none is there twice: it would stand in for the one that is missing."""
    told = {one.name for one, part in zip(shapes, parts, strict=True) if part.table.headers}  # an empty page fits any
    if len(told) > 1:
        listed = ", ".join(f"{part.source.name} is {one.name}" for part, one in zip(parts, shapes, strict=True))
        raise UsageError(f"These files are not pages of one export: {listed}.", advice="Read them one at a time.")
    seen: dict[tuple[int, bytes], str] = {}
    for source in (part.source for part in parts if len(parts) > 1 and part.table.rows):
        content = (source.path.stat().st_size, source.head)
        if content in seen:
            advice = "Name each page once."
            raise UsageError(f"{seen[content]} and {source.name} are the same page.", advice=advice)
        seen[content] = source.name


def read_table(name: str | Path) -> tuple[Table, Source]:
    """Any CSV, TSV, JSON or workbook as a table of strings, whatever it is about.

    Raises:
        SourceError: it cannot be read.
    """
    source = open_source(name, Workspace())
    return _read_table(source, None, None), source


def _read_table(source: Source, encoding: str | None, delimiter: str | None) -> Table:
    if is_workbook(source.head):
        return read_workbook(source)
    if rehearsal.is_recording(source.head):
        return rehearsal.read_recording(source)
    if delimiter is None and is_json(source.head, encoding):
        return read_documents(source, encoding)
    return read_delimited(source, encoding, delimiter)


def _recognise(table: Table, wanted: str | None, name: str) -> Recognition:
    if table.kind == "json" and not table.rows and wanted is None:  # only what is around the users can tell
        for one in SHAPES.values():
            if one.wrapper and one.wrapper in table.wrapper:
                return Recognition(one, [one.wrapper])
    if table.recording is not None and wanted is None:  # its first line says what it is, also where nobody came
        known = rehearsal.RECORDING.signature
        return Recognition(rehearsal.RECORDING, [name for name in table.headers if name in known])
    found = None if wanted == generic.IDP.name else detect(table, list(SHAPES.values()), wanted)
    if found is None and table.kind == "json" and table.headers:
        listed = ", ".join(table.headers[:8])
        raise SourceError(
            f"no known JSON export has these attributes: {listed}.", where=name, advice="Say --shape, or export as CSV."
        )
    if found is None:
        shape = generic.guess(table)
        return Recognition(shape, sorted({column for columns in shape.columns.values() for column in columns}))
    return found


def _missing(tables: Sequence[Table]) -> str | None:
    """Why these pages are not the whole, or None."""
    rows = sum(table.rows for table in tables)
    if broken := next((table.broken for table in tables if table.broken), ""):
        return broken
    total = max((table.total for table in tables if table.total is not None), default=None)
    if total is not None and total > rows:
        return f"it says {total:,} users in all and holds {rows:,}"
    open_pages = sum(table.next_page for table in tables)
    if total is None and open_pages and open_pages >= len(tables):
        return "it names a next page that is not here"
    return None
