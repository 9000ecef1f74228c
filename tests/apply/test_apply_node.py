"""The journey at a SCIM service provider of another make, on Node: real requests, none of our code at the other end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from applying import Company, connected_to, crowd, tomorrow
from proxying import TOKEN_NAME

from scimops.client import SnapshotError
from scimops.plan.inverse import inverse

NODE = os.environ.get("SCIMOPS_TEST_NODE_SP", "")
NEEDS = pytest.mark.skipif(
    not NODE, reason="SCIMOPS_TEST_NODE_SP names no folder with scimmy, scimmy-routers and express"
)
pytestmark = [pytest.mark.long, NEEDS]
PROGRAM = Path(__file__).with_name("node_service_provider.cjs")


@pytest.fixture
def company(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    monkeypatch.setenv(TOKEN_NAME, "any-token-is-good-there")
    words = [*getattr(request, "param", ())]
    node = subprocess.Popen(["node", str(PROGRAM), NODE, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout is not None
        port = node.stdout.readline().strip()
        assert port.isdigit(), "node did not start"
        with connected_to(f"http://127.0.0.1:{port}/scim") as service_provider:
            yield Company(service_provider, tmp_path)
    finally:
        node.terminate()
        node.communicate(timeout=30)


def test_a_service_provider_on_node_lands_where_the_plan_says_and_back(company: Company) -> None:
    """`npm install scimmy scimmy-routers express` in a folder, SCIMOPS_TEST_NODE_SP=that folder."""
    today = crowd(60)
    first = company.apply(company.plan(today))
    assert (first.exit_code, first.findings, first.counts["done"]) == (0, [], first.steps.height)
    assert company.landed() == company.expected(today)
    assert company.plan(today).operations.height == 0

    before, later = company.state(), tomorrow(today)
    plan = company.plan(later)
    assert set(plan.operations["kind"]) >= {"update", "rename", "create", "deactivate", "join", "leave"}
    second = company.apply(plan)
    assert (second.exit_code, second.findings, second.stopped) == (0, [], "")
    assert company.landed() == company.expected(later)
    assert company.plan(later).operations.height == 0

    undone = company.apply(inverse(plan, second, company.snapshot(), delete=True))
    assert (undone.exit_code, undone.findings) == (0, [])
    assert company.state() == before


@pytest.mark.parametrize("company", [("first",)], indirect=True)
def test_where_a_start_index_has_no_effect_nothing_is_concluded_from_the_first_page(company: Company) -> None:
    receipts = company.apply(company.plan(crowd(60)))
    assert [finding.code for finding in receipts.findings] == ["not_checked"]
    with pytest.raises(SnapshotError, match="could not be read whole"):
        company.plan(crowd(60))
