"""Okta Workforce Identity."""

from scimops.attributes import ENTERPRISE
from scimops.idp.shape import Active, Groups, IdentityProvider, Shape

_PROFILE_EDITOR = (
    "In Okta choose Provisioning > To App > Go to Profile Editor > Add Attribute: external name {name}, external "
    "namespace " + ENTERPRISE + ", then map it from user.{name}."
)

IDP = IdentityProvider(
    name="okta",
    title="Okta",
    sources=(
        "https://help.okta.com/en-us/content/topics/users-groups-profiles/usgp-import-users-csv.htm",
        "https://developer.okta.com/docs/reference/api/users/",
        "https://developer.okta.com/docs/guides/scim-provisioning-integration-connect/",
    ),
    not_sent={"department": _PROFILE_EDITOR.format(name="department")},
    changing_ids=dict.fromkeys(
        ("login", "email", "Username", "Primary email", "profile.login", "profile.email"),
        "Okta sends its own user id as externalId; export the column id too.",
    ),
)  # fmt: skip

_INACTIVE = ("suspended", "deprovisioned", "deactivated")
_ACTIVE = ("active", "staged", "provisioned", "recovery", "password_expired", "locked_out", "password expired",
           "locked out", "pending user action", "password reset")  # fmt: skip
_WORK = 'addresses[type eq "work"].'


def _profile(prefix: str) -> dict[str, str]:
    """SCIM attribute → profile attribute, by Okta's base profile."""
    return {path: f"{prefix}{name}" for path, name in {
        "title": "title", "displayName": "displayName", "nickName": "nickName", "profileUrl": "profileUrl",
        "preferredLanguage": "preferredLanguage", "locale": "locale", "timezone": "timezone",
        "name.middleName": "middleName", "name.honorificPrefix": "honorificPrefix",
        "name.honorificSuffix": "honorificSuffix", 'emails[type eq "other"].value': "secondEmail",
        'phoneNumbers[type eq "mobile"].value': "mobilePhone",
        f"{_WORK}streetAddress": "streetAddress", f"{_WORK}locality": "city", f"{_WORK}region": "state",
        f"{_WORK}postalCode": "zipCode", f"{_WORK}country": "countryCode",
        f"{ENTERPRISE}:employeeNumber": "employeeNumber", f"{ENTERPRISE}:costCenter": "costCenter",
        f"{ENTERPRISE}:organization": "organization", f"{ENTERPRISE}:division": "division",
        f"{ENTERPRISE}:manager.value": "managerId",
    }.items()}  # fmt: skip


def _columns(prefix: str) -> dict[str, tuple[str, ...]]:
    return {
        "userName": (f"{prefix}login",),
        "email": (f"{prefix}email",),
        "firstName": (f"{prefix}firstName",),
        "lastName": (f"{prefix}lastName",),
        "department": (f"{prefix}department",),
        "phone": (f"{prefix}primaryPhone", f"{prefix}mobilePhone"),
        "userType": (f"{prefix}userType",),
    }


USERS_API = Shape(
    name="okta_users_api",
    idp="okta",
    title="Okta API, GET /api/v1/users (JSON)",
    kind="json",
    signature=("profile.login", "profile.firstName", "credentials.provider.type", "statusChanged"),
    needed=1,
    columns=_columns("profile.") | {"externalId": ("id",), "createdOn": ("created",), "hiredOn": ("profile.hireDate",)},
    attributes=_profile("profile."),
    active=(Active("status", _ACTIVE, _INACTIVE),),
    others=("status", "activated", "lastLogin", "lastUpdated", "credentials.provider.name", "_links.self.href"),
    add="The Users API returns every filled profile attribute; fill profile.{column} in Okta and export again.",
)

CONSOLE = Shape(
    name="okta_console",
    idp="okta",
    title="Okta admin console report or rockstar export (CSV)",
    kind="csv",
    signature=("User Id", "Primary email", "Secondary email", "Username"),
    needed=2,
    columns={
        "externalId": ("User Id", "User ID", "Okta ID"),
        "userName": ("Username", "Login"),
        "email": ("Primary email", "Email"),
        "firstName": ("First name",),
        "lastName": ("Last name",),
        "department": ("Department",),
        "phone": ("Primary phone", "Mobile phone"),
        "userType": ("User type",),
        "createdOn": ("Created", "Created Date"),
    },
    attributes={"title": "Title", "displayName": "Display name", 'emails[type eq "other"].value': "Secondary email",
                f"{ENTERPRISE}:employeeNumber": "Employee number", f"{ENTERPRISE}:costCenter": "Cost center",
                f"{ENTERPRISE}:organization": "Organization", f"{ENTERPRISE}:division": "Division",
                f"{_WORK}country": "Country code", f"{_WORK}locality": "City"},
    active=(Active("Status", _ACTIVE, _INACTIVE),),
    groups=Groups(("Groups",), separator=";"),
    others=("Manager", "Last login", "Activated"),
    add="Choose the column {column} before you export.",
)  # fmt: skip

IMPORT_TEMPLATE = Shape(
    name="okta_import_template",
    idp="okta",
    title="Okta, CSV import template",
    kind="csv",
    signature=("login", "secondEmail", "primaryPhone", "honorificPrefix", "countryCode", "zipCode", "managerId"),
    needed=2,
    columns=_columns("") | {"externalId": ("id",)},
    attributes=_profile(""),
    others=("manager", "postalAddress", "userType"),
    add="Add the column {column}, named like the profile attribute.",
)

SHAPES = (USERS_API, CONSOLE, IMPORT_TEMPLATE)
