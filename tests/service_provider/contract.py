"""The platform's OpenAPI file as a contract: each answer, and each request that a test means well, is held to it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx2
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

FILE = Path(__file__).parents[2].parent / "shared" / "platform" / "keepnet-openapi.json"
HOST = "https://api.keepnetlabs.com"
OURS = "scimops"


def known() -> bool:
    """Is the file here? It is kept outside the repository."""
    return FILE.is_file()


@lru_cache(maxsize=1)
def specification() -> dict[str, Any]:
    """The file as it is."""
    data: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return data


@lru_cache(maxsize=1)
def _contract() -> OpenAPI:
    # the file itself is not quite valid (both `example` and `examples`), and that is the platform's
    return OpenAPI.from_dict(specification(), config=Config(spec_validator_cls=None))  # type: ignore[arg-type]


def operations() -> set[tuple[str, str]]:
    """Every method and path of the file."""
    paths = specification()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def operation_of(method: str, path: str) -> tuple[str, str] | None:
    """The operation of the file that a request is; a fixed path goes before one with an id."""
    parts = path.split("/")
    fits = [
        template for verb, template in operations()
        if verb == method and len(template.split("/")) == len(parts)
        and all(t == p or t.startswith("{") for t, p in zip(template.split("/"), parts, strict=True))
    ]  # fmt: skip
    return (method, min(fits, key=lambda template: template.count("{"))) if fits else None


def without_additions(data: Any) -> Any:
    """What the platform itself would send or take: without our objects `scimops`."""
    if isinstance(data, dict):
        return {key: without_additions(value) for key, value in data.items() if key != OURS}
    return [without_additions(value) for value in data] if isinstance(data, list) else data


def check(response: httpx2.Response) -> tuple[str, str] | None:
    """Hold a good answer and its request to the file; the operation that it was, None for a path of our own.

    Raises:
        openapi_core.exceptions.OpenAPIError: the answer or the request is not as the file says.
    """
    request, path = response.request, response.request.url.path
    operation = operation_of(request.method, path)
    if operation is None or not response.is_success:
        return None
    kind = request.headers.get("content-type", "application/json")
    sent: bytes | None = request.content or None
    if sent and kind == "application/json":
        sent = json.dumps(without_additions(json.loads(sent))).encode()
    asked = MockRequest(HOST, request.method.lower(), path, data=sent, content_type=kind)
    got = json.dumps(without_additions(response.json())).encode()
    answer = MockResponse(got, status_code=response.status_code, content_type="application/json")
    _contract().validate_request(asked)
    _contract().validate_response(asked, answer)
    return operation
