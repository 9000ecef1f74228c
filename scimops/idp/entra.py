"""Microsoft Entra ID (Azure AD) and the Microsoft 365 admin centre."""

from scimops.attributes import ENTERPRISE
from scimops.idp.shape import Active, IdentityProvider, Sent, Shape

# Microsoft's example mapping (use-scim-to-provision-users-and-groups); its history calls it the default one. Which rows
# a new application has preset is not verified, so a guide tells to look.
_SENDS = (
    Sent("externalId", "objectId", False, "mailNickname changes when a person is renamed.", "mailNickname"),
    Sent("userName", "userPrincipalName"),
    Sent("active", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'),
    Sent(
        'emails[type eq "work"].value', "mail", True, "Required. Who has no mail: Coalesce([mail],[userPrincipalName])"
    ),
    Sent("displayName", "displayName"),
    Sent("name.givenName", "givenName"),
    Sent("name.familyName", "surname"),
    Sent("title", "jobTitle"),
    Sent(f"{ENTERPRISE}:department", "department"),
    Sent(f"{ENTERPRISE}:employeeNumber", "employeeId"),
    Sent(f"{ENTERPRISE}:manager", "manager"),
    Sent('phoneNumbers[type eq "work"].value', "telephoneNumber"),
    Sent('phoneNumbers[type eq "mobile"].value', "mobile"),
    Sent('addresses[type eq "work"].streetAddress', "streetAddress"),
    Sent('addresses[type eq "work"].postalCode', "postalCode"),
    Sent('addresses[type eq "work"].locality', "city", False),
    Sent('addresses[type eq "work"].region', "state", False),
    Sent('addresses[type eq "work"].country', "country", False),
    Sent("timezone", "usageLocation", False),
    Sent("preferredLanguage", "preferredLanguage", False),
    Sent("userType", "userType", False),
)

IDP = IdentityProvider(
    name="entra",
    title="Entra ID",
    sources=(
        "https://learn.microsoft.com/entra/identity/users/users-bulk-download",
        "https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups",
        "https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes",
    ),
    changing_ids=dict.fromkeys(
        ("mailNickname", "MailNickname", "userPrincipalName", "UserPrincipalName", "mail", "Mail"),
        "In Entra ID map objectId to externalId; the default mailNickname changes when a person is renamed.",
    ),
    sends=_SENDS,
    how_to_add="In Entra ID open Attribute mapping, choose Add New Mapping from {source} to {attribute}. If the target "
    "is not in the list: Show advanced options > Edit attribute list, Name {attribute}, Type String.",
    sends_cleared_values=False,
    sends_case_changes=False,
    reads_nested_groups=False,
)

_EXPORT = (
    "Get-MgUser -All -Property Id,UserPrincipalName,Mail,GivenName,Surname,AccountEnabled,UserType,{column} | "
    "Select-Object Id,UserPrincipalName,Mail,GivenName,Surname,AccountEnabled,UserType,{column} | "
    "Export-Csv users.csv -NoTypeInformation -Encoding utf8"
)
_YES_NO = (("true", "yes"), ("false", "no"))
_WORK = 'addresses[type eq "work"].'


def _attributes(
    country: str, city: str, state: str, street: str, zip_code: str, title: str, **more: str
) -> dict[str, str]:
    """Where Entra's example mapping sends these columns (use-scim-to-provision-users-and-groups)."""
    return {
        f"{_WORK}country": country, f"{_WORK}locality": city, f"{_WORK}region": state,
        f"{_WORK}streetAddress": street, f"{_WORK}postalCode": zip_code, "title": title, **more,
    }  # fmt: skip


DOWNLOAD_USERS = Shape(
    name="entra_download_users",
    idp="entra",
    title='Entra admin centre, "Download users" (2020 to 2026)',
    kind="csv",
    signature=("userPrincipalName", "accountEnabled", "creationType", "directorySynced", "invitationState",
               "identityIssuer", "alternateEmailAddress", "isUser", "dirSyncEnabled", "isHybrid"),
    needed=1,
    columns={
        "externalId": ("objectId", "id"),
        "userName": ("userPrincipalName",),
        "email": ("mail",),
        "firstName": ("givenName",),
        "lastName": ("surname",),
        "department": ("department",),
        "phone": ("telephoneNumber", "businessPhones"),
        "userType": ("userType",),
        "createdOn": ("createdDateTime",),
        "hiredOn": ("employeeHireDate",),
        "leftOn": ("employeeLeaveDateTime",),
    },
    attributes=_attributes("country", "city", "state", "streetAddress", "postalCode", "jobTitle",
        displayName="displayName", preferredLanguage="preferredLanguage", timezone="usageLocation",
        **{'phoneNumbers[type eq "mobile"].value': "mobilePhone", f"{ENTERPRISE}:employeeNumber": "employeeId"}),
    active=(Active("accountEnabled", *_YES_NO),),
    coalesce={"email": "userName"},
    us_dates=True,
    others=("physicalDeliveryOfficeName", "officeLocation", "mobile", "ageGroup", "consentProvidedForMinor",
            "legalAgeGroupClassification", "companyName", "mailNickname", "proxyAddresses"),
    add="The Entra admin centre downloads a fixed set of columns; export this one with: " + _EXPORT,
)  # fmt: skip

_PASCAL = {
    "externalId": ("Id", "ObjectId", "ExternalDirectoryObjectId"),
    "userName": ("UserPrincipalName",),
    "email": ("Mail",),
    "firstName": ("GivenName",),
    "lastName": ("Surname",),
    "department": ("Department",),
    "phone": ("TelephoneNumber",),  # Export-Csv writes a list such as BusinessPhones as "System.String[]"
    "userType": ("UserType",),
    "createdOn": ("CreatedDateTime",),
    "hiredOn": ("EmployeeHireDate",),
    "leftOn": ("EmployeeLeaveDateTime",),
}

GET_MGUSER = Shape(
    name="entra_get_mguser",
    idp="entra",
    title="Microsoft Graph PowerShell, Get-MgUser | Export-Csv",
    kind="csv",
    signature=("UserPrincipalName", "AccountEnabled", "GivenName", "Surname", "MailNickname", "UsageLocation",
               "OnPremisesSyncEnabled", "AdditionalProperties", "BusinessPhones"),
    needed=2,
    columns=_PASCAL,
    attributes=_attributes("Country", "City", "State", "StreetAddress", "PostalCode", "JobTitle",
        displayName="DisplayName", preferredLanguage="PreferredLanguage", timezone="UsageLocation",
        **{'phoneNumbers[type eq "mobile"].value': "MobilePhone", f"{ENTERPRISE}:employeeNumber": "EmployeeId"}),
    active=(Active("AccountEnabled", *_YES_NO),),
    coalesce={"email": "userName"},
    others=("CompanyName", "EmployeeType", "OfficeLocation", "ProxyAddresses", "AssignedLicenses", "Manager"),
    add=_EXPORT,
)  # fmt: skip

GRAPH_USERS = Shape(
    name="entra_graph_users",
    idp="entra",
    title="Microsoft Graph, GET /users (JSON)",
    kind="json",
    signature=("userPrincipalName", "businessPhones", "mailNickname", "accountEnabled", "onPremisesSyncEnabled"),
    needed=1,
    columns=dict(DOWNLOAD_USERS.columns) | {"externalId": ("id",), "phone": ("businessPhones",)},
    attributes=DOWNLOAD_USERS.attributes,
    active=DOWNLOAD_USERS.active,
    coalesce={"email": "userName"},
    wrapper="@odata.context",
    others=("displayName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "id"),
    add="GET https://graph.microsoft.com/v1.0/users?$top=999&$select=id,userPrincipalName,mail,givenName,surname,"
        "accountEnabled,userType,{column}",
)  # fmt: skip

BULK_CREATE = Shape(
    name="entra_bulk_create",
    idp="entra",
    title="Entra admin centre, bulk-create template",
    kind="csv",
    signature=("User name [userPrincipalName] Required", "Name [displayName] Required",
               "Initial password [passwordProfile] Required", "Block sign in (Yes/No) [accountEnabled] Required"),
    needed=1,
    columns={
        "userName": ("User name [userPrincipalName] Required",),
        "firstName": ("First name [givenName]",),
        "lastName": ("Last name [surname]",),
        "department": ("Department [department]",),
        "phone": ("Office phone [telephoneNumber]",),
    },
    attributes=_attributes("Country or region [country]", "City [city]", "State or province [state]",
        "Street address [streetAddress]", "ZIP or postal code [postalCode]", "Job title [jobTitle]",
        displayName="Name [displayName] Required", timezone="Usage location [usageLocation]"),
    active=(Active("Block sign in (Yes/No) [accountEnabled] Required", ("no", "false"), ("yes", "true")),),
    coalesce={"email": "userName"},
    others=("Office [physicalDeliveryOfficeName]", "Mobile phone [mobile]"),
    add='This template has no more columns; use "Download users" instead.',
)  # fmt: skip

M365 = Shape(
    name="m365_admin_users",
    idp="entra",
    title="Microsoft 365 admin centre, Export users",
    kind="csv",
    signature=("User principal name", "Block credential", "DirSyncEnabled", "Soft deletion time stamp", "Licenses",
               "Preferred data location", "CountryOrRegion", "Last dirsync time"),
    needed=2,
    columns={
        "externalId": ("Object Id", "Object ID"),
        "userName": ("User principal name",),
        "email": ("Primary email", "Email"),
        "firstName": ("First name",),
        "lastName": ("Last name",),
        "department": ("Department",),
        "phone": ("Phone number", "Mobile Phone"),
        "createdOn": ("When created",),
    },
    attributes=_attributes("CountryOrRegion", "City", "StateOrProvince", "Street address", "Postal code", "Title",
        displayName="Display name", preferredLanguage="Preferred language", timezone="Usage location"),
    active=(Active("Block credential", ("false",), ("true",)),),
    coalesce={"email": "userName"},
    others=("Office", "Password never expires", "Last password change time stamp", "Fax", "Proxy addresses"),
    add="In the Microsoft 365 admin centre choose Users > Active users > Export users; it has no column {column}: "
        "use the Entra admin centre's Download users instead.",
)  # fmt: skip

SHAPES = (DOWNLOAD_USERS, GET_MGUSER, GRAPH_USERS, BULK_CREATE, M365)
