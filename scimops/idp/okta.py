"""Okta Workforce Identity."""

from scimops.attributes import ENTERPRISE, AttributePath
from scimops.idp.shape import Active, Groups, IdentityProvider, Sent, Shape


def external_name(path: AttributePath) -> str:
    """An attribute as "External name" in the Profile Editor: `addresses.^[type=='work'].country`."""
    if path.name.lower() == "emails" and path.of.lower() == "work":
        return "emails.^[primary==true].value"  # as the profile of the catalogue's application has it
    test = f".^[{path.by}=='{path.of}']" if path.by else ""
    return f"{path.name}{test}{path.sub and f'.{path.sub}'}"


_UNSEEN = "Look in the Profile Editor whether the application has it; add it if not."
# What Okta's own test requests carry (its SCIM CRUD tests) is sent; whether the profile of the catalogue's application
# has the others is not verified.
_SENDS = (
    Sent("externalId", "the Okta user id, by itself"),
    Sent("userName", "Application username format (Sign On tab)"),
    Sent("active", "the status of the assignment, by itself"),
    Sent('emails[type eq "work"].value', "user.email"),
    Sent("displayName", "user.displayName"),
    Sent("locale", "user.locale"),
    Sent("name.givenName", "user.firstName"),
    Sent("name.familyName", "user.lastName"),
    Sent('phoneNumbers[type eq "work"].value', "user.primaryPhone", None, _UNSEEN),
    *(Sent(path, f"user.{name}", None, _UNSEEN) for path, name in {
        "title": "title", "nickName": "nickName", "profileUrl": "profileUrl", "timezone": "timezone",
        "preferredLanguage": "preferredLanguage", "userType": "userType",
        'phoneNumbers[type eq "mobile"].value': "mobilePhone",
        'addresses[type eq "work"].streetAddress': "streetAddress", 'addresses[type eq "work"].locality': "city",
        'addresses[type eq "work"].region': "state", 'addresses[type eq "work"].postalCode': "zipCode",
        'addresses[type eq "work"].country': "countryCode",
        f"{ENTERPRISE}:department": "department", f"{ENTERPRISE}:employeeNumber": "employeeNumber",
        f"{ENTERPRISE}:costCenter": "costCenter", f"{ENTERPRISE}:organization": "organization",
        f"{ENTERPRISE}:division": "division", f"{ENTERPRISE}:manager.value": "managerId",
    }.items()),
)  # fmt: skip

IDP = IdentityProvider(
    name="okta",
    title="Okta",
    sources=(
        "https://help.okta.com/en-us/content/topics/users-groups-profiles/usgp-import-users-csv.htm",
        "https://developer.okta.com/docs/reference/api/users/",
        "https://developer.okta.com/docs/guides/scim-provisioning-integration-connect/",
    ),
    sends=_SENDS,
    source="user.{name}",
    target=external_name,
    how_to_add="In Okta choose Provisioning > To App > Go to Profile Editor. If the attribute is not there: Add "
    "Attribute, external name {target}, external namespace {namespace}, then map it from {source}.",
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
