"""The hunt: secrets from the environment, a keyring and a platform's answers, leaked by a notebook wherever it can.

Every byte that the run wrote is searched for them and their encodings: by strace each write to a file, and each name
of a file, so that what was removed or written over counts too; without strace every file that is left.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from urllib.parse import quote_plus

import pytest
from memory_keyring import served
from nbformat.v4 import new_code_cell
from test_run_secrets import writings

from scimops.connections import Connection, Connections
from scimops.service_provider.directory import create_setting
from scimops.setting import Setting
from scimops.yaml_documents import save_document

ENVIRONMENT = 'of-the&environment"/+Ünïq-31k'
DECOY = "decoy-that-nobody-knows-82h"

CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,open,openat,creat,mkdir,mkdirat,"
    "rename,renameat,renameat2,link,linkat,symlink,symlinkat"
)  # fmt: skip

FETCH = """
import base64, html, json, keyring, logging, os, subprocess, sys, time, traceback, urllib.parse, warnings
import ipywidgets
from IPython.display import HTML, JSON, Javascript, Markdown, SVG, clear_output, display, update_display
from scimops import jobs
from scimops.connections import get_connection
from scimops.credentials import resolve
from scimops.platform import connect
platform = connect(get_connection('acme'))
token = platform.revoke(reference.partition(':')[2]).reveal()
access = platform._session._access_token().reveal()
# Told to the test by way of the keyring's service, past scimops, so that nothing here learns of them by that.
keyring.set_password('test', 'token', token)
keyring.set_password('test', 'access', access)
secrets = [os.environ['SCIMOPS_HUNTED'], resolve('keyring:acme').reveal(), token, access]
"""

LEAKS = [
    FETCH,
    "print(*secrets, sep='\\n')",
    "print(secrets, repr(secrets), json.dumps(secrets), file=sys.stderr)",
    "for s in secrets:\n    for letter in s:\n        print(letter, end='', flush=True)\n    print()",
    """
for s in secrets:
    for data in (s.encode(), b'u:' + s.encode(), b'us:' + s.encode(), b'x' + s.encode() + b'yz'):
        print(base64.b64encode(data).decode(), base64.urlsafe_b64encode(data), data)
    print(urllib.parse.quote(s), urllib.parse.quote(s, safe=''), urllib.parse.quote_plus(s), html.escape(s))
    print(s.encode().hex(), json.dumps(json.dumps(s)), f'{s!a}', f'https://user:{s}@example.com/{s}?q={s}')
""",
    """
for s in secrets:
    marked, picture = html.escape(s), base64.b64encode(s.encode()).decode()
    handle = display(HTML(f'<a href="{marked}" onclick="f({html.escape(json.dumps(s))})">x</a>'), display_id=True)
    handle.update(Markdown(f'`{s}`'))
    display(JSON([s, {s: s}]), Javascript(f'f({json.dumps(s)})'), SVG(f'<svg><text>{marked}</text></svg>'))
    display({'text/plain': s, 'application/x-own+json': {'deep': [[s]]}, 'image/png': picture},
            raw=True, metadata={'image/png': {'alt': s}})
    print(s); clear_output(); print('after')
""",
    """
shown = [ipywidgets.Text(s, description=s, placeholder=s) for s in secrets]
box = ipywidgets.Output()
with box:
    print(*secrets)
    warnings.warn(secrets[1])
    logging.getLogger().error('%s', secrets)
display(ipywidgets.VBox(shown), box, ipywidgets.Dropdown(options=secrets), ipywidgets.HTML(secrets[2]))
""",
    """
os.write(1, ' '.join(secrets).encode()); os.write(2, ' '.join(secrets).encode())
subprocess.run(['sh', '-c', 'printenv SCIMOPS_HUNTED; printenv >&2; echo "$0"', secrets[1]])
!printenv
print(dict(os.environ), platform, vars(platform), vars(platform._session))
""",
    "get_ipython().set_next_input(secrets[1])\n%time secrets\n%env\n%who_ls\nsecrets",
    "raise RuntimeError(secrets[0], {secrets[1]: [secrets[2]]}, secrets[3].encode())",
    """
