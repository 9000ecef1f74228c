"""`POST /connect/token`: OAuth 2.0 client credentials (RFC 6749 §4.4), and who a call's access token speaks for.

An access token is a JSON Web Token signed with the server's secret (RFC 7519, HS256), good for an hour and kept
nowhere. It names a credential; what that credential may do is looked up at each call, so removing one ends its access
tokens at once. Only the one header that this server writes is taken: no other algorithm is ever tried.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qsl

import sqlalchemy as sa

from scimops.service_provider.directory import find_credential, verify_credential
from scimops.service_provider.management.answers import Caller, Json, Refusal

LIFE_SECONDS = 3600
SCOPE = "api1"
FORM = "application/x-www-form-urlencoded"
ENTRIES = ("grant_type", "client_id", "client_secret", "scope")
COMPANY_HEADER = "X-KEEPNET-Company-Id"


class OAuthError(Exception):
    """A token request that is refused, with the error code of RFC 6749 §5.2."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.answer = {"error": code, "error_description": description}


def token_form(content_type: str, body: bytes) -> dict[str, str]:
    """The entries of a token request.

    Raises:
        OAuthError: not form-encoded (the platform takes no JSON here), or an entry is missing, doubled or wrong.
    """
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"Send the request as {FORM}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "An entry stands there twice.")
    if missing := [name for name in ENTRIES if not form.get(name)]:
        raise OAuthError("invalid_request", f"Missing: {', '.join(missing)}.")
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "Only client_credentials is granted.")
    if form["scope"] != SCOPE:
        raise OAuthError("invalid_scope", f"The scope is {SCOPE}.")
    return form


def grant(connection: sa.Connection, form: dict[str, str], key: str) -> Json:
    """The answer to a token request.

    Raises:
        OAuthError: 401, the credential is not known or its secret is wrong; not said which.
    """
    client_id = form["client_id"]
    known = "\x00" not in client_id and verify_credential(connection, client_id, form["client_secret"])
    if not known:
        raise OAuthError("invalid_client", "The client id or the client secret is wrong.", 401)
    token = sign({"sub": client_id, "scope": SCOPE, "exp": int(time.time()) + LIFE_SECONDS}, key)
    return {"access_token": token, "expires_in": LIFE_SECONDS, "token_type": "Bearer", "scope": SCOPE}


def caller_of(connection: sa.Connection, authorization: str | None, key: str, ip: str, user_agent: str) -> Caller:
    """Who calls, by the access token.

    Raises:
        Refusal: 401, no access token or none that is good.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    claims = read(token.strip(), key) if scheme.lower() == "bearer" else None
    if claims is None:
        raise Refusal(401, "An access token is needed: POST /connect/token.")
    if claims["exp"] <= time.time():
        raise Refusal(401, "The access token has expired: POST /connect/token for a new one.")
    row = find_credential(connection, claims["sub"])
    if row is None:
        raise Refusal(401, "The credential of this access token is no longer there.")
    return Caller(row.client_id, row.company_id, ip, user_agent)


def sign(claims: Json, key: str) -> str:
    """A JSON Web Token with these claims."""
    signed = f"{_HEADER}.{_encode(json.dumps(claims).encode())}"
    return f"{signed}.{_signature(signed, key)}"


def read(token: str, key: str) -> Json | None:
    """The claims of a token that :func:`sign` made with this key; None for any other text."""
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    if header != _HEADER or not token.isascii() or not hmac.compare_digest(_signature(signed, key), signature):
        return None
    claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims if isinstance(claims, dict) else None


def _signature(text: str, key: str) -> str:
    return _encode(hmac.new(bytes.fromhex(key), text.encode("ascii"), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


_HEADER = _encode(b'{"alg":"HS256","typ":"JWT"}')
