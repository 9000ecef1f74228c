"""OneLogin."""

from scimops.attributes import ENTERPRISE
from scimops.idp.shape import Active, Groups, IdentityProvider, Sent, Shape

# The SCIM JSON template decides what is sent; the macros are those of published templates for this connector. No macro
# for an id that never changes is verified, and a wrong one would be sent as text, the same for everybody.
_SENDS = (
    Sent("externalId", "", None, "Left out: no macro for an id that never changes is verified. People are matched by "
         "userName, then by e-mail."),
    Sent("userName", "{$parameters.scimusername}", True, "Parameter SCIM Username, set to Email."),
    Sent("active", "{$user.active}"),
    Sent('emails[type eq "work"].value', "{$user.email}"),
    Sent("displayName", "{$user.display_name}"),
    Sent("name.givenName", "{$user.firstname}"),
    Sent("name.familyName", "{$user.lastname}"),
    Sent('phoneNumbers[type eq "work"].value', "{$user.phone}"),
    Sent('addresses[type eq "work"].locality', "{$user.city}"),
    Sent('addresses[type eq "work"].region', "{$user.state}"),
    Sent('addresses[type eq "work"].country', "{$user.country}"),
    Sent(f"{ENTERPRISE}:manager.value", "{$parameters.external_manager_id}", False),
)  # fmt: skip

IDP = IdentityProvider(
    name="onelogin",
    title="OneLogin",
    sources=(
        "https://developers.onelogin.com/api-docs/2/users/user-resource",
        "https://developers.onelogin.com/api-docs/1/getting-started/using-query-parameters",
        "https://github.com/onelogin/onelogin-migration-wizard (the upload template)",
    ),
    sends=_SENDS,
    typed_in=False,
    source="{{$parameters.{name}}}",
    how_to_add="In OneLogin open Parameters, add {name} with Include in User Provisioning, and name it in the SCIM "
    "JSON template as {source}.",
    changing_ids=dict.fromkeys(
        ("username", "email", "samaccountname"), "In OneLogin send the user id as externalId, not a name that changes."
    ),
)

# https://developers.onelogin.com/api-docs/2/users/user-resource: 0 unactivated, 1 active, 2 suspended, 3 locked,
# 4 password expired, 5 awaiting password reset, 7 password pending, 8 security questions required
_STATUS = Active(
    "status",
    ("1", "3", "4", "5", "7", "8", "active", "locked", "password expired", "awaiting password reset"),
    ("0", "2", "unactivated", "suspended", "inactive", "disabled"),
)

BULK_TEMPLATE = Shape(
    name="onelogin_csv",
    idp="onelogin",
    title="OneLogin, users as CSV (bulk template and export)",
    kind="csv",
    signature=("firstname", "lastname", "custom_attribute_1", "delete", "role", "openid_name", "distinguished_name",
               "samaccountname", "directory_id", "member_of"),
    needed=2,
    columns={
        "externalId": ("id", "external_id"),
        "userName": ("username",),
        "email": ("email",),
        "firstName": ("firstname",),
        "lastName": ("lastname",),
        "department": ("department",),
        "phone": ("phone",),
        "createdOn": ("created_at",),
    },
    attributes={"title": "title"},
    active=(_STATUS,),
    groups=Groups(("role", "roles"), separator=";"),
    coalesce={"userName": "email"},
    others=("company", "group", "status", "custom_attribute_2", "custom_attribute_3", "custom_attribute_4"),
    add="Add the column {column} to the upload file, or a custom field of that name.",
)  # fmt: skip

USERS_API = Shape(
    name="onelogin_users_api",
    idp="onelogin",
    title="OneLogin API, GET /api/2/users (JSON or NDJSON)",
    kind="json",
    signature=("firstname", "lastname", "invited_at", "invitation_sent_at", "invalid_login_attempts", "samaccountname",
               "state", "activated_at", "locked_until", "password_changed_at"),
    needed=3,
    columns=dict(BULK_TEMPLATE.columns) | {"externalId": ("id",)},
    attributes={"title": "title", "preferredLanguage": "preferred_locale_code"},
    active=(_STATUS,),
    groups=Groups(("member_of",), separator=";"),
    coalesce={"userName": "email"},
    others=("id", "email", "username", "updated_at", "created_at", "last_login", "directory_id", "group_id",
            "distinguished_name", "external_id", "company", "department", "title", "phone", "status"),
    add="Ask for it by name: GET /api/2/users?fields=id,username,email,firstname,lastname,status,{column}",
)  # fmt: skip

SHAPES = (BULK_TEMPLATE, USERS_API)
