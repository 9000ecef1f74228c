"""Which shape a file has: by its columns alone, in whatever order and company."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimops.errors import ShapeTieError, UsageError
from scimops.idp import SHAPES, read_export, read_table
from scimops.idp.shape import Shape, detect
from scimops.idp.table import Table
from scimops.samples import SHAPE_FORMATS, write_sample

ALL = list(SHAPES.values())


def table(headers: list[str], kind: str = "csv") -> Table:
    return Table(headers=headers, rows=0, scan=lambda _: pl.LazyFrame(), encoding="utf-8", kind=kind)


def shape_of(headers: list[str], kind: str, shapes: list[Shape] = ALL) -> str | None:
    found = detect(table(headers, kind), shapes)
    return found.shape.name if found else None


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], str]]:
    """Of each shape the columns of a sample, and its kind."""
    folder, found = tmp_path_factory.mktemp("samples"), {}
    for name in SHAPES:
        path = write_sample(folder / f"{name}{Path(SHAPE_FORMATS[name]).suffix}", name, people=40)
        read, _ = read_table(path)
        found[name] = (read.headers, read.kind)
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_dropping_any_one_column_changes_nothing(samples: Any, name: str) -> None:
    headers, kind = samples[name]
    for gone in headers:
        assert shape_of([header for header in headers if header != gone], kind) == name, gone


@pytest.mark.parametrize("name", SHAPES)
def test_the_columns_a_shape_knows_dropping_any_one(name: str) -> None:
    shape = SHAPES[name]
    for gone in ("", *shape.known):
        assert shape_of(sorted(shape.known - {gone}), shape.kind) == name, gone


@settings(deadline=None)
@given(st.data())
def test_order_and_unknown_columns_and_registration_change_nothing(samples: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(SHAPES)))
    headers, kind = samples[name]
    unknown = data.draw(st.lists(st.text(max_size=6).map("x {} x".format), max_size=60))
    dropped = data.draw(st.sampled_from(headers))
    changed = data.draw(st.permutations([*(header for header in headers if header != dropped), *unknown]))
    assert shape_of(changed, kind, data.draw(st.permutations(ALL))) == name


@pytest.mark.parametrize("seed", range(20))
def test_any_columns_are_judged_alike_whatever_the_registration(seed: int) -> None:
    chance = random.Random(seed)
    headers = chance.sample(sorted({name for shape in ALL for name in shape.known}), 40)

    def verdict() -> str | None:
        try:
            return shape_of(headers, "csv", chance.sample(ALL, len(ALL)))
        except ShapeTieError as error:
            return str(error)

    assert len({verdict() for _ in range(10)}) == 1


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_name_says_nothing(samples: Any, tmp_path: Path, name: str) -> None:
    if samples[name][1] == "csv":
        other = write_sample(tmp_path / "okta-onelogin-jumpcloud-exportUsers.json", name, people=3)
        assert read_export(other).shape.name == name


def test_what_nobody_knows_is_guessed(tmp_path: Path) -> None:
    assert shape_of(["Employee ID", "First name", "E-mail"], "csv") is None
    (tmp_path / "exportUsers_2026-11-25.csv").write_text("Mail;Vorname;Abteilung\na@example.com;Anna;Vertrieb\n")
    export = read_export(tmp_path / "exportUsers_2026-11-25.csv")
    assert (export.shape.name, export.columns["department"]) == ("generic", "Abteilung")


def _shape(name: str, *signature: str, kind: Literal["csv", "json"] = "csv", needed: int = 1) -> Shape:
    return Shape(name, "x", "x", kind, signature, needed, {})


def test_a_tie_is_an_error_that_names_the_shapes_and_the_option_decides() -> None:
    shapes = [_shape("beta", "a", "c"), _shape("alpha", "a", "b"), _shape("gamma", "d")]
    for order in (shapes, shapes[::-1]):
        with pytest.raises(ShapeTieError, match="alpha and beta equally well") as caught:
            detect(table(["a"]), order)
        assert "--shape alpha" in str(caught.value)
        assert caught.value.exit_code == 2
        chosen = detect(table(["a"]), order, "beta")
        assert chosen
        assert (chosen.shape.name, chosen.recognised_by) == ("beta", ["a"])
        found = detect(table(["a", "c"]), order)
        assert found
        assert found.shape.name == "beta"


def test_a_tie_in_a_real_file(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("login,secondEmail,openid_name,directory_id\nanna,,,\n")
    with pytest.raises(ShapeTieError, match="okta_import_template and onelogin_csv equally well"):
        read_export(path)
    assert read_export(path, shape="okta_import_template").shape.name == "okta_import_template"
    assert read_export(path, shape="generic").shape.name == "generic"


def test_files_of_two_shapes_are_no_pages_of_one_export(tmp_path: Path) -> None:
    paths = [write_sample(tmp_path / name, name, people=3) for name in ("okta_console", "onelogin_csv")]
    with pytest.raises(UsageError, match="okta_console is okta_console, onelogin_csv is onelogin_csv"):
        read_export(*paths)


def test_a_shape_of_another_kind_or_with_too_little_does_not_qualify() -> None:
    assert detect(table(["a"]), [_shape("json", "a", kind="json")]) is None
    assert detect(table(["a"]), [_shape("two", "a", "b", needed=2)]) is None


def test_an_unknown_shape_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="okta_console"):
        detect(table(["a"]), ALL, "okta_consol")


def test_every_shape_has_samples_and_needs_no_more_than_it_signs_with() -> None:
    assert set(SHAPES) <= set(SHAPE_FORMATS)
    assert all(0 < shape.needed <= len(shape.signature) for shape in ALL)
