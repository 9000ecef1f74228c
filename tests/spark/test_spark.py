"""The same pipeline on Apache Spark: every row has the reason and the group that it has on Polars."""

from __future__ import annotations

import csv
import itertools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scimops.backend import SparkBackend
from scimops.errors import ScimopsError
from scimops.idp import Export, read_export
from scimops.preview import ExistingGroups, Preview, preview_export
from scimops.samples import write_sample
from scimops.setting import Setting

MASTER = "local[2]"
PEOPLE = 2_000

pytestmark = pytest.mark.spark


def setting_of(**groups: Any) -> Setting:
    usual = {"criterion": {"field": "department"}, "target_group": "Everyone"}
    return Setting.model_validate({"name": "Spark", "group_settings": usual | groups})


SETTINGS: dict[str, Setting] = {
    f"{duplicates} {inactive}": setting_of(duplicates=duplicates, inactive=inactive)
    for duplicates, inactive in itertools.product(
        ("reject_all", "keep_first", "keep_active"), ("no_group", "keep_group")
    )
} | {
    "reject": setting_of(inactive="reject"),
    "aliases": setting_of(aliases={"R&D": "Engineering", "sales": "everyone", "Satış": "Sales"}),
    "no target group": setting_of(target_group=None),
    "no criterion": setting_of(criterion=None),
    "no group at all": setting_of(criterion=None, target_group=None),
    "groups of the identity provider": setting_of(criterion={"idp_groups": True}, duplicates="keep_active"),
    "scope": Setting.model_validate(
        {
            "name": "Scope",
            "scope": {"active_only": True, "user_types": ["Member"]},
            "group_settings": {"target_group": "All"},
        }
    ),
}

NASTY = {
    "userPrincipalName": [
        "anna", "Anna ", "ANNA", "élodie", "E\u0301LODIE", "", "straße", "STRASSE", "a\x00", "x" * 321,
    ],
    "mail": ["a@example.com", "A@EXAMPLE.com", "b@b", "", "bad", "ş@e.com", "Ş@e.com", "a b@c", "c@d\x07"],
    "department": [
        "Sales", "SALES", " sales", "Satış", "SATIŞ", "Straße", "STRASSE", "", "  ", "\u200b", "null", "NULL", "None",
        "NaN", "true", "007", "7", "1e3", "a,b", 'q"q', "back\\slash", "two\nlines", "tab\there", "R&D²", "R&D2",
        "x" * 257, "😀", "\ufeffSales", "%", "_", "'; --",
    ],
    "accountEnabled": ["True", "False", "", "perhaps"],
    "userType": ["Member", "Guest", ""],
}  # fmt: skip


def nasty_file(path: Path, seed: int) -> Path:
    """Random rows of nasty values: many clashes, few of each kind."""
    dice = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*NASTY, "objectId"])
        for number in range(PEOPLE):
            row = [dice.choice(values) for values in NASTY.values()]
            if dice.random() < 0.5:
                row[0] = f"user{dice.randrange(PEOPLE)}"
                row[1] = f"{row[0]}@example.com"
            writer.writerow([*row, str(number)])
    return path


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    folder = tmp_path_factory.mktemp("spark")
    shapes = ("entra_download_users", "jumpcloud_csv", "scim_users")
    found = {shape: read_export(write_sample(folder / shape, shape, people=PEOPLE, seed=7)) for shape in shapes}
    found["nasty"] = read_export(nasty_file(folder / "nasty.csv", 3))
    found["nobody"] = read_export(_empty(folder / "nobody.csv"))
    return found


def _empty(path: Path) -> Path:
    path.write_text("userPrincipalName,mail,department,accountEnabled\n", encoding="utf-8")
    return path


def rows(preview: Preview) -> list[tuple[Any, ...]]:
    return preview.people.select("n", "reason", "group_key").rows()


SAMPLES = ("entra_download_users", "jumpcloud_csv", "scim_users", "nobody")
PAIRS = [
    *(("nasty", name) for name in SETTINGS),
    *((shape, name) for shape in SAMPLES for name in ("keep_first keep_group", "groups of the identity provider")),
]


@pytest.mark.parametrize(("shape", "name"), PAIRS)
def test_spark_equals_polars_row_by_row(exports: dict[str, Export], shape: str, name: str) -> None:
    existing = ExistingGroups({"sales": "SALES (existing)"}, "groups.csv")
    here = preview_export(exports[shape], SETTINGS[name], existing=existing)
    there = preview_export(exports[shape], SETTINGS[name], existing=existing, backend=MASTER)
    assert rows(there) == rows(here)
    assert there.people.equals(here.people)
    assert there.people.schema == here.people.schema
    assert there.groups == here.groups
    assert there.backend == MASTER
    print(f"{shape}, {name}: {here.people.height:,} rows compared, reasons {here.reasons}")  # noqa: T201  # the count


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("spark.sql.ansi.enabled", "false"),
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.session.timeZone", "Asia/Tokyo"),
        ("spark.sql.shuffle.partitions", "3"),
        ("spark.sql.execution.arrow.pyspark.enabled", "true"),
        ("spark.sql.caseSensitive", "true"),
    ],
)
def test_the_sessions_settings_change_nothing(exports: dict[str, Export], option: str, value: str) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master(MASTER).getOrCreate()
    before = session.conf.get(option)
    session.conf.set(option, value)
    try:
        there = preview_export(exports["nasty"], SETTINGS["aliases"], backend=MASTER)
    finally:
        session.conf.set(option, before)
    assert rows(there) == rows(preview_export(exports["nasty"], SETTINGS["aliases"]))


def test_a_cluster_that_cannot_read_the_folder_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def pipeline(people: Any) -> Any:
        next(tmp_path.glob("*/people.parquet")).unlink()
        return people

    with pytest.raises(ScimopsError, match=r"Spark at local\[2\] failed: .*TMPDIR"):
        SparkBackend(MASTER).run(pipeline, people=pl.DataFrame({"n": [1]}))
    assert not list(tmp_path.glob("scimops-*"))


def test_the_samples_are_worth_comparing(exports: dict[str, Export]) -> None:
    reasons = set(preview_export(exports["nasty"], SETTINGS["keep_first no_group"]).reasons)
    assert len(reasons) >= 8
    assert len(preview_export(exports["nasty"], SETTINGS["keep_first no_group"]).groups) >= 15


def test_a_master_that_does_not_answer_is_an_error_in_words() -> None:
    code = (
        "from scimops.backend import open_backend; import polars as pl\n"
        "open_backend('spark://127.0.0.1:1').run(lambda t: t, t=pl.DataFrame({'n': [1]}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode != 0
    assert "ScimopsError: Spark at spark://127.0.0.1:1 does not answer" in done.stderr
