"""The literal request forms of Microsoft's documentation, sent over HTTP; the status of each is the documented one."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from serving import new_subject, served
from test_placement import GROUP, IDP_GROUPS, person

FORMS = Path(__file__).parents[3] / "shared" / "conformance" / "requests" / "entra_mslearn_forms.json"

pytestmark = pytest.mark.skipif(not FORMS.exists(), reason="no shared conformance requests beside this checkout")
_names = (f"p{number}" for number in count())


def send(client: httpx2.Client, request: dict[str, Any], unknown: bool) -> httpx2.Response:
    """One form, with the ids of people and a group that are there in the place of the documented ones."""
    user, member = (client.post("/Users", json=person(next(_names))).json()["id"] for _ in range(2))
    group = {"schemas": [GROUP], "displayName": next(_names), "members": [{"value": member}]}
    group_id = client.post("/Groups", json=group).json()["id"]
    url = request["url"]
    if not unknown:
        url = re.sub(r"/Users/[^/?]+", f"/Users/{user}", url)
        url = re.sub(r"/Groups/[^/?]+", f"/Groups/{group_id}", url)
    text = json.dumps(request["body"]) if request["body"] is not None else ""
    if "members" in text:
        text = re.sub(r'("value": )"[0-9a-f-]{8,}"', rf'\1"{member}"', text)
        text = re.sub(r'members\[value eq \\"[^"\\]*\\"\]', rf'members[value eq \\"{member}\\"]', text)
    return client.request(request["method"], url, content=text.encode())


def test_the_documented_forms_have_the_documented_status(database: Any) -> None:
    cases = json.loads(FORMS.read_text("utf-8"))["cases"]
    wrong = []
    with served(database, new_subject(database, IDP_GROUPS)) as client:
        for case in cases:
            expected = case["expected"]["status"]
            wanted = set(expected if isinstance(expected, list) else [expected])
            if wanted & {200, 204}:
                wanted |= {200, 204}  # a PATCH may be answered with either (RFC 7644 §3.5.2)
            answer = send(client, case["request"], unknown=404 in wanted)
            if answer.status_code not in wanted:
                wrong.append((case["id"], case["name"], expected, answer.status_code, answer.text[:200]))
    print(f"{len(cases) - len(wrong)} of {len(cases)} forms of Microsoft's documentation")  # noqa: T201  # the score
    assert wrong == []
