"""Parameters are checked against the notebook's declared types before anything runs."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from scimops.errors import UsageError
from scimops.jobs.parameters import checked, declared

CELL = """export: str = "a.csv"
limit: int = 10
share: float = 0.5
strict: bool = False
names: list[str] = []
more: dict = {}
plain = "x"
"""


@pytest.fixture
def notebook(tmp_path):
    cell = new_code_cell(CELL, metadata={"tags": ["parameters"]})
    path = tmp_path / "n.ipynb"
    nbformat.write(
        new_notebook(
            cells=[cell], metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "p"}}
        ),
        path,
    )
    return path


def test_types_are_those_that_the_cell_declares(notebook):
    kinds = {name: kind for name, (kind, _) in declared(notebook).items()}
    assert kinds == {
        "export": "str", "limit": "int", "share": "float", "strict": "bool", "names": "list", "more": "dict",
        "plain": "str",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("export", "007", "007"), ("export", "true", "true"), ("plain", "010", "010"), ("limit", "12", 12),
        ("share", "0.25", 0.25), ("strict", "yes", True), ("strict", "false", False), ("names", '["a"]', ["a"]),
        ("more", '{"a": 1}', {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_type(notebook, name, text, value):
    assert checked(notebook, [(name, text)]) == {name: value}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([("limit", "abc")], 'must be a whole number, not "abc"'),
        ([("strict", "perhaps")], "must be true or false"),
        ([("names", '{"a": 1}')], "must be a JSON list"),
        ([("exprot", "x")], 'Did you mean "export"?'),
        ([("limit", "1"), ("limit", "2")], "given twice"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(notebook, given, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")) as caught:
        checked(notebook, given)
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_notebook(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_text("not json")
    with pytest.raises(UsageError, match="no notebook"):
        declared(path)
