"""How each identity provider writes people as JSON: the wrapper its API puts around them, its keys, its nulls.

One person stands on one line, so that a million people need no more memory than one, and the files can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TextIO

from scimops.samples.nasty import ESCAPE
from scimops.samples.people import Person
from scimops.samples.tables import okta_id, okta_status

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@dataclass(frozen=True)
class JsonFormat:
    """One JSON shape: what stands before, between and after the people. `%d` in `before` becomes their number."""

    record: Callable[[Person], dict[str, Any]]
    before: str
    between: str = ",\n"
    after: str = "\n]}\n"

    def write(self, out: TextIO, people: Iterable[Person], count: int) -> None:
        """Write the whole file; `count` is how many people there are."""
        out.write(self.before.replace("%d", str(count)))
        for number, person in enumerate(people):
            shown = person
            if person.case == "control_character":  # in CSV only
                shown = replace(person, first=person.first.replace(ESCAPE, ""))
            line = json.dumps(self.record(shown), ensure_ascii=False)
            out.write(f"{self.between}{line}" if number else line)
        out.write(self.after)


def _graph(person: Person) -> dict[str, Any]:
    place = person.place
    record = {
        "id": person.object_id, "userPrincipalName": person.user_name, "displayName": person.display,
        "givenName": person.first, "surname": person.last, "mail": person.email, "accountEnabled": person.active,
        "userType": person.user_type, "department": person.department, "jobTitle": person.title,
        "businessPhones": [person.phone], "mobilePhone": person.mobile, "officeLocation": place.city,
        "city": place.city, "state": place.state, "country": place.country, "postalCode": person.postal_code,
        "streetAddress": person.street, "usageLocation": place.code, "preferredLanguage": place.language,
        "employeeId": person.employee_number, "companyName": "Acme", "createdDateTime": person.created,
        "employeeHireDate": f"{person.created_day}T00:00:00Z",
    }  # fmt: skip
    return {key: None if value == "" else value for key, value in record.items()}


def _okta(person: Person) -> dict[str, Any]:
    place = person.place
    kind = "Employee" if person.user_type == "Member" else "External"
    profile = {
        "login": person.user_name, "email": person.email, "firstName": person.first, "lastName": person.last,
        "displayName": person.display, "department": person.department, "title": person.title,
        "primaryPhone": person.phone, "mobilePhone": person.mobile, "streetAddress": person.street, "city": place.city,
        "state": place.state, "zipCode": person.postal_code, "countryCode": place.code,
        "preferredLanguage": place.language, "timezone": place.zone, "userType": kind,
        "employeeNumber": person.employee_number, "organization": "Acme",
    }  # fmt: skip
    status = okta_status(person)
    activated = None if status == "STAGED" else person.created.replace("Z", ".000Z")
    return {
        "id": okta_id(person),
        "status": "SUSPENDED" if status == "DEPROVISIONED" else status,  # the list leaves DEPROVISIONED people out
        "created": person.created.replace("Z", ".000Z"),
        "activated": activated,
        "statusChanged": activated,
        "lastLogin": None,
        "lastUpdated": person.created.replace("Z", ".000Z"),
        "passwordChanged": activated,
        "profile": {key: value for key, value in profile.items() if value != ""},
        "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"https://acme.okta.example/api/v1/users/{okta_id(person)}"}},
    }


def _onelogin(person: Person) -> dict[str, Any]:
    made = person.created.replace("Z", ".237Z")
    status = {0: 3, 1: 4, 2: 5}.get(person.draw % 100, 1) if person.active else 2
    return {
        "status": status, "username": person.login or None, "distinguished_name": None, "external_id": None,
        "group_id": None, "samaccountname": None, "updated_at": made, "invalid_login_attempts": 0,
        "activated_at": made, "created_at": made, "directory_id": None, "member_of": ";".join(person.groups) or None,
        "lastname": person.last, "invitation_sent_at": made, "phone": person.phone, "email": person.email or None,
        "firstname": person.first, "id": 252_000_000 + person.number, "locked_until": None, "state": 1,
        "last_login": made, "password_changed_at": made, "department": person.department or None,
        "title": person.title, "company": "Acme", "preferred_locale_code": person.place.language,
    }  # fmt: skip


def _jumpcloud(person: Person) -> dict[str, Any]:
    place = person.place
    office = {"type": "work", "poBox": "", "locality": place.city, "region": place.state, "country": place.country,
              "streetAddress": person.street, "postalCode": person.postal_code}  # fmt: skip
    attributes = [{"name": "Region", "value": place.country}, {"name": "Badge", "value": person.employee_number}]
    return {
        "_id": f"{person.key:032x}"[-24:], "username": person.login, "email": person.email, "firstname": person.first,
        "lastname": person.last, "middlename": "", "displayname": person.display, "department": person.department,
        "jobTitle": person.title, "employeeIdentifier": person.employee_number, "company": "Acme", "costCenter": "CC-1",
        "employeeType": "Employee" if person.user_type == "Member" else "External", "location": place.city,
        "description": "", "addresses": [office], "attributes": attributes,
        "phoneNumbers": [{"type": "work", "number": person.phone}, {"type": "mobile", "number": person.mobile}],
        "state": "ACTIVATED" if person.active else "SUSPENDED", "activated": True, "suspended": not person.active,
        "account_locked": False, "allow_public_key": True, "enable_managed_uid": False, "externally_managed": False,
        "ldap_binding_user": False, "password_expired": False, "passwordless_sudo": False, "samba_service_user": False,
        "ssh_keys": [], "sudo": False, "totp_enabled": False, "unix_guid": 5000 + person.number,
        "unix_uid": 5000 + person.number, "created": person.created.replace("Z", ".099Z"),
        "mfa": {"configured": False, "exclusion": False},
    }  # fmt: skip


def _scim(person: Person) -> dict[str, Any]:
    place = person.place
    extension = {"employeeNumber": person.employee_number, "organization": "Acme", "department": person.department}
    name = {"formatted": person.display, "familyName": person.last, "givenName": person.first}
    office = {"type": "work", "streetAddress": person.street, "locality": place.city, "region": place.state,
              "postalCode": person.postal_code, "country": place.country}  # fmt: skip
    phones = [{"type": "work", "value": person.phone}, {"type": "mobile", "value": person.mobile}]
    record = {
        "schemas": [_CORE, _ENTERPRISE],
        "id": person.object_id,
        "externalId": person.employee_number,
        "userName": person.user_name,
        "name": {key: value for key, value in name.items() if value},
        "displayName": person.display,
        "title": person.title,
        "userType": "Employee" if person.user_type == "Member" else "External",
        "preferredLanguage": place.language,
        "timezone": place.zone,
        "active": person.active,
        "emails": [{"value": person.email, "type": "work", "primary": True}] if person.email else [],
        "phoneNumbers": [phone for phone in phones if phone["value"]],
        "addresses": [{key: value for key, value in office.items() if value}],
        "groups": [{"value": group.lower().replace(" ", "-"), "display": group} for group in person.groups],
        _ENTERPRISE: {key: value for key, value in extension.items() if value},
        "meta": {"resourceType": "User", "created": person.created, "lastModified": person.created},
    }
    return {key: value for key, value in record.items() if value not in ("", [], {})}


_REFUSED = {
    "no_username": (400, "userName is required and must not be blank."),
    "no_email": (400, "Field 'emails' is required but value is missing, null or empty"),
    "bad_email": (400, "The e-mail address is not usable: one @, a domain, no spaces."),
    "too_long": (400, "department is longer than 256 characters; nothing is cut."),
    "duplicate_username_case": (409, "Another person of this company has this userName."),
    "duplicate_email_admin": (409, "Another person of this company has this e-mail address."),
}


def _rehearsed(person: Person) -> dict[str, Any]:
    """The request that creates a person, as `scimops serve --rehearse` records it, with what became of it."""
    sent = ("schemas", "externalId", "userName", "name", "active", "emails", "userType", _ENTERPRISE)
    body = {key: value for key, value in _scim(person).items() if key in sent}
    body["addresses"] = [{"type": "work", "country": person.place.country}]
    keys = [person.employee_number or None, person.user_name.casefold() or None, person.email.casefold() or None]
    status, why = _REFUSED.get(person.case, (201, None))
    effect: dict[str, Any] = {"refused": status, "detail": why}
    if why is None:
        effect = {"user": f"{person.key:032x}"[-12:], "version": 1}
    return {
        "at": "2026-11-25T08:00:00.000+00:00", "method": "POST", "path": "/scim/v2/Users", "query": "",
        "status": status, "user_agent": "synthetic", "content_type": "application/scim+json", "body": body,
        "effects": [effect | {"keys": keys, "resource": body}],
    }  # fmt: skip


JSON_FORMATS: dict[str, JsonFormat] = {
    "entra_graph_users": JsonFormat(
        _graph, '{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users", "value": [\n'
    ),
    "okta_users_api": JsonFormat(_okta, "[\n", after="\n]\n"),
    "onelogin_users_api": JsonFormat(_onelogin, "", between="\n", after="\n"),
    "jumpcloud_systemusers_api": JsonFormat(_jumpcloud, '{"totalCount": %d, "results": [\n'),
    "scim_users": JsonFormat(
        _scim,
        '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": %d, "startIndex": 1, '
        '"itemsPerPage": %d, "Resources": [\n',
    ),
    "rehearsal": JsonFormat(
        _rehearsed,
        '{"format": "scimops rehearsal", "version": 1, "setting": "Acme Entra", "setting_id": "s4mpl3s4mpl3", '
        '"url": "https://platform.example/scim/v2", "at": "2026-11-25T08:00:00.000+00:00", "people_before": 0, '
        '"cut": false}\n',
        between="\n",
        after="\n",
    ),
}
