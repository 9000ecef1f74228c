"""People and groups as rows, and the same as the resources that the storage makes of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from scim2_models import EnterpriseUser, Group, ScimFilter, SearchRequest, User, default_comparison_key
from scim2_server.testing import SEARCH_USERS

from scimops.service_provider.attribute_places import exact
from scimops.service_provider.filters import folded
from scimops.service_provider.paging import Found, Source, find_page
from scimops.service_provider.tables import companies, groups, memberships, users
from scimops.service_provider.tables import settings as settings_table

PERSON = User[EnterpriseUser]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
START = dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.UTC)
MODELS: dict[str, type[Any]] = {"User": PERSON, "Group": Group}

NASTY: list[dict[str, Any]] = [
    *SEARCH_USERS,
    {"userName": "Straße", "title": "STRASSE", "externalId": "AbC", "nickName": "ß"},
    {"userName": "İstanbul", "title": "i̇stanbul", "nickName": "ı", "externalId": "abc"},
    {"userName": "ΑΣ", "title": "ΣΑΣ ΑΣ", "nickName": "σας", "profileUrl": "https://example.com/A"},
    {"userName": "Ame\u0301lie", "title": "AMÉLIE", "nickName": "a\u0301\u0323", "externalId": "e\u0301"},
    {"userName": "q'\"q", "title": 'say "hi"', "nickName": "a\\b", "externalId": "'; DROP TABLE users; --"},
    {"userName": "100%", "title": "a_b", "nickName": "a%b", "displayName": "\\%"},
    {"userName": "line", "title": "a\n\u0301b", "nickName": "Α\nΣ", "displayName": "\t\u0307\u001f\u0307"},
    {"userName": "\U0010ffff", "title": "\U0010ffff\U0010ffffx", "nickName": "\ud7ffz", "displayName": "\ue000"},
    {"userName": "\uffff", "title": "😀 Smile", "nickName": "K", "externalId": "\u212a", "profileUrl": "http://e\u0301/"},
    {"userName": "empty", "title": "", "nickName": " ", "externalId": "", "name": {"givenName": ""}},
    {"userName": "null", "title": "null", "nickName": "true", "active": True, "displayName": "0"},
    {
        "userName": "many", "active": True, "name": {"formatted": "Many Mails", "familyName": "O'Malley"},
        "emails": [
            {"value": "A@example.com", "type": "WORK", "display": "A_%"}, {"type": "home", "primary": True},
            {"value": "b@example.com", "type": "x", "primary": False}, {"value": "a@example.com", "type": "home"},
        ],
        "phoneNumbers": [{"value": "+1 (555) 0100", "type": "mobile"}, {"value": "0", "type": "fax", "primary": True}],
    },
    {
        "userName": "twice", "emails": [{"value": "a@example.com"}, {"value": "A@EXAMPLE.com", "primary": True}],
        "photos": [{"value": "https://Example.com/P", "type": "photo"}, {"value": "https://example.com/p"}],
        "x509Certificates": [{"value": "aGVsbG8="}, {"display": "none"}],
        ENTERPRISE: {
            "manager": {"value": "Boss", "$ref": "https://example.com/Users/1", "displayName": "The Boss"},
            "department": "R&D", "costCenter": "",
        },
    },
    {
        "userName": "places", "active": False, "emails": [{"display": "no value"}], "locale": "de-DE",
        "addresses": [{"type": "work", "locality": "Köln", "primary": True}, {"type": "home", "country": "US"}],
        "roles": [{"value": "Admin"}, {"value": "user", "primary": True}], "entitlements": [{"display": ""}],
        ENTERPRISE: {"department": "Sales \\ [x]", "employeeNumber": "9"},
    },
]  # fmt: skip

GROUPS = [("Sales", "G1", [0, 1, 2]), ("straße", None, [1, 11]), ("Été", "e\u0301", []), ("a_%", "", [2])]


class Filled:
    """Rows of people and groups, and the same as resources, as the storage reads them."""

    def __init__(
        self, connection: sa.Connection, documents: list[dict[str, Any]], made: list[Any] = GROUPS,
        person: type[Any] = PERSON,
    ) -> None:  # fmt: skip
        self.connection = connection
        self.models: dict[str, type[Any]] = {"User": person, "Group": Group}
        self.dialect = connection.dialect.name
        self.company_n = connection.scalar(sa.select(sa.func.count()).select_from(companies))
        self.company = f"company{self.company_n:05}"
        connection.execute(sa.insert(companies).values(id=self.company, name="x", created=START))
        row = {"id": f"set{self.company_n:05}", "company_id": self.company, "name": "x", "created": START}
        made_setting = sa.insert(settings_table).values(row | {"document": "{}"}).returning(settings_table.c.n)
        self.setting = connection.execute(made_setting).scalar_one()
        self.resources: dict[tuple[str, int], Any] = {}
        people = [self._person(place, document) for place, document in enumerate(documents)]
        for place, (name, external_id, members) in enumerate(made):
            self._group(place, name, external_id, [people[i] for i in members if i < len(people)])

    def _meta(self, place: int, row_id: str, given: dict[str, Any]) -> dict[str, Any]:
        created = START + dt.timedelta(days=place)
        times = [given.get("created"), given.get("lastModified")]
        asked = [dt.datetime.fromisoformat(time) if time else None for time in times]
        return {
            "id": row_id, "company_id": self.company, "setting_n": self.setting, "version": place,
            "created": asked[0] or created, "modified": asked[1] or created + dt.timedelta(days=1),
        }  # fmt: skip

    def _dress(self, kind: str, resource: Any, row: dict[str, Any]) -> Any:
        resource.id = row["id"]
        resource.meta = {
            "resourceType": kind, "created": row["created"], "lastModified": row["modified"],
            "version": f'W/"{row["version"]}"',
        }  # fmt: skip
        return resource

    def _id(self, text: str) -> str:
        return text if not self.company_n else f"{text}-{self.company_n}"

    def _person(self, place: int, given: dict[str, Any]) -> Any:
        model, meta = self.models["User"], given.get("meta", {})
        kept = {key: value for key, value in given.items() if key not in ("id", "meta", "password")}
        document = model.model_validate(kept).model_dump()
        text = json.dumps(document, ensure_ascii=False)
        emails = [key_of(item["value"]) for item in document.get("emails", []) if item.get("value")]
        name, external = document.get("userName"), document.get("externalId")
        row = self._meta(place, self._id(f"user{place:04}"), meta) | {
            "external_id": None if external is None else exact(external), "user_name": name,
            "user_name_scim": None if name is None else key_of(name), "email_scim": emails[0] if emails else None,
            "more_emails": len(emails) > 1, "active": document.get("active") is not False, "reason": "everyone",
            "document": text, "folded": folded(text),
        }  # fmt: skip
        n = self.connection.execute(sa.insert(users).values(row).returning(users.c.n)).scalar_one()
        self.resources["User", n] = resource = self._dress("User", model.model_validate(document), row)
        return n, row, resource

    def _group(self, place: int, name: str, external_id: str | None, members: list[Any]) -> None:
        row = self._meta(place, self._id(f"group{place:03}"), {}) | {
            "kind": "placed", "name": name, "group_key": f"{name}{place}", "scim_key": key_of(name),
            "external_id": None if external_id is None else exact(external_id),
        }  # fmt: skip
        n = self.connection.execute(sa.insert(groups).values(row).returning(groups.c.n)).scalar_one()
        shown = []
        for user_n, user, resource in members:
            self.connection.execute(sa.insert(memberships).values(group_n=n, user_n=user_n, setting_n=self.setting))
            if user["active"]:
                shown.append({"value": user["id"], "$ref": f"Users/{user['id']}", "type": "User"})
                theirs = {"value": row["id"], "$ref": f"Groups/{row['id']}", "display": name}
                resource.groups = [*(resource.groups or []), type(resource).Groups.model_validate(theirs)]
        document = {"displayName": name, "externalId": row["external_id"], "members": shown or None}
        self.resources["Group", n] = self._dress("Group", Group.model_validate(document), row)

    def source(self, kind: str, scim_filter: str | None = None) -> Source:
        shown = sa.select(memberships.c.group_n, memberships.c.user_n, users.c.id.label("user_id"))
        shown = shown.join(users, users.c.n == memberships.c.user_n)
        members = shown.where(memberships.c.setting_n == self.setting, users.c.active).subquery("shown_members")
        table = users if kind == "User" else groups
        scope = table.c.setting_n == self.setting if kind == "User" else table.c.company_id == self.company
        bound = None if scim_filter is None else ScimFilter[self.models[kind]](scim_filter)
        return Source(kind, self.models[kind], scope, bound, members)

    def search(self, kinds: str | list[str], position: Any = None, **parameters: Any) -> Found:
        kinds = [kinds] if isinstance(kinds, str) else kinds
        request = self.request(kinds, **parameters)
        sources = [self.source(kind, request.filter) for kind in kinds]
        return find_page(self.connection, sources, request, position)

    @staticmethod
    def request(kinds: list[str], **parameters: Any) -> Any:
        models: Any = MODELS[kinds[0]]
        for kind in kinds[1:]:
            models = models | MODELS[kind]
        return SearchRequest[models](**parameters)

    def ids(self, found: Found) -> list[str]:
        return [self.resources[key].id for key in found.rows]

    def expected(self, kind: str, scim_filter: str) -> list[str]:
        bound = ScimFilter[self.models[kind]](scim_filter)
        return [item.id for (name, _), item in self.resources.items() if name == kind and bound.match(item)]

    def check(self, kind: str, scim_filter: str) -> list[str]:
        """Rows and evaluator agree; the filter binds to one model, so unknown attributes match nothing."""
        found = find_page(self.connection, [self.source(kind, scim_filter)], SearchRequest())
        expected = self.expected(kind, scim_filter)
        assert self.ids(found) == expected, scim_filter
        assert found.total == len(expected)
        return expected


def key_of(text: str) -> str:
    class Binding:
        case_exact = False

    return default_comparison_key(Binding, text)
