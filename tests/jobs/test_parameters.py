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


def test_a_file_of_parameters_is_read_strictly_and_the_command_line_wins(notebook, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text('export: "007"\nlimit: 3\nshare: 1\nstrict: true\nnames: [a, b]\nmore: {x: [1]}\n')
    values = checked(notebook, [("limit", "4")], file)
    assert values == {
        "export": "007", "limit": 4, "share": 1.0, "strict": True, "names": ["a", "b"], "more": {"x": [1]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limit: 1\nexport: 007\n", 'line 2: "export" must be text; put it in quotes'),
        ('limit: "3"\n', '"limit" must be a whole number'),
        ("strict: yes please\n", '"strict" must be true or false'),
        ("exprot: x\n", 'Did you mean "export"?'),
        ("limit: 1\nlimit: 2\n", "a key stands there twice"),
        ("limit: &a 1\nplain: *a\n", "anchors"),
    ],
)
def test_a_wrong_file_of_parameters(notebook, tmp_path, text, said):
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        checked(notebook, [], file)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
