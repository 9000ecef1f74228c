"""What a module of this package declares: its identity provider, and the shapes its exports come in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import fsum
from typing import Literal

from scimops.attributes import AttributePath
from scimops.errors import ShapeTieError, UsageError, nearest
from scimops.idp.table import Table

FIELDS = (
    "externalId", "userName", "email", "firstName", "lastName", "department", "phone", "active", "userType",
    "createdOn", "hiredOn", "leftOn", "groups",
)  # fmt: skip
"""The fields of a user that a shape may have a column for."""

PLAIN_FIELDS = tuple(name for name in FIELDS if name not in ("active", "groups"))


@dataclass(frozen=True)
class Sent:
    """One SCIM attribute that an identity provider's connector can send, and from which of its own attributes.

    `by_default`: it is sent without a word; false: it has to be added; none: nobody has verified it. `note` is what an
    admin has to know of this one; `instead` is what the default mapping sends in its place, to be changed.
    """

    attribute: str
    source: str
    by_default: bool | None = True
    note: str = ""
    instead: str = ""


def plain_target(path: AttributePath) -> str:
    """An attribute's name inside its schema, in SCIM's own way of writing."""
    test = f'[{path.by} eq "{path.of}"]' if path.by else ""
    return f"{path.name}{test}{path.sub and f'.{path.sub}'}"


@dataclass(frozen=True)
class IdentityProvider:
    """What is true of an identity provider whatever the file.

    `sends` is what its SCIM connector can send; `source` is the form of the name of an attribute that is not in it,
    which may be added where `open`; `typed_in`: an admin pastes their names into its forms; `target` writes an
    attribute's name as its forms want it; `how_to_add` says how to add one. `changing_ids` are columns that make a bad
    externalId, with advice. `sources` are the pages these facts come from.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    sends: tuple[Sent, ...] = ()
    source: str = ""
    open: bool = True
    typed_in: bool = True
    target: Callable[[AttributePath], str] = plain_target
    how_to_add: str = "Add an attribute mapping to {attribute}."
    changing_ids: Mapping[str, str] = field(default_factory=dict)
    sends_cleared_values: bool = True
    sends_case_changes: bool = True
    reads_nested_groups: bool = True


@dataclass(frozen=True)
class Active:
    """One column that says whether a person is active: lower-case values for yes and for no, others unknown."""

    header: str
    yes: tuple[str, ...] = ("true",)
    no: tuple[str, ...] = ("false",)


@dataclass(frozen=True)
class Groups:
    """Where the names of a person's groups stand: columns by name or by pattern; one cell may hold several."""

    headers: tuple[str, ...] = ()
    pattern: str = ""
    separator: str = ""

    def found(self, headers: Sequence[str]) -> list[str]:
        """Those of `headers` that hold group names."""
        pattern = re.compile(self.pattern) if self.pattern else None
        return [name for name in headers if name in self.headers or (pattern and pattern.fullmatch(name))]


@dataclass(frozen=True)
class Shape:
    """One form of an export: how it is recognised and which column means what.

    `columns` maps a field to its columns, the first that the file has counts; `coalesce` names fields where an empty
    cell falls back to another field. `attributes` maps SCIM attribute paths to further columns. `signature` are the
    column names that tell this shape from all others: a file fits when it has at least `needed` of them. `prepare`
    may add columns to the table (such as pairs of name and value). `wrapper` is the key that tells a page without
    users. `no_attributes` are columns that say nothing of the user. `add` is the line that exports a missing column.
    """

    name: str
    idp: str
    title: str
    kind: Literal["csv", "json"]
    signature: tuple[str, ...]
    needed: int
    columns: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, str] = field(default_factory=dict)
    active: tuple[Active, ...] = ()
    groups: Groups = field(default_factory=Groups)
    coalesce: Mapping[str, str] = field(default_factory=dict)
    us_dates: bool = False
    others: tuple[str, ...] = ()
    no_attributes: tuple[str, ...] = ()
    wrapper: str = ""
    prepare: Callable[[Table], Table] | None = None
    add: str = "Add the column {column} to the export."

    @cached_property
    def known(self) -> frozenset[str]:
        """All column names this shape knows."""
        plain = [name for names in self.columns.values() for name in names]
        active = [rule.header for rule in self.active]
        more = [*self.groups.headers, *self.others, *self.no_attributes]
        return frozenset([*self.signature, *plain, *self.attributes.values(), *active, *more])

    def column(self, name: str, headers: Sequence[str]) -> str | None:
        """The column of the file that holds the field `name`."""
        return next((header for header in self.columns.get(name, ()) if header in headers), None)


@dataclass(frozen=True)
class Recognition:
    """The shape of a file and the columns it was recognised by."""

    shape: Shape
    recognised_by: list[str]


def detect(table: Table, shapes: Sequence[Shape], wanted: str | None = None) -> Recognition | None:
    """Which of `shapes` the table has, by its columns alone; None where none fits.

    The best fit is the shape that knows most of the file's columns, a column counting the less the more shapes know
    it. Neither the order of columns nor the order of registration plays a part.

    Raises:
        ShapeTieError: two shapes fit equally well.
        UsageError: `wanted` is not the name of a shape.
    """
    if wanted is not None:
        named = {shape.name: shape for shape in shapes}
        if wanted not in named:
            advice = f"{nearest(wanted, named)} Known: {', '.join(sorted(named))}."
            raise UsageError(f'There is no shape "{wanted}".', advice=advice)
        return Recognition(named[wanted], [name for name in table.headers if name in named[wanted].known])
    same_kind = [shape for shape in shapes if shape.kind == table.kind]
    headers = set(table.headers)
    scores: list[tuple[float, str, Shape]] = []
    for shape in same_kind:
        hits = headers & shape.known
        if len(headers.intersection(shape.signature)) >= shape.needed:
            weight = fsum(1 / sum(name in other.known for other in same_kind) for name in hits)
            scores.append((round(weight, 6), shape.name, shape))
    if not scores:
        return None
    scores.sort(key=lambda score: (-score[0], score[1]))
    ties = [name for weight, name, _ in scores if weight == scores[0][0]]
    if len(ties) > 1:
        advice = f"Say --shape {ties[0]}, for example."
        raise ShapeTieError(f"the columns fit {' and '.join(ties)} equally well.", advice=advice)
    best = scores[0][2]
    return Recognition(best, [name for name in table.headers if name in best.signature])