def inner(password, bearer):
    assert password == bearer, (password, bearer)
try:
    inner(*secrets[:2])
except AssertionError as error:
    error.add_note(secrets[2])
    raise ExceptionGroup(secrets[3], [error, KeyError(secrets[1])]) from error
""",
    "eval(f'1 +/ {secrets[1]!r}')",
    "platform._session._access_token = None\nplatform._session.search('/' + secrets[1], secrets[2], secrets[3], None)",
    "raise SystemExit(secrets[3])",
    "sys.stdout.write(DECOY[:9]); sys.stdout.flush()\nprint(DECOY[9:])",
    "open(os.path.join(out, 'gone'), 'w').write(DECOY)\nos.remove(os.path.join(out, 'gone'))",
    "jobs.result({secrets[0]: 1, 'people': 2}, exit_code=3)",
]  # fmt: skip


@pytest.fixture
def hunted(embedded, company, database, job, tmp_path, monkeypatch):
    """Runs the notebook; gives where the run could write, and the secrets with what the run said."""
    with database.write() as connection:
        made = create_setting(connection, company, Setting(name="Staff"))
    credential = embedded.credential(company)
    folders = {name: tmp_path / name for name in ("home", "out", "tmp", "config", "ledger")}
    for folder in folders.values():
        folder.mkdir(mode=0o700)
    acme = Connection(name="acme", kind="platform", url=embedded.url, client_id=credential.client_id,
                      client_secret="keyring:acme", company_id=company, company_name="Example Ltd")  # fmt: skip
    save_document(Connections(connections={"acme": acme}), folders["config"] / "connections.yaml")
    (folders["config"] / "connections.yaml").chmod(0o600)
    cells = [new_code_cell(f"DECOY = {DECOY[:7]!r} + {DECOY[7:]!r}")]
    cells += [new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in LEAKS]
    with served(tmp_path) as (memory, asking):
        memory.set_password("scimops", "acme", credential.secret.reveal())
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | asking
        environment |= {"SCIMOPS_HUNTED": ENVIRONMENT, "SCIMOPS_LEDGER": str(folders["ledger"] / "runs.ndjson")}
        places = {"HOME": "home", "TMPDIR": "tmp", "SCIMOPS_CONFIG": "config"}
        environment |= {name: str(folders[folder]) for name, folder in places.items()}
        command = [
            sys.executable, "-m", "scimops", "run", str(job(*cells)), "-p", "reference", f"id:{made.id}", "--json",
            "--out", str(folders["out"]), "--events", str(folders["ledger"] / "events"), "--timeout", "200",
        ]  # fmt: skip

        def run(*before):
            done = subprocess.run([*before, *command], env=environment, capture_output=True, timeout=250, check=False)
            secrets = [
                ENVIRONMENT,
                credential.secret.reveal(),
                *(memory.entries["test", n] for n in ("token", "access")),
            ]
            return folders.values(), secrets, done

        yield run


def encoded(secret):
    """The bytes by which a secret is found."""
    for text in {*writings(secret), quote_plus(secret), ascii(secret)[1:-1], repr(secret.encode())[2:-1]}:
        yield text.encode()
        yield text.replace("+", "-").replace("/", "_").encode()
    yield from (secret.encode("utf-16-le"), secret.encode("utf-16-be"))
    yield from (secret.encode().hex().encode(), secret.encode().hex().upper().encode())


def found_in(written, secrets):
    """Where a secret stands, and how: `written` is name → bytes. Colours do not hide it."""
    wanted = {form: number for number, secret in enumerate(secrets) for form in encoded(secret)}
    plain = {name: re.sub(rb"\x1b\[[0-9;]*m|\\u001b\[[0-9;]*m", b"", data) for name, data in written.items()}
    return {(name, wanted[form], form) for name, data in plain.items() for form in wanted if form in data}


def files_in(folders):
    paths = [path for folder in folders for path in folder.rglob("*")]
    contents = {str(path): path.read_bytes() for path in paths if path.is_file()}
    return contents | {"names": b"\n".join(str(path).encode() for path in paths)}


LINE = re.compile(rb"^(?P<pid>\d+) +(?P<call>\w+)\((?:\d+<(?P<to>(?:\\x[0-9a-f]{2}|[^>])*)>)?")
TEXT = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')


def unhexed(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text)


def traced(log):
    """What strace saw go into files: name of the file → all bytes in the order of the writes; `names`: all names.

    Not files are sockets (`socket:[…]`: the kernel's messages to the runner, which redacts them before it writes; the
    platform; the keyring), pipes inside of the run (`pipe:[…]`, `anon_inode:…`: a kernel's wake-up, git's answer) and
    devices: `/dev/null`, and the terminal `/dev/pts/N` that a kernel makes for a `!command` and reads itself. The run's
    own standard output and error are pipes too: the test reads them, and searches them by itself.
    """
    written, others = defaultdict(bytes), defaultdict(int)
    for line in log.splitlines():
        head = LINE.match(line)
        if head is None:
            continue
        assert b'"...' not in line, "strace has cut a text"
        texts = [unhexed(text) for text in TEXT.findall(line)]
        call, to = head["call"].decode(), unhexed(head["to"] or b"")
        if "write" not in call and call not in ("sendfile", "copy_file_range"):
            written["names"] += b"\n".join([*texts, b""])
        elif to.startswith(b"/") and not to.startswith(b"/dev/"):
            written[to.decode("utf-8", "replace")] += b"".join(texts)
        else:
            others[re.split("[:/0-9]+", to.decode("utf-8", "replace").removeprefix("/dev/"))[0]] += 1
    return dict(written), dict(others)


def test_nothing_that_a_run_writes_holds_a_secret(hunted, tmp_path):
    strace = shutil.which("strace")
    log = tmp_path / "strace.log"
    before = (
        [strace, "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(log)]
        if strace
        else []
    )
    folders, secrets, done = hunted(*before)
    said = {"stdout": done.stdout, "stderr": done.stderr}
    assert done.returncode == 3, done.stderr.decode()
    assert len({*secrets}) == 4
    left = files_in(folders) | said
    assert found_in(left, secrets) == set()
    notebook = next(data for name, data in left.items() if name.endswith("out/job.ipynb"))
    assert notebook.count(b"[secret]") + notebook.count(b"[scimops token") > 100, "each was leaked, and taken out"
    # The hunt finds what nobody takes out: the same cells leaked a text that is no known secret.
    assert {"job.ipynb", "job.html"} <= {name.rpartition("/")[2] for name, _, _ in found_in(left, [DECOY])}
    if not strace:
        pytest.skip("There is no strace here; every file that is left was searched. Debian: apt-get install strace")
    written, others = traced(log.read_bytes())
    assert found_in(written, secrets) == set()
    assert {"out/.job.ipynb.part", "out/gone"} <= {
        "/".join(n.split("/")[-2:]) for n, _, _ in found_in(written, [DECOY])
    }
    print(f"\n{len(written)} files, {sum(map(len, written.values())):,} bytes; not files: {others}")  # noqa: T201
    assert set(others) <= {"socket", "pipe", "anon_inode", "null", "pts"}


def test_the_hunt_knows_every_encoding():
    for number, form in enumerate(encoded(ENVIRONMENT)):
        assert found_in({"x": b"before " + form + b" after"}, [ENVIRONMENT]), number
    assert found_in({"x": b"of-the"}, [ENVIRONMENT]) == set()
    hexed = "".join(f"\\x{byte:02x}" for byte in b"/a/b").encode()
    log = b'12  write(3<%s>, "\\x61\\x62", 2) = 2\n13  write(4<socket:[1]>, "\\x63", 1 <unfinished ...>\n' % hexed
    log += b'12  rename("\\x61", "\\x62") = 0\n12  writev(3<%s>, [{iov_base="\\x63", iov_len=1}], 1) = 1\n' % hexed
    assert traced(log)[0] == {"/a/b": b"abc", "names": b"a\nb\n"}
