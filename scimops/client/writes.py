"""Look-ups and changes, one resource at a time; each change gives a plain :class:`Written`.

What the service provider refuses (400, 403, 404, 409, 412 …) is a result, so that one bad person stops nobody else.
What stops everything is an error: no connection, a token that is refused, a service provider that stays busy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from scimops.client.discovery import Features
from scimops.client.paging import rows_of, version_of
from scimops.client.session import Session
from scimops.client.statuses import fault_of, said_by
from scimops.http.answers import Answer, Json, read_json
from scimops.http.exchange import Request
from scimops.http.faults import AnswerError, NotFoundError, PlatformError, RefusedError, UncertainError
from scimops.http.told import told_here

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True)
class Written:
    """What became of one change.

    `id` and `version` are the resource's after it, where they are known. `said` is what the service provider says of
    a refusal, and `advice` what to do. `again`: a try was cut or failed (500); it was sent twice, or found by a
    look-up, so what is there should be compared with what was sent. `changed` are the members sent.
    """

    operation: str
    status: int
    id: str | None = None
    version: str | None = None
    said: str = field(default="", repr=False)
    advice: str = ""
    again: bool = False
    changed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Is it as it should be?"""
        return 200 <= self.status < 300


class Writes:
    """Calls of one service provider; may be used by several threads."""

    def __init__(self, session: Session, features: Features) -> None:
        self._session = session
        self.features = features

    # Look-ups

    def user(self, user_id: str) -> Json | None:
        """One user, as the service provider shows them; None where there is none."""
        return self._get(self.features.users, user_id, "user")

    def group(self, group_id: str) -> Json | None:
        """One group with its members; None where there is none."""
        return self._get(self.features.groups, group_id, "group")

    def find_user(self, *, user_name: str | None = None, external_id: str | None = None) -> Json | None:
        """The user of this userName or, where that is given, this externalId.

        Raises:
            AnswerError: there are several; which one is meant cannot be told.
        """
        return self._find(self.features.users, _asked_for("userName", user_name, external_id), "user")

    def find_group(self, *, name: str | None = None, external_id: str | None = None) -> Json | None:
        """The group of this displayName or, where that is given, this externalId; errors as :meth:`find_user`."""
        return self._find(self.features.groups, _asked_for("displayName", name, external_id), "group")

    # Users

    def create_user(self, document: Mapping[str, Any]) -> Written:
        """Create a user. Where the answer is cut, they are looked for before anything is sent again.

        Raises:
            UncertainError: cut, and not found; they may come later.
            PlatformError: one of those that stop everything.
        """
        return self._create(self.features.users, dict(document), "create user", "userName")

    def replace_user(self, user_id: str, document: Mapping[str, Any], version: str | None = None) -> Written:
        """Put `document` in the place of a user; refused (412) where their `version` is another one."""
        return self._change("PUT", self.features.users, user_id, "replace user", dict(document), version)

    def patch_user(self, user_id: str, operations: Sequence[Mapping[str, Any]], version: str | None = None) -> Written:
        """Change a user by operations (RFC 7644 §3.5.2): `{op, path, value}`, each the same when done twice.

        Raises:
            RefusedError: the service provider does no PATCH; nothing was sent.
        """
        return self._patch(self.features.users, user_id, "change user", list(operations), version)

    def delete_user(self, user_id: str, version: str | None = None) -> Written:
        """Delete a user."""
        return self._change("DELETE", self.features.users, user_id, "delete user", None, version)

    # Groups

    def create_group(self, name: str, external_id: str | None = None) -> Written:
        """Create a group without members; errors as :meth:`create_user`."""
        document = {"schemas": [GROUP], "displayName": name} | ({"externalId": external_id} if external_id else {})
        return self._create(self.features.groups, document, "create group", "displayName")

    def delete_group(self, group_id: str, version: str | None = None) -> Written:
        """Delete a group."""
        return self._change("DELETE", self.features.groups, group_id, "delete group", None, version)

    def add_members(self, group_id: str, user_ids: Sequence[str]) -> Iterator[Written]:
        """Add members, so many at a time as the service provider takes; no If-Match, for others may add some too."""
        for ids in self._batches(user_ids):
            operation = {"op": "add", "path": "members", "value": [{"value": one} for one in ids]}
            yield self._patch(self.features.groups, group_id, "add members", [operation], None, ids)

    def remove_members(self, group_id: str, user_ids: Sequence[str]) -> Iterator[Written]:
        """Remove members, as :meth:`add_members`."""
        for ids in self._batches(user_ids):
            operations = [{"op": "remove", "path": f"members[value eq {json.dumps(one)}]"} for one in ids]
            yield self._patch(self.features.groups, group_id, "remove members", operations, None, ids)

    # What they have in common

    def _batches(self, ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
        size = self.features.known.members_at_once
        return (tuple(ids[start : start + size]) for start in range(0, len(ids), size))

    def _get(self, place: str, resource_id: str, kind: str) -> Json | None:
        try:
            return self._session.read(f"{place}/{quote(resource_id, safe='')}", f"the {kind} {resource_id}")
        except NotFoundError:
            return None

    def _find(self, place: str, wanted: tuple[str, str], kind: str) -> Json | None:
        attribute, value = wanted
        what = f"the {kind} of a {attribute}"
        query = {"filter": f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"}
        with told_here(self._session.where):
            rows = rows_of(self._session.read(place, what, query), what)
            # a filter that is ignored gives the whole list
            found = [row for row in rows if str(row.get(attribute)).casefold() == value.casefold()]
            if len(found) > 1:
                raise AnswerError(f"The service provider has {len(found)} of one {attribute} where one was expected.",
                                  advice="Which one is meant cannot be told; remove the others there.")  # fmt: skip
        return found[0] if found else None

    def _create(self, place: str, document: Json, operation: str, name: str) -> Written:
        cut: UncertainError | None = None
        refused: Written | None = None
        for _ in range(2):
            try:
                answer, lost = self._session.write("POST", place, operation, document, again=False)
            except UncertainError as error:
                cut = error
            else:
                refused = _written(operation, answer, again=lost or cut is not None)
                if not lost and (cut is None or answer.status != 409):
                    return refused
            if (found := self._made(place, document, name)) is not None:
                return Written(operation, 200, found["id"], version_of(found), again=True)
            if refused is not None:
                return refused
        assert cut is not None
        raise cut

    def _made(self, place: str, document: Json, name: str) -> Json | None:
        """What a request made whose answer was cut: it has the name and the externalId that were sent."""
        found = self._find(place, (name, str(document.get(name))), name)
        sent = document.get("externalId")
        return found if found and (not sent or found.get("externalId") in (None, sent)) else None

    def _patch(
        self, place: str, resource_id: str, operation: str, operations: list[Any], version: str | None,
        ids: tuple[str, ...] = (),
    ) -> Written:  # fmt: skip
        if not self.features.patch:
            raise RefusedError("The service provider changes nothing in parts (PATCH); nothing was sent.",
                               where=self._session.where, advice="Replace the whole user instead.")  # fmt: skip
        body = {"schemas": [PATCH], "Operations": operations}
        return self._change("PATCH", place, resource_id, operation, body, version, ids)

    def _change(
        self, method: str, place: str, resource_id: str, operation: str, body: Any, version: str | None,
        ids: tuple[str, ...] = (),
    ) -> Written:  # fmt: skip
        matching = version if version and self.features.etag and version.startswith(('"', "W/")) else ""
        path = f"{place}/{quote(resource_id, safe='')}"
        what = f"{operation} {resource_id}"
        answer, lost = self._session.write(method, path, what, body, again=True, version=matching)
        if lost and answer.status == 412:
            # our own first try changed the version, or somebody else did: what is there must be looked at
            return Written(operation, 412, resource_id, said="An earlier try was cut and may have happened.",
                           advice="Read it and compare.", again=True, changed=ids)  # fmt: skip
        if lost and method == "DELETE" and answer.status == 404:
            return Written(operation, 204, resource_id, again=True)
        return _written(operation, answer, resource_id, again=lost, ids=ids)


def _asked_for(attribute: str, value: str | None, external_id: str | None) -> tuple[str, str]:
    return ("externalId", external_id) if external_id is not None else (attribute, value or "")


def _written(
    operation: str, answer: Answer, resource_id: str | None = None, *, again: bool = False, ids: tuple[str, ...] = ()
) -> Written:  # fmt: skip
    """The result of an answer. A good one need not have a body, and one that cannot be read changes nothing done."""
    if answer.good:
        document, _ = read_json(answer)
        resource = document if isinstance(document, dict) else {}
        known = resource.get("id") if isinstance(resource.get("id"), str) else answer.location.rpartition("/")[2]
        version = answer.etag or version_of(resource)
        return Written(operation, answer.status, resource_id or known or None, version, again=again, changed=ids)
    fault = fault_of(answer, Request("", "", operation)) or PlatformError("")
    said, kind = said_by(answer)
    text = " ".join(part for part in (kind and f"{kind}:", said) if part) or fault.message
    return Written(operation, answer.status, resource_id, None, text, fault.advice, again, ids)
