"""No secret reaches the disk: printed in pieces, in HTML, tracebacks, widgets, base64, by whoever resolves it where."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from urllib.parse import quote

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from scimops.errors import UsageError
from scimops.jobs.kernel_seam import mask, unmask
from scimops.jobs.parameters import checked
from scimops.jobs.run import run_notebook
from scimops.jobs.writer import joined
from scimops.tokens import Secret, make_token

KEPT = 'kept&"/+Ünïq-secret-77x'
ENVIRONMENT = "environment-secret-91k"
PLATFORM = "told-by-the-platform-55z"

OUTPUT_WIDGET = """
box = ipywidgets.Output()
display(box)
for s in secrets:
    display(ipywidgets.Text(value=s), ipywidgets.HTML(s))
    with box:
        print(s)
        display(HTML(s))
"""

LEAKS = [
    f"""
from scimops import credentials
from scimops.tokens import Secret
from IPython.display import HTML, JSON, Markdown, display
import base64, html, ipywidgets, json, os, subprocess, sys, time, urllib.parse
secrets = [credentials.resolve(reference).reveal(), os.environ['SCIMOPS_PROBE']]
secrets.append(credentials.known(Secret({PLATFORM[:9]!r} + {PLATFORM[9:]!r})).reveal())
""",
    """
for s in secrets:
    print(s[:7], end='', flush=True)
    time.sleep(.05)
    print(s[7:], flush=True)
""",
    """
for s in secrets:
    for stream, part in ((sys.stdout, s[:9]), (sys.stderr, '.'), (sys.stdout, s[9:])):
        stream.write(part)
        stream.flush()
        time.sleep(.05)
""",
    """
for s in secrets:
    display(HTML(f'<b title="{html.escape(s)}">{html.escape(s)}</b>'), JSON({s: [s]}), Markdown(s))
    display({'text/plain': 'x'}, raw=True, metadata={'note': s})
""",
    """
for s in secrets:
    print(base64.b64encode(f'user:{s}'.encode()), json.dumps(json.dumps(s)), urllib.parse.quote(s, safe=''))
    print('\\x1b[31m' + s[:5] + '\\x1b[0m' + s[5:])
""",
    *[OUTPUT_WIDGET] * 6,  # a reply may get lost in each of them (engine.process_message)
    """
subprocess.run(['printenv', 'SCIMOPS_PROBE'])
!echo $SCIMOPS_PROBE
secrets
""",
    """
def deep(password):
    raise ValueError(f'refused: {password}')
deep(secrets[0] + secrets[1])
""",
]


def writings(secret):
    """`secret` as it may stand in a file, but for what is taken apart."""
    data = secret.encode()
    yield from (
        secret,
        quote(secret, safe=""),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
    )
    for offset in range(3):
        letters = base64.b64encode(bytes(offset) + data).decode()
        yield letters[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]


def texts_of(path):
    """What stands in a file without colours; of a notebook also each cell's streams, as they read together."""
    yield re.sub(r"\x1b\[[0-9;]*m|\\u001b\[[0-9;]*m", "", path.read_text("utf-8", "replace"))
    if path.suffix == ".ipynb":
        for cell in nbformat.read(path, as_version=4).cells:
            streams = [output for output in cell.get("outputs", []) if output.output_type == "stream"]
            for names in ({"stdout"}, {"stderr"}, {"stdout", "stderr"}):
                yield "".join(output.text for output in streams if output.name in names)


