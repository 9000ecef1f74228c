"""Which SCIM attributes may be mapped (`GET /api/scim/fields`), and a company's custom fields."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from pydantic import Field

from scimops.attributes import ENTERPRISE
from scimops.grouping import identity_key
from scimops.mapping import CUSTOM_LIMIT, LIMITS
from scimops.service_provider.database import new_id
from scimops.service_provider.directory import ConflictError, lock_company
from scimops.service_provider.management.answers import Body, Call, Json, Name, NoBody
from scimops.service_provider.management.audit import note
from scimops.service_provider.placement import now
from scimops.service_provider.tables import custom_fields

CAPABILITIES: Json = {
    "placement": "server",
    "rules": list(range(1, 12)),  # 12, the scope, is the sender's: whoever is out of it never arrives here
    "limits": {"settingName": 30, "groupName": LIMITS["department"], "customField": CUSTOM_LIMIT, **LIMITS},
}
"""What this service provider does by itself (design section 4, capabilities)."""

DEPARTMENT_ID = "department"

SCIM_FIELDS: dict[str, str] = {
    DEPARTMENT_ID: f"{ENTERPRISE}:department",
    "displayname": "displayName",
    "nickname": "nickName",
    "title": "title",
    "usertype": "userType",
    "language": "preferredLanguage",
    "locale": "locale",
    "timezone": "timezone",
    "profileurl": "profileUrl",
    "middlename": "name.middleName",
    "formatted": "name.formatted",
    "country": 'addresses[type eq "work"].country',
    "region": 'addresses[type eq "work"].region',
    "locality": 'addresses[type eq "work"].locality',
    "postalcode": 'addresses[type eq "work"].postalCode',
    "street": 'addresses[type eq "work"].streetAddress',
    "address": 'addresses[type eq "work"].formatted',
    "mobile": 'phoneNumbers[type eq "mobile"].value',
    "homephone": 'phoneNumbers[type eq "home"].value',
    "otheremail": 'emails[type eq "other"].value',
    "employeeno": f"{ENTERPRISE}:employeeNumber",
    "costcenter": f"{ENTERPRISE}:costCenter",
    "organization": f"{ENTERPRISE}:organization",
    "division": f"{ENTERPRISE}:division",
    "managerid": f"{ENTERPRISE}:manager.value",
    "managername": f"{ENTERPRISE}:manager.displayName",
}
"""Resource id (at most twelve characters, never changed) → attribute path (RFC 7643 §4.1 and §4.3)."""


class NewCustomField(Body):
    """The body of `POST /api/custom-fields`."""

    name: Name
    owner_type: str = Field(min_length=1, max_length=40)
    field_data_type: str = Field(min_length=1, max_length=40)
    target_group_resource_id: str | None = None
    is_active: Literal[True] = True
    sort_order: int = Field(0, ge=0, le=2**31 - 1)
    is_required: Literal[False] = False


def scim_fields(_call: Call[NoBody]) -> Json:
    """`GET /api/scim/fields`; our addition: what this service provider does."""
    listed = [{"resourceId": key, "name": path} for key, path in SCIM_FIELDS.items()]
    return {"fields": listed, "scimops": {"capabilities": CAPABILITIES}}


def create(call: Call[NewCustomField]) -> Json:
    """`POST /api/custom-fields`: every value is kept as text here, whatever its data type."""
    return {"resourceId": add_custom_field(call, call.body.name)}


def add_custom_field(call: Call[Any], name: str) -> str:
    """A new custom field of the company; its id.

    Raises:
        ConflictError: the company has one with this name.
    """
    connection = call.connection
    lock_company(connection, call.company_id)
    if any(identity_key(known) == identity_key(name) for known in custom_field_ids(connection, call.company_id)):
        raise ConflictError("This company has a custom field with this name.", advice="Choose another name.")
    field_id = new_id()
    row = {"id": field_id, "company_id": call.company_id, "name": name, "created": now()}
    connection.execute(sa.insert(custom_fields).values(row))
    note(call, "Create", "CustomField", field_id, new={"name": name})
    return field_id


def of_company(call: Call[NoBody]) -> list[Json]:
    """`GET /api/custom-fields/company`."""
    return [
        {
            "resourceId": key, "name": name, "ownerType": "Company", "fieldDataType": "Text",
            "targetGroupResourceId": None, "isActive": True, "sortOrder": number, "isRequired": False,
            "isEditable": True,
        }
        for number, (name, key) in enumerate(custom_field_ids(call.connection, call.company_id).items())
    ]  # fmt: skip


def custom_field_ids(connection: sa.Connection, company_id: str) -> dict[str, str]:
    """Name → id of a company's custom fields, the oldest first."""
    table = custom_fields.c
    query = sa.select(table.name, table.id).where(table.company_id == company_id).order_by(table.created, table.id)
    return {row.name: row.id for row in connection.execute(query)}
