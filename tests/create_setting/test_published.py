"""A platform that speaks the published API and nothing more: what of it is not documented is said, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ends import QUICK, connection_to
from managing import Platform as Embedded
from serving import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from scimops.capabilities import PUBLISHED
from scimops.create_setting.check import check
from scimops.create_setting.create import create
from scimops.create_setting.look import look
from scimops.create_setting.notices import NOTICES
from scimops.errors import UsageError
from scimops.findings import LEVELS, finding
from scimops.platform import Platform, connect
from scimops.preview import Preview
from scimops.service_provider.database import Database
from scimops.service_provider.management import routes
from scimops.setting import Setting, save_setting

NAME = "published"
SETTING = Setting.model_validate({
    "name": "Staff", "field_mappings": [{"attribute": 'addresses[type eq "work"].country', "field": "Country"}],
    "group_settings": {"criterion": {"field": "department"}, "target_group": "Everyone", "aliases": {"R&D": "Eng"}},
})  # fmt: skip


class Published:
    """The embedded platform without what it adds: a request with our object is refused, an answer has none."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        if b'"scimops"' in body:
            await Response("not in the published API", 400)(scope, receive, send)
            return
        sent: list[Any] = []

        async def again() -> Any:
            return {"type": "http.request", "body": body}

        async def keep(message: Any) -> None:
            sent.append(message)

        await self.app(scope, again, keep)
        content = b"".join(message.get("body", b"") for message in sent)
        answer = json.dumps(_without(json.loads(content))).encode()
        await Response(answer, sent[0]["status"], media_type="application/json")(scope, receive, send)


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key != "scimops"}
    return [_without(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def published(
    database: Database, embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    made = embedded.credential(company)
    monkeypatch.setenv("SCIMOPS_TEST_PUBLISHED", made.secret.reveal())
    with running(Published(Starlette(routes=routes(database)))) as url:
        connection = connection_to(url, client_id=made.client_id, client_secret="env:SCIMOPS_TEST_PUBLISHED")
        with connect(connection, QUICK) as client:
            yield client


def test_what_is_not_documented_is_said(published: Platform, looked: Callable[..., Preview]) -> None:
    assert published.capabilities() == PUBLISHED
    preview = looked(SETTING, capabilities=published.capabilities())
    (rule,) = [one for one in preview.findings if one.code == "rule_not_there"]
    assert "aliases, joining of spellings" in rule.message
    found = look(published, SETTING, preview, None, NAME)
    said = [one.message for one in found.findings if one.code == "undocumented"]
    assert len(said) == 2
    assert any("department changes leaves the old group" in words for words in said)


def test_only_what_the_published_api_has_is_sent(published: Platform, tmp_path: Path) -> None:
    document = tmp_path / "staff.yaml"
    save_setting(SETTING, document)
    outcome = create(published, document, SETTING, look(published, SETTING, None, None, NAME), connection=NAME)
    assert outcome.token is not None
    assert outcome.created.setting_id == published.settings()[0]["resourceId"]  # found by its name
    assert outcome.created.url is None  # not said there, so not guessed
    assert check(published, document, SETTING, NAME).state == "matches"
    moved = check(published, document, SETTING.model_copy(update={"field_mappings": []}), NAME)
    assert any("not documented" in step for step in moved.steps)


def test_an_attribute_that_it_does_not_take(published: Platform) -> None:
    mappings = [{"attribute": 'addresses[type eq "work"].county', "field": "County"}]
    wrong = Setting.model_validate({"name": "Staff", "field_mappings": mappings})
    with pytest.raises(UsageError, match=r'Did you mean "addresses\[type eq "work"\].country"'):
        look(published, wrong, None, None, NAME)
    assert published.settings() == published.custom_fields() == []


@pytest.mark.parametrize("code", NOTICES)
def test_every_notice_reads_well(code: str) -> None:
    entry = NOTICES[code]
    assert entry.level in LEVELS
    made = finding(code, count=2, catalogue=NOTICES, **entry.example)
    assert made.message.endswith(".")
    assert made.advice.endswith(".")
    assert "{" not in made.message + made.advice