def hunt(folder, *secrets):
    """Where a secret stands in a file of `folder`; files looked at."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    wanted = {writing for each in secrets for writing in writings(each)}
    return {(path.name, word) for path in files for text in texts_of(path) for word in wanted if word in text}, files


def test_no_secret_reaches_the_disk(job, tmp_path, monkeypatch):
    monkeypatch.setenv("SCIMOPS_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    monkeypatch.setenv("SCIMOPS_PROBE", ENVIRONMENT)
    (tmp_path / "credentials").mkdir(mode=0o700)
    (tmp_path / "credentials" / "probe").touch(mode=0o600)
    (tmp_path / "credentials" / "probe").write_text(KEPT + "\n")
    last = new_code_cell("deep(secrets[2])")
    cells = [new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in LEAKS]
    command = [
        sys.executable, "-m", "scimops", "run", str(job(*cells, last)), "-p", "reference", "file:probe", "--json",
        "--out", str(tmp_path / "out"), "--events", str(tmp_path / "out.ndjson"), "--timeout", "120",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    (tmp_path / "out" / "said").write_text(done.stdout + done.stderr + (tmp_path / "out.ndjson").read_text())
    found, files = hunt(tmp_path / "out", KEPT, ENVIRONMENT, PLATFORM)
    assert found == set()
    assert sorted(path.name for path in files) == ["job.html", "job.ipynb", "said"]
    notebook = (tmp_path / "out" / "job.ipynb").read_text()
    assert "refused: [secret]" in json.loads(done.stdout)["message"]
    assert notebook.count("[secret]") > 40, "each was printed, and taken out"
    assert "file:probe" in notebook, "a reference is no secret"


def test_the_hunt_itself(tmp_path):
    for number, writing in enumerate(writings(KEPT)):
        (tmp_path / str(number)).write_text(f"x{writing}y")
    (tmp_path / "header").write_text(base64.b64encode(f"u:{KEPT}".encode()).decode())
    (tmp_path / "coloured").write_text(f"{KEPT[:5]}\x1b[0m{KEPT[5:]}")
    found, files = hunt(tmp_path, KEPT)
    assert {name for name, _ in found} == {path.name for path in files}


def test_streams_are_joined_where_a_secret_would_be_in_pieces():
    from scimops.credentials import known

    secret = known(Secret("joined-out-of-pieces-3")).reveal()

    def stream(name, text):
        return {"output_type": "stream", "name": name, "text": text}

    apart = [stream("stdout", "a"), stream("stderr", "b"), stream("stdout", "c")]
    assert joined(apart) == apart
    assert joined([stream("stdout", "a"), stream("stdout", "b")]) == [stream("stdout", "ab")]
    pieces = [stream("stdout", "x" + secret[:4]), stream("stderr", "!"), stream("stdout", secret[4:])]
    assert joined(pieces) == [stream("stdout", f"x{secret}"), stream("stderr", "!")]
    pieces = [stream("stdout", secret[:4]), stream("stderr", secret[4:])]
    assert joined(pieces) == [stream("stdout", secret)]


def test_a_mask_is_read_with_its_key_alone():
    masked = mask(Secret(KEPT), b"key")
    assert unmask(masked, b"key").reveal() == KEPT
    assert base64.b64decode(masked)[16:] != KEPT.encode()
    assert mask(Secret(KEPT), b"key") != masked


TOKEN = make_token().reveal()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("who", TOKEN, True), ("who", f"Bearer {TOKEN}", True), ("who", JWT, True), ("limit", TOKEN, True),
        ("who", "https://u:pass@example.com/", True), ("who", ENVIRONMENT, True), ("none", TOKEN, True),
        (TOKEN, "x", True), ("api_token", "hunter2", True), ("password", "x", True),
        ("api_token", "env:SCIMOPS_NAME", False), ("password", "", False), ("who", "https://example.com/a:b", False),
        ("who", "file:staff", False), ("who", "a plain word", False),
    ],
    ids=map(str, range(15)),  # no token in the name of a test
)  # fmt: skip
def test_a_secret_as_a_parameter_is_refused_and_not_repeated(job, tmp_path, monkeypatch, name, value, refused):
    from scimops.jobs.kernel_seam import know_environment

    know_environment({"SCIMOPS_PROBE": ENVIRONMENT})
    path = job("1", new_code_cell("x = 1"))
    text = path.read_text().replace("who: str", 'api_token: str = \\"\\"\\npassword: str = \\"\\"\\nwho: str')
    path.write_text(text)
    file = tmp_path / "p.yaml"
    file.write_text(f"{name}: {json.dumps(value)}\n")
    if not refused:
        assert checked(path, [(name, value)]) == checked(path, [], file) == {name: value}
        return
    for given, parameters_file in (([(name, value)], None), ([], file)):
        with pytest.raises(UsageError) as caught:
            checked(path, given, parameters_file)
        assert caught.value.exit_code == 2
        for text in (TOKEN, JWT, ENVIRONMENT, "hunter2", "u:pass"):
            assert text not in str(caught.value)


def test_a_secret_written_into_the_notebook_is_refused(job, tmp_path):
    path = job("1")
    path.write_text(path.read_text().replace("nobody", TOKEN))
    with pytest.raises(UsageError, match="holds a secret"):
        run_notebook(path, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
