"""`companies.yaml`: every fault at once with its line; entries over defaults; the skeleton from a platform's list."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scimops.connections import Connection, add_connection
from scimops.errors import SettingError
from scimops.jobs.companies import Company, folder_of
from scimops.jobs.companies_check import load_companies
from scimops.service_provider.directory import create_company

DOCS = Path(__file__).parents[2] / "docs" / "companies.md"

FAULTY = """\
format: 1
defaults:
  limits: {timeout: -3, cell_timeout: fast}
  parameters:
    limit: ten
companies:
  - name: Acme
    conection: x
    connection: no spaces here
  - name: ACME
    connection: nordwnd
  - name: Süd & West
    parameters:
      who: 007
      nonsense: a
      reference: Bearer abcdefghijklmnop
      limit: true
  - name: süd-west
  - name: con
  - connection: nordwind
  - name: Fine
    connection: nordwind
    environment:
      PATH: keyring:x
      SCIMOPS_LEDGER: keyring:x
      SCIMOPS_A: hunter2222
    labels: {route: "a\\u0000b"}
"""

FAULTS = {
    (3, "must be more than 0"), (3, "limits.cell_timeout"), (5, '"limit" must be a whole number'),
    (8, 'Did you mean "connection"?'), (9, "is no name of a connection"), (10, 'same folder as "Acme"'),
    (11, 'Did you mean "nordwind"?'), (14, '"who" must be text; put it in quotes'), (15, 'no parameter "nonsense"'),
    (16, "holds a secret"), (17, '"limit" must be a whole number'), (18, 'same folder as "Süd & West"'),
    (19, "no folder's name"), (20, '"name" is missing'), (24, "SCIMOPS_, in capitals"), (25, "scimops' own"),
    (26, "no reference"), (27, "control characters"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    said = {"kind": "platform", "url": "https://api.example.com", "client_id": "c", "client_secret": "env:SCIMOPS_ND"}
    add_connection(Connection(name="nordwind", **said))


@pytest.fixture
def loaded(job: Callable[..., Path], tmp_path: Path) -> Callable[[str], list[Company]]:
    def load(text: str, notebook: Path | None = None) -> list[Company]:
        (tmp_path / "companies.yaml").write_text(text, encoding="utf-8")
        return load_companies(tmp_path / "companies.yaml", notebook or job())

    return load


def test_every_fault_is_told_at_once_with_its_line(loaded):
    with pytest.raises(SettingError) as caught:
        loaded(FAULTY)
    first, *lines = str(caught.value).split("\n")
    assert f"{len(FAULTS)} faults; nothing ran." in first
    assert len(lines) == len(FAULTS)
    for line, part in FAULTS:
        assert [said for said in lines if f"companies.yaml, line {line}: " in said and part in said], (line, part)
    for secret in ("abcdefghijklmnop", "hunter2222"):
        assert secret not in str(caught.value)


def test_one_fault_is_one_sentence(loaded):
    with pytest.raises(SettingError, match=r'companies\.yaml, line 4: There is no connection "x"\.'):
        loaded("format: 1\ncompanies:\n  - name: a\n    connection: x\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: 2\ncompanies: [{name: a}]", "format"),
        ("format: 1", "names no company"),
        ("format: 1\ncompanies: {a: b}", "must be a list"),
        ("format: 1\ncompanies: [a]", "keys and values"),
        ("format: 1\ncompany: []", 'Did you mean "companies"?'),
        ("format: 1\ndefaults: 3\ncompanies: [{name: a}]", '"defaults" must be keys and values'),
        ("format: 1\ndefaults: &a {}\ncompanies: [{name: a}]", "anchors"),
        ("[", "this is not YAML"),
    ],
)  # fmt: skip
def test_what_is_no_such_document(loaded, text, says):
    with pytest.raises(SettingError, match=re.escape(says)):
        loaded(text)


def test_an_environment_secret_in_a_parameter(loaded, monkeypatch):
    monkeypatch.setenv("SCIMOPS_ND", "hunter2-of-nordwind")
    with pytest.raises(SettingError, match="holds a secret") as caught:
        loaded("format: 1\ncompanies: [{name: a, parameters: {who: x-hunter2-of-nordwind-x}}]")
    assert "hunter2" not in str(caught.value)


def test_entries_over_defaults(loaded):
    own, plain = loaded("""
format: 1
defaults:
  connection: nordwind
  parameters: {who: everybody, limit: 3}
  environment: {SCIMOPS_A: keyring:a, SCIMOPS_B: keyring:b}
  limits: {timeout: 60, cell_timeout: 5}
  labels: {route: mail}
companies:
  - name: Own
    parameters: {limit: 4}
    environment: {SCIMOPS_A: env:SCIMOPS_OWN}
    limits: {cell_timeout: 7.5}
    labels: {tier: gold}
  - name: Plain
