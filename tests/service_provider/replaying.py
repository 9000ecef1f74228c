"""Replays requests that others wrote down: variables, assertions, and a score that says what came out otherwise.

The corpora lie outside the repository (`../shared/conformance`); where they are not, the tests that need them are
skipped with that reason.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from managing import running_platform
from serving import new_company

from scimops.service_provider.database import Database
from scimops.service_provider.directory import create_setting
from scimops.setting import Setting

CONFORMANCE = Path(__file__).parents[3] / "shared" / "conformance"
REASON = "the conformance files are kept outside the repository; not here"
outside = pytest.mark.skipif(not CONFORMANCE.exists(), reason=REASON)
IDP_GROUPS = Setting.model_validate(
    {"name": "S", "group_settings": {"target_group": "Everyone", "criterion": {"idp_groups": True}}}
)


def corpus(name: str) -> Any:
    """The content of one file; nothing where the corpora are not here, so that tests can be collected."""
    file = CONFORMANCE / name
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


@dataclass(frozen=True)
class Wire:
    """One setting of a running embedded platform, as its identity provider reaches it: the URL and the real token."""

    http: httpx2.Client
    token: str
    setting_n: int

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """One request; a body that is a string is sent as it is."""
        content = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"} | dict(headers or {})
        return self.http.request(method, f"/scim/v2{path}", content=content, headers=sent)

    def made(self, path: str, body: Any) -> str:
        """The id of a resource that must be created."""
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@contextmanager
def wires(database: Database, *names: str) -> Iterator[dict[str, Wire]]:
    """A running platform with one company and one setting by each of these names."""
    with running_platform(database) as platform:
        made = {}
        for name in names:
            company = new_company(database, name)
            with database.write() as connection:
                new = create_setting(connection, company, IDP_GROUPS)
            made[name] = Wire(platform.http, new.token.reveal(), new.n)
        yield made


# -- Scores ------------------------------------------------------------------------


@dataclass
class Score:
    """What came out of the checks of one corpus. `deviations`: what is done otherwise on purpose, and why."""

    corpus: str
    deviations: Mapping[str, str]
    problems: dict[str, str | None] = field(default_factory=dict)

    def note(self, check: str, problem: str | None) -> None:
        """One check: None where it came out as the corpus expects."""
        assert check not in self.problems, f"{check} is there twice"
        self.problems[check] = problem

    def close(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Print the score. Fails on a deviation that is not declared, and on a declared one that is none."""
        wrong = {check: problem for check, problem in self.problems.items() if problem}
        undeclared = {check: problem for check, problem in wrong.items() if check not in self.deviations}
        with capsys.disabled():
            sys.stdout.write(
                f"\n{self.corpus}: {len(self.problems) - len(wrong)} of {len(self.problems)} as expected, "
                f"{len(wrong) - len(undeclared)} deviations\n"
            )
        assert self.problems
        assert not undeclared, "\n".join(f"{check}: {problem}" for check, problem in undeclared.items())
        assert sorted(self.deviations.keys() - wrong.keys()) == [], "no deviations any more"


