"""The image's recipe: what it copies is there, it is not root, and scimops needs no home that can be written to."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from scheduling import given

from scimops.schedules.kubernetes import USER

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
ENVIRONMENT = dict(
    word.split("=", 1) for line in re.findall("^ENV (.*)", RECIPE, re.MULTILINE) for word in shlex.split(line)
)


def test_what_is_copied_is_there_and_the_user_is_not_root() -> None:
    copied = [line.split()[:-1] for line in re.findall("^COPY (?!--from)(.*)", RECIPE, re.MULTILINE)]
    assert sorted(name for names in copied for name in names) == [
        "README.md", "notebooks", "pyproject.toml", "requirements/run.txt", "scimops",
    ]  # fmt: skip
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert re.findall("^USER (.*)", RECIPE, re.MULTILINE) == [f"{USER}:{USER}"]
    assert "--require-hashes -r requirements/run.txt" in RECIPE
    assert 'ENTRYPOINT ["scimops"]' in RECIPE


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc here, in which not even root can write")
def test_a_run_needs_no_home_that_can_be_written_to(notebook: Path, tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir()
    temporary.mkdir()
    places = {name: value.replace("/data", str(data)) for name, value in ENVIRONMENT.items()}
    env = places | {"HOME": "/proc/self/home", "TMPDIR": str(temporary), "PATH": "/usr/bin:/bin"}
    program = str(Path(sys.executable).with_name("scimops"))
    done = subprocess.run(
        [program, "run", str(notebook), "-p", "who", "Ada", "--out", str(data / "night" / "report"), "--dated"],
        env=env, cwd="/", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert given(data / "night") == ["Ada", 1]
    assert (data / "runs.ndjson").is_file()
