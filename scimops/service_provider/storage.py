"""The storage behind scim2-server: people and groups as rows. No grouping here: that is `placement`.

A storage lives for one request, inside its transaction, and sees one setting: its own people and memberships, and the
groups of its company that the rule or its identity provider made.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy as sa
from scim2_models import (
    NotFoundException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
)  # fmt: skip
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy.exc import OperationalError, PendingRollbackError, SQLAlchemyError

from scimops.grouping import identity_key
from scimops.resources import Flat, flatten
from scimops.service_provider import statements
from scimops.service_provider.attribute_places import exact_or_none, folded, scim_key
from scimops.service_provider.database import loaded, new_id
from scimops.service_provider.paging import Source, find_page
from scimops.service_provider.placement import Judged, Placement, chunks, now, touch
from scimops.service_provider.pushed_groups import PushedGroups
from scimops.service_provider.rows import (
    Change,
    check_version,
    document_of,
    keeps_members,
    meta_of,
    resource_of,
    table_of,
    unique,
)  # fmt: skip
from scimops.service_provider.tables import enrolled, memberships, users
from scimops.service_provider.tolerance import MemberChange


class Storage(ScimStorage):
    """The people and groups of one setting, in one transaction.

    `placement` places people by the rule and refuses whom the rule rejects; without one, rows are only kept. `locking`
    has `get` lock the row it reads, so that of two parallel changes without If-Match both succeed. `shows_groups` is
    off for answers without content: people come without their groups.
    """

    supports_cursors = True

    def __init__(
        self, connection: sa.Connection, provider: ScimProvider, company_id: str, setting_n: int,
        placement: Placement | None = None, *, locking: bool = False, savepoints: bool = False,
        shows_groups: bool = True,
    ) -> None:  # fmt: skip
        self.connection, self.provider, self.placement = connection, provider, placement
        self.company_id, self.setting_n = company_id, setting_n
        self.locking, self.savepoints, self.shows_groups = locking, savepoints, shows_groups
        self.changes: list[Change] = []
        self.fault: SQLAlchemyError | None = None
        self._locked: sa.Row[Any] | None = None
        self.pushed = PushedGroups(connection, company_id, setting_n, placement, self.changes)

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """One SCIM operation; of a bulk request a failed one undoes nothing but itself."""
        if not self.savepoints:
            yield
            return
        try:
            with self.connection.begin_nested():
                yield
        except (OperationalError, PendingRollbackError) as error:
            self.fault = error  # the handler makes an operation's answer of it, yet the request as a whole has failed
            raise

    # -- Reading --------------------------------------------------------

    def get(
        self, resource_type: ResourceType, resource_id: str, *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:  # fmt: skip
        """The resource; its members only where the answer keeps them."""
        row = self.row(resource_type, resource_id, lock=self.locking)
        self._locked = row if self.locking else None
        if resource_type.id == "User":
            return self._people([row], resource_type)[0]
        members = keeps_members(response_parameters)
        return self._groups([row], resource_type, members=members)[0]

    def row(self, resource_type: ResourceType, resource_id: str, *, lock: bool = False) -> sa.Row[Any]:
        """The row of a resource of this setting.

        Raises:
            NotFoundException: there is none.
        """
        query = statements.one_row(table_of(resource_type), self.company_id, self.setting_n, lock=lock)
        row = self.connection.execute(query, {"id": resource_id}).one_or_none()
        if row is None:
            raise NotFoundException(detail=f"There is no {resource_type.name} {resource_id!r}.")
        return row

    def _model(self, resource_type: ResourceType) -> type[Resource[Any]]:
        return cast("type[Resource[Any]]", self.provider.model_for(resource_type))

    def members(self) -> sa.Subquery:
        """The memberships that show: of this setting's own people, without those who are not active (rule 9)."""
        return statements.shown_members(self.setting_n, inactive=self._keeps_inactive)

    @property
    def _keeps_inactive(self) -> bool:
        return self.placement is not None and self.placement.grouping.setting.group_settings.inactive == "keep_group"

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """One page of what matches, found in SQL."""
        sources = [self._source(resource_type, search_request) for resource_type in resource_types]
        found = find_page(self.connection, sources, search_request, position)
        by_type = {resource_type.name: resource_type for resource_type in resource_types}
        resources: dict[tuple[str, int], Resource[Any]] = {}
        for name, resource_type in by_type.items():
            ns = [n for kind, n in found.rows if kind == name]
            for n, resource in zip(ns, self._read(resource_type, ns, search_request), strict=True):
                resources[cast(str, name), n] = resource
        return SearchPage(found.total, [resources[key] for key in found.rows], found.next, found.previous)

    def _source(self, resource_type: ResourceType, search_request: SearchRequest[Any]) -> Source:
        model = self._model(resource_type)
        scope = statements.scope(table_of(resource_type), self.company_id, self.setting_n)
        return Source(cast(str, resource_type.name), model, scope, search_request.filter, self.members())

    def _read(
        self, resource_type: ResourceType, ns: Sequence[int], parameters: ResponseParameters[Any]
    ) -> list[Resource[Any]]:
        if not ns:
            return []
        table = table_of(resource_type)
        rows = {row.n: row for part in chunks(ns) for row in self.connection.execute(
            sa.select(table).where(table.c.n.in_(part))
        )}  # fmt: skip
        ordered = [rows[n] for n in ns]
        if resource_type.id == "User":
            return self._people(ordered, resource_type)
        return self._groups(ordered, resource_type, members=keeps_members(parameters))

    def _people(self, rows: Sequence[sa.Row[Any]], resource_type: ResourceType) -> list[Resource[Any]]:
        theirs = self._groups_of([row.n for row in rows])
        model = self._model(resource_type)
        result = []
        for row in rows:
            document = loaded(row.document) | {"groups": theirs.get(row.n)}
            result.append(resource_of(model, document, row, resource_type))
        return result

    def _groups_of(self, ns: Sequence[int]) -> dict[int, list[dict[str, str]]]:
        query = statements.groups_shown(self.setting_n, inactive=self._keeps_inactive)
        result: dict[int, list[dict[str, str]]] = {}
        for part in chunks(ns if self.shows_groups else ()):
            for n, group_id, name in self.connection.execute(query, {"ns": part}):
                result.setdefault(n, []).append(_shown_group(group_id, name))
        return result

    def _groups(
        self, rows: Sequence[sa.Row[Any]], resource_type: ResourceType, *, members: bool = True
    ) -> list[Resource[Any]]:
        model = self._model(resource_type)
        shown = self.members()
        result = []
        for row in rows:
            document: dict[str, Any] = {"displayName": row.name, "externalId": row.external_id}
            if members:
                query = sa.select(shown.c.user_id).where(shown.c.group_n == row.n).order_by(shown.c.user_n)
                ids = self.connection.scalars(query).all()
                document["members"] = [{"value": i, "$ref": f"Users/{i}", "type": "User"} for i in ids] or None
            result.append(resource_of(model, document, row, resource_type))
        return result

    # -- Writing people and groups ----------------------------------------

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Keep a new person, placed by the rule, or a group that the identity provider pushes."""
        if resource_type.id != "User":
            return self.get(resource_type, self.pushed.create(resource))
        return self._as_kept(resource_type, resource, *self._create_user(resource))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Keep the new state of a person or a pushed group."""
        row = self._row_again(resource_type, cast(str, resource.id))
        check_version(row, expected_version)
        if resource_type.id == "User":
            return self._as_kept(resource_type, resource, *self._update_user(row, resource))
        self.pushed.update(row, resource)
        return self.get(resource_type, row.id)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """Forget a person, or a group that the identity provider pushed."""
        row = self._row_again(resource_type, resource_id)
        check_version(row, expected_version)
        if resource_type.id == "User":
            held = self.connection.scalars(sa.select(memberships.c.group_n).where(memberships.c.user_n == row.n)).all()
            for table in (memberships, enrolled):
                self.connection.execute(sa.delete(table).where(table.c.user_n == row.n))
            self.connection.execute(sa.delete(users).where(users.c.n == row.n))
            touch(self.connection, held)
        else:
            self.pushed.delete(row)

    def _row_again(self, resource_type: ResourceType, resource_id: str) -> sa.Row[Any]:
        """The row to change: the one that :meth:`get` has just read and locked, if it is that."""
        row, self._locked = self._locked, None
        if row is not None and row.id == resource_id:
            return row
        return self.row(resource_type, resource_id, lock=self.locking)

    def _as_kept(
        self, resource_type: ResourceType, resource: Resource[Any], row: Any, theirs: list[dict[str, str]]
    ) -> Resource[Any]:
        """A person as just written to `row`, in these groups, without reading it again."""
        shown = [type(resource).Groups.model_validate(group) for group in theirs] or None  # type: ignore[attr-defined]
        meta = meta_of(row, resource_type)
        return resource.model_copy(update={"id": row.id, "meta": meta, "groups": shown, "password": None})

    def _create_user(self, resource: Resource[Any]) -> tuple[Any, list[dict[str, str]]]:
        document, moment = document_of(resource), now()
        flat = flatten(document)
        judged = self._judge(document, flat, created=True)
        row = self._person(document, judged) | {
            "id": new_id(), "company_id": self.company_id, "setting_n": self.setting_n, "version": 1,
            "created": moment, "modified": moment,
        }  # fmt: skip
        with unique(), self.operation():
            n = self.connection.scalar(statements.add_user(self.connection.dialect.name), row)
            if n is None and (own := self._company_own(row)) is not None:
                return self._adopt(own, row, flat, judged)
            if n is None:  # somebody else's name, address or externalId: which one, the database says now
                n = self.connection.execute(sa.insert(users).values(row).returning(users.c.n)).scalar_one()
        self._note({}, flat)
        group = self.placement.put_new(n, row["id"], judged) if self.placement else None
        shows = group and (judged.active or self._keeps_inactive)
        return SimpleNamespace(n=n, **row), [_shown_group(group.id, group.name)] if group and shows else []

    def _company_own(self, new: dict[str, Any]) -> sa.Row[Any] | None:
        """The same person among those of no setting: made by hand, or left by a setting that was deleted (rule 11).

        An externalId counts for the setting that brought it alone (RFC 7643 §3.1), so the userName tells, then the
        address of one who has no userName.
        """
        nameless = users.c.user_name_key.is_(None) & (users.c.email_key == new["email_key"])
        query = (
            sa.select(users)
            .where(users.c.company_id == self.company_id, users.c.setting_n.is_(None))
            .where((users.c.user_name_key == new["user_name_key"]) | nameless)
            .order_by(users.c.user_name_key.is_(None)).limit(1).with_for_update()
        )  # fmt: skip
        return self.connection.execute(query).one_or_none()

    def _adopt(
        self, own: sa.Row[Any], new: dict[str, Any], flat: Flat, judged: Judged
    ) -> tuple[Any, list[dict[str, str]]]:
        """A person of the company's own becomes this setting's: same id, same enrolments, placed by its rule."""
        changed = new | {"id": own.id, "created": own.created, "version": own.version + 1}
        self.connection.execute(sa.update(users).where(users.c.n == own.n).values(changed))
        self._note(flatten(loaded(own.document)), flat)
        if self.placement:
            self.placement.take_over(own.n)
            self.placement.put(own.n, own.id, judged, own.reason)
        return SimpleNamespace(n=own.n, **changed), self._groups_of([own.n]).get(own.n, [])

    def _update_user(self, row: sa.Row[Any], resource: Resource[Any]) -> tuple[Any, list[dict[str, str]]]:
        document = document_of(resource)
        flat = flatten(document)
        judged = self._judge(document, flat, created=False)
        changed = self._person(document, judged) | {"version": row.version + 1, "modified": now()}
        if self.placement and self.placement.grouping.setting.by_idp_groups:
            changed |= {"reason": row.reason, "group_key": row.group_key}  # `put` looks at the groups they are in
        with unique(), self.operation():
            self.connection.execute(statements.CHANGE_USER, changed | {"person": row.n})
        self._note(flatten(loaded(row.document)), flat)
        if self.placement:
            self.placement.put(row.n, row.id, judged, row.reason)
        kept = SimpleNamespace(n=row.n, id=row.id, created=row.created, **changed)
        return kept, self._groups_of([row.n]).get(row.n, [])

    def _note(self, before: Flat, after: Flat) -> None:
        self.changes += [
            Change(name, before.get(name), after.get(name))
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name) and name != "schemas"
        ]

    def _judge(self, document: dict[str, Any], flat: Flat, *, created: bool) -> Judged:
        if self.placement:
            return self.placement.judge(flat, created=created)
        email = next((item.get("value") for item in document.get("emails") or []), None)
        return Judged(email, document.get("active") is not False, None, None, "ungrouped")

    def _person(self, document: dict[str, Any], judged: Judged) -> dict[str, Any]:
        text = json.dumps(document, ensure_ascii=False)
        emails = [scim_key(item["value"]) for item in document.get("emails") or [] if item.get("value")]
        name = document.get("userName")
        return {
            "external_id": exact_or_none(document.get("externalId")), "user_name": name,
            "user_name_scim": scim_key(name) if name is not None else None,
            "user_name_key": identity_key(name) if name is not None else None,
            "email": judged.email, "email_scim": emails[0] if emails else None,
            "email_key": identity_key(judged.email) if judged.email else None, "more_emails": len(emails) > 1,
            "active": judged.active, "group_key": judged.group_key, "reason": judged.reason,
            "document": text, "folded": folded(text),
        }  # fmt: skip

    def change_members(
        self, resource_type: ResourceType, row: sa.Row[Any], changes: Sequence[MemberChange]
    ) -> Resource[Any]:
        """Members as rows, whatever the size of the group; the group comes back without its members."""
        self.pushed.change_members(row, changes)
        return self._groups([self.row(resource_type, row.id)], resource_type, members=False)[0]


def _shown_group(group_id: str, name: str) -> dict[str, str]:
    """A group as it shows at a person (RFC 7643 §4.1.2)."""
    return {"value": group_id, "$ref": f"Groups/{group_id}", "display": name}
