"""JumpCloud."""

import re
from collections.abc import Sequence

import polars as pl

from scimops.attributes import ENTERPRISE
from scimops.idp.shape import Active, Groups, IdentityProvider, Sent, Shape
from scimops.idp.table import LINE, ROW, Table

# JumpCloud publishes no table of what its custom connector sends; names and e-mail are what any SCIM service needs.
_UNSEEN = "Test with one person whether it arrives."
_SENDS = (
    Sent("externalId", "the JumpCloud user id", None, _UNSEEN),
    Sent("userName", "username"),
    Sent("active", "the state of the user, by itself"),
    Sent('emails[type eq "work"].value', "email"),
    Sent("name.givenName", "firstname"),
    Sent("name.familyName", "lastname"),
    *(Sent(path, name, None, _UNSEEN) for path, name in {
        "displayName": "displayname", "title": "jobTitle", "userType": "employeeType",
        'phoneNumbers[type eq "work"].value': "work_number", 'phoneNumbers[type eq "mobile"].value': "mobile_number",
        'addresses[type eq "work"].country': "work_country", 'addresses[type eq "work"].locality': "work_city",
        'addresses[type eq "work"].region': "work_state",
        f"{ENTERPRISE}:department": "department", f"{ENTERPRISE}:employeeNumber": "employeeIdentifier",
        f"{ENTERPRISE}:costCenter": "costCenter", f"{ENTERPRISE}:organization": "company",
        f"{ENTERPRISE}:manager.value": "manager",
    }.items()),
)  # fmt: skip

IDP = IdentityProvider(
    name="jumpcloud",
    title="JumpCloud",
    sources=(
        "https://docs.jumpcloud.com/api/1.0/index.html#tag/Systemusers",
        "https://github.com/TheJumpCloud/support, PowerShell module (Import-JCUsersFromCSV)",
    ),
    sends=_SENDS,
    open=False,
    typed_in=False,
    how_to_add="JumpCloud documents no way to add attributes to its custom connector; test with one person whether "
    "{attribute} arrives.",
    changing_ids=dict.fromkeys(("Username", "Email"), "Export the user id (_id) too; a username can be changed."),
)  # fmt: skip

_PAIR = re.compile(r"Attribute(\d+)_name")


def _attribute_pairs(table: Table) -> Table:
    """`AttributeN_name` and `AttributeN_value` as one column for each name that occurs: `attributes.NAME`."""
    pairs = [(name, f"Attribute{found[1]}_value") for name in table.headers if (found := _PAIR.fullmatch(name))]
    pairs = [pair for pair in pairs if pair[1] in table.headers]
    if not pairs:
        return table
    names = table.read([name for name, _ in pairs])
    distinct = sorted({value for name, _ in pairs for value in names[name].drop_nulls().unique() if value.strip()})
    made = {f"attributes.{name}": name for name in distinct}
    plain = table.scan

    def scan(headers: Sequence[str]) -> pl.LazyFrame:
        wanted = [name for name in headers if name in made]
        parts = [part for pair in pairs for part in pair] if wanted else []
        frame = plain(list(dict.fromkeys([*(name for name in headers if name not in made), *parts])))
        columns = [
            pl.coalesce([pl.when(pl.col(name) == made[wish]).then(pl.col(value)) for name, value in pairs]).alias(wish)
            for wish in wanted
        ]
        return frame.with_columns(columns).select(ROW, LINE, *headers)

    table.headers = [*(name for name in table.headers if not re.fullmatch(r"Attribute\d+_(name|value)", name)), *made]
    table.scan = scan
    return table


_STATE = (
    Active("suspended", (), ("true",)),
    Active("state", ("activated", "staged"), ("suspended",)),
    Active("account_locked", (), ()),
    Active("activated"),
)

CSV = Shape(
    name="jumpcloud_csv",
    idp="jumpcloud",
    title="JumpCloud, users as CSV (PowerShell module and import template)",
    kind="csv",
    signature=("FirstName", "LastName", "Username", "SystemID", "Administrator", "employeeIdentifier", "managedAppleID",
               "Attribute1_name", "Attribute1_value", "Group1", "work_fax_number", "alternateEmail"),
    needed=3,
    columns={
        "externalId": ("_id", "id"),
        "userName": ("Username",),
        "email": ("Email",),
        "firstName": ("FirstName",),
        "lastName": ("LastName",),
        "department": ("department",),
        "phone": ("work_number", "mobile_number"),
        "userType": ("employeeType",),
        "createdOn": ("created",),
    },
    attributes={"title": "jobTitle", "name.middleName": "MiddleName", "displayName": "preferredName",
                f"{ENTERPRISE}:employeeNumber": "employeeIdentifier", f"{ENTERPRISE}:costCenter": "costCenter",
                f"{ENTERPRISE}:organization": "company", f"{ENTERPRISE}:manager.value": "manager",
                'addresses[type eq "work"].country': "work_country", 'addresses[type eq "work"].locality': "work_city",
                'addresses[type eq "work"].region': "work_state",
                'phoneNumbers[type eq "mobile"].value': "mobile_number"},
    active=_STATE,
    groups=Groups(pattern=r"Group\d+"),
    others=("description", "location", "home_country", "home_number", "work_mobile_number", "Group2", "Group3",
            "home_streetAddress", "work_streetAddress", "work_postalCode"),
    no_attributes=("SystemID", "Administrator"),
    prepare=_attribute_pairs,
    add="Get-JCUser -returnProperties username,email,firstname,lastname,{column} | Export-Csv users.csv",
)  # fmt: skip

SYSTEMUSERS_API = Shape(
    name="jumpcloud_systemusers_api",
    idp="jumpcloud",
    title="JumpCloud API, GET /api/systemusers (JSON)",
    kind="json",
    signature=("employeeIdentifier", "enable_managed_uid", "ldap_binding_user", "externally_managed", "sudo",
               "unix_uid", "passwordless_sudo", "allow_public_key", "samba_service_user", "account_locked"),
    needed=2,
    columns={
        "externalId": ("_id", "id"),
        "userName": ("username",),
        "email": ("email",),
        "firstName": ("firstname",),
        "lastName": ("lastname",),
        "department": ("department",),
        "phone": ('phoneNumbers[type eq "work"].number', 'phoneNumbers[type eq "mobile"].number'),
        "userType": ("employeeType",),
        "createdOn": ("created",),
    },
    attributes={"title": "jobTitle", "name.middleName": "middlename", "displayName": "displayname",
                f"{ENTERPRISE}:employeeNumber": "employeeIdentifier", f"{ENTERPRISE}:costCenter": "costCenter",
                f"{ENTERPRISE}:organization": "company",
                'phoneNumbers[type eq "mobile"].value': 'phoneNumbers[type eq "mobile"].number'},
    active=_STATE,
    wrapper="totalCount",
    others=("_id", "id", "username", "email", "firstname", "lastname", "activated", "suspended", "state", "location",
            "description", "company", "mfa.exclusion", "totp_enabled", "public_key"),
    add="GET /api/systemusers returns every attribute; fill {column} in JumpCloud and export again.",
)  # fmt: skip

SHAPES = (CSV, SYSTEMUSERS_API)
