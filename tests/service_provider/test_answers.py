"""The short way to an answer says what scim2-models' own way says."""

from __future__ import annotations

from typing import Any

import pytest
from filled import ENTERPRISE, NASTY
from scim2_models import Context, Path, ResponseParameters, Returned

from scimops.service_provider.protocol import provider_for, shown

PROVIDER = provider_for(("urn:example:extension:1.0:User:region",))
MODELS = {kind.name: PROVIDER.model_for(kind) for kind in PROVIDER.resource_types}
OWN = {
    "id": "abc", "meta": {"resourceType": "User", "version": 'W/"1"', "location": "https://x.example/Users/abc"},
    "groups": [{"value": "g", "$ref": "https://x.example/Groups/g", "display": "Sales"}],
    "urn:example:extension:1.0:User": {"region": "EMEA"},
}  # fmt: skip


@pytest.mark.parametrize("document", NASTY, ids=lambda document: document["userName"].encode().hex())
@pytest.mark.parametrize("context", [Context.RESOURCE_CREATION_RESPONSE, Context.RESOURCE_QUERY_RESPONSE])
def test_a_whole_person_is_the_same_either_way(document: dict[str, Any], context: Context) -> None:
    with PROVIDER:
        kept = {key: value for key, value in document.items() if key != "password"}
        person = MODELS["User"].model_validate(kept | OWN)  # type: ignore[union-attr]
        assert shown(person, context, None) == person.model_dump(scim_ctx=context)
        asked = ResponseParameters[MODELS["User"]](excluded_attributes=[ENTERPRISE])  # type: ignore[misc]
        assert ENTERPRISE not in shown(person, context, asked)


def test_nothing_but_the_password_is_withheld() -> None:
    hidden = [Returned.never, Returned.request]
    withheld = [str(path) for model in MODELS.values() for path in Path[model].iter_paths(returned=hidden)]  # type: ignore[valid-type]
    assert withheld == ["password"]