def status_problem(answer: httpx2.Response, wanted: Any) -> str | None:
    """What is wrong with a status; where a PATCH succeeds 200 and 204 say the same (RFC 7644 §3.5.2)."""
    taken = {int(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
    if answer.request.method == "PATCH" and taken & {200, 204}:
        taken |= {200, 204}
    return None if answer.status_code in taken else f"{answer.status_code}, wanted {wanted}: {answer.text[:200]}"


# -- Variables and properties -------------------------------------------------------------


def filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with each `{{name}}` in its texts replaced; one that was never set stays, as it does there."""
    if isinstance(value, str):
        return re.sub(r"\{\{(\w+)\}\}", lambda found: variables.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {name: filled_in(item, variables) for name, item in value.items()}
    return [filled_in(item, variables) for item in value] if isinstance(value, list) else value


def at(data: Any, path: str) -> Any:
    """The value at `Resources[0].name.givenName`, None where there is none."""
    for name in re.findall(r"[^.\[\]]+", path):
        if isinstance(data, list) and name.isdigit():
            data = data[int(name)] if int(name) < len(data) else None
        else:
            data = data.get(name) if isinstance(data, dict) else None
    return data


def body_of(answer: httpx2.Response) -> Any:
    """The JSON of an answer, None where it has none."""
    return answer.json() if answer.content else None


def fitting(model: type[Any], document: dict[str, Any]) -> dict[str, Any]:
    """What of a resource the model declares."""
    fields = {field.serialization_alias or name: name for name, field in model.model_fields.items()}
    kept = {}
    for key, value in document.items():
        if key in fields:
            inner = model.get_field_root_type(fields[key])
            if not hasattr(inner, "model_fields"):
                kept[key] = value
            else:
                kept[key] = [fitting(inner, i) for i in value] if isinstance(value, list) else fitting(inner, value)
    return kept


# -- Assertions of Runscope ---------------------------------------------------------------


def runscope_problem(case: Mapping[str, Any], answer: httpx2.Response, variables: Mapping[str, str]) -> str | None:
    """The first assertion of a step that does not hold. One on the time an answer took is left out: no test waits."""
    for assertion in case["expected"]["assertions"]:
        source, wanted = assertion["source"], filled_in(assertion["value"], variables)
        if source == "response_time":
            continue
        found = answer.status_code if source == "response_status" else at(body_of(answer), assertion["property"])
        if not _holds(assertion["comparison"], found, wanted):
            return f"{assertion.get('property', source)} is {found!r}, {assertion['comparison']} {wanted!r}"
    return None


def _holds(comparison: str, found: Any, wanted: Any) -> bool:
    if comparison == "not_empty":
        return found not in (None, "", [], {})
    if comparison == "is_a_number":
        return isinstance(found, int | float) and not isinstance(found, bool)
    if comparison == "equal_number":
        return found is not None and float(found) == float(wanted)
    if comparison in ("has_value", "contains"):
        return found is not None and wanted in found
    assert comparison == "equal", comparison
    return (found if isinstance(found, str) else json.dumps(found)) == wanted


# -- Tests of Postman -------------------------------------------------------------------------

_STATUS = re.compile(r"pm\.response\.to\.have\.status\((\d+)\);")
_JSON = re.compile(r"pm\.expect\(jsonData\.(.+)\)\.to\.eql\((.+)\);")
_TEXT = re.compile(r"pm\.expect\(pm\.response\.text\(\)\)\.to\.(not\.)?include\((.+)\);")
_CAPTURE = re.compile(r'pm\.environment\.set\("(\w+)", jsonData\.(\w+)\);')


def postman_problem(case: Mapping[str, Any], answer: httpx2.Response, own_id: str) -> str | None:
    """The first line of a test that does not hold; `id` in it is the one that the step is about."""
    for line in case["expected"]["postman_test_lines"]:
        if found := _STATUS.fullmatch(line):
            problem = status_problem(answer, found[1])
        elif found := _JSON.fullmatch(line):
            got, wanted = at(body_of(answer), found[1]), own_id if found[2] == "id" else json.loads(found[2])
            problem = None if got == wanted else f"{found[1]} is {got!r}, wanted {wanted!r}"
        else:
            found = _TEXT.fullmatch(line)
            assert found, line
            text = own_id if found[2] == "id" else json.loads(found[2])
            problem = None if (text in answer.text) == (not found[1]) else f"{line}: {answer.text[:200]}"
        if problem:
            return problem
    return None


def postman_captures(case: Mapping[str, Any], answer: httpx2.Response, variables: dict[str, str]) -> None:
    """Keep what a step keeps for the ones after it."""
    for line in case.get("captures", ()):
        found = _CAPTURE.fullmatch(line)
        assert found, line
        if (value := at(body_of(answer), found[2])) is not None:
            variables[found[1]] = value