""")
    assert own.parameters == {"who": "everybody", "limit": 4}
    assert own.environment == {"SCIMOPS_A": "env:SCIMOPS_OWN", "SCIMOPS_B": "keyring:b"}
    assert own.limits.model_dump() == {"timeout": 60.0, "cell_timeout": 7.5}
    assert own.labels == {"route": "mail", "tier": "gold"}
    assert own.variables == {"SCIMOPS_OWN"}
    assert plain.connection == "nordwind"
    assert plain.parameters == {"who": "everybody", "limit": 3}
    assert plain.limits.timeout == 60


def test_the_connection_fills_the_parameter_of_that_name(loaded, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cell = new_code_cell('connection: str = ""', metadata={"tags": ["parameters"]})
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(new_notebook(cells=[cell], metadata={"kernelspec": spec}), tmp_path / "with.ipynb")
    one = loaded("format: 1\ncompanies: [{name: a, connection: nordwind}]", tmp_path / "with.ipynb")[0]
    assert one.parameters == {"connection": "nordwind"}
    with pytest.raises(SettingError, match="twice"):
        loaded("format: 1\ncompanies: [{name: a, connection: nordwind, parameters: {connection: x}}]",
               tmp_path / "with.ipynb")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Acme & Co. KG", "acme-co-kg"), ("../../etc", "etc"), ("Straße", "strasse"), ("İŞ", "iş"), ("a_b", "a-b")],
)  # fmt: skip
def test_a_names_folder(name, folder):
    assert folder_of(name) == folder


def test_the_document_of_the_manual(loaded):
    text = re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[0]
    for name in re.findall(r"connection: ([\w-]+)", text):
        add_connection(Connection(name=name, kind="platform", url="https://api.example.com", client_id="c",
                                  client_secret="keyring:x"), replace=True)  # fmt: skip
    assert [company.name for company in loaded(text)] == ["Nordwind Example", "Südwind Example", "Zephyr Example"]


# The skeleton


WRITTEN = """\
format: 1
companies:
  # The first customer; ask Zoë before changing anything.
  - name: Zephyr Example   # on the platform: Zephyr
    company_id: {zephyr}
    connection: nordwind
    parameters: {{who: "007"}}
  - name: Gone Example
    company_id: gone0001
  - name: nordwind  example
"""


def companies(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "scimops", "companies", *map(str, words)], capture_output=True,
                          text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_skeleton_of_a_platform(embedded, tmp_path, monkeypatch):
    with embedded.database.write() as connection:
        ids = [create_company(connection, name) for name in ("Zephyr", "Nordwind Example", "Twin", "twin", "=1+1")]
    made = embedded.credential(None)
    monkeypatch.setenv("SCIMOPS_RESELLER", made.secret.reveal())
    said = {"kind": "platform", "url": embedded.url, "client_id": made.client_id,
            "client_secret": "env:SCIMOPS_RESELLER", "reseller": True}  # fmt: skip
    add_connection(Connection(name="reseller", company_id=ids[1], **said))
    file = tmp_path / "companies.yaml"
    before = WRITTEN.format(zephyr=ids[0])
    file.write_text(before, encoding="utf-8")
    words = ("--connection", "reseller", "--out", file)

    dry = companies(*words, "--dry-run")
    assert f"+    company_id: {ids[2]}" in dry.stdout
    assert file.read_text("utf-8") == before
    done = companies(*words)
    assert "Gone Example is not on the platform any more" in done.stderr
    assert "Zephyr Example is called Zephyr on the platform" in done.stderr
    assert "3 added to" in done.stderr
    after = file.read_text("utf-8")
    assert after.startswith(before), "comments, order, quotes stay"
    again = json.loads(companies(*words, "--json").stdout)
    assert file.read_text("utf-8") == after
    assert (again["added"], again["gone"], again["unchanged"]) == ([], ["Gone Example"], 4)

    new = tmp_path / "new.yaml"
    companies("--connection", "reseller", "--out", new)
    text = new.read_text("utf-8")
    for name in ("Zephyr", "Twin", f"twin {ids[3]}"):
        assert f"- name: {name}\n" in text
    assert f"company_id: {ids[1]}\n    connection: reseller" in text, "the connection that acts for it is known"
    assert made.secret.reveal() not in text


def test_a_connection_to_scim_has_no_companies(tmp_path):
    add_connection(Connection(name="wire", kind="scim", url="https://scim.example.com", token="env:SCIMOPS_X"))
    assert "SCIM endpoint" in companies("--connection", "wire", "--out", tmp_path / "x.yaml", code=2).stderr
    assert not (tmp_path / "x.yaml").exists()


def test_a_file_that_is_none_stays(embedded, tmp_path, monkeypatch):
    made = embedded.credential(None)
    monkeypatch.setenv("SCIMOPS_RESELLER", made.secret.reveal())
    said = {"kind": "platform", "url": embedded.url, "client_id": made.client_id, "reseller": True, "company_id": "x"}
    add_connection(Connection(name="reseller", client_secret="env:SCIMOPS_RESELLER", **said))
    (tmp_path / "x.yaml").write_text("companies: {a: b}\n")
    done = companies("--connection", "reseller", "--out", tmp_path / "x.yaml", code=2)
    assert "must be a list of entries" in done.stderr
    assert (tmp_path / "x.yaml").read_text() == "companies: {a: b}\n"
