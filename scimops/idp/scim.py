"""SCIM 2.0 itself (RFC 7643, RFC 7644): ListResponse, one User, Bulk, NDJSON."""

from scimops.attributes import ENTERPRISE, PATHS
from scimops.idp.shape import Active, Groups, IdentityProvider, Shape

IDP = IdentityProvider(
    name="scim",
    title="SCIM",
    sources=("https://www.rfc-editor.org/rfc/rfc7643", "https://www.rfc-editor.org/rfc/rfc7644"),
)

RESOURCES = Shape(
    name="scim_users",
    idp="scim",
    title="SCIM 2.0 users: ListResponse, single User, Bulk request, NDJSON",
    kind="json",
    signature=("schemas", "userName", "name.familyName", "name.givenName", "meta.resourceType"),
    needed=2,
    columns={name: paths for name, paths in PATHS.items() if name != "active"} | {"createdOn": ("meta.created",)},
    active=(Active("active"),),
    wrapper="Resources",
    groups=Groups(("groups.display",)),
    others=("id", "displayName", "title", "nickName", "locale", "timezone", "preferredLanguage", "profileUrl",
            "meta.location", "meta.lastModified", "meta.version", f"{ENTERPRISE}:employeeNumber",
            f"{ENTERPRISE}:costCenter", f"{ENTERPRISE}:organization", f"{ENTERPRISE}:division"),
    add="Ask the server for the attribute {column} (RFC 7644 §3.9).",
)  # fmt: skip

SHAPES = (RESOURCES,)
