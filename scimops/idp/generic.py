"""Any other CSV, TSV or workbook: the meaning of its columns is guessed from their names, and shown."""

from __future__ import annotations

import re

from scimops.idp.shape import Active, Groups, IdentityProvider, Shape
from scimops.idp.table import Table

IDP = IdentityProvider(name="generic", title="your directory", sources=())

# For each field the names that mean it, lower case, without spaces and marks; the first that a file has wins.
_NAMES = {
    "externalId": "externalid objectid objectguid workerid employeeid employeenumber personid personnelnumber staffid "
    "personalnummer userid id",
    "userName": "username userprincipalname upn login loginname samaccountname account uid userid benutzername",
    "email": "email emailaddress mail mailaddress workemail emailwork primaryemail businessemail emailadresse",
    "firstName": "firstname givenname forename vorname first prenom ad",
    "lastName": "lastname surname familyname nachname last nom soyad",
    "department": "department departmentname dept abteilung orgunit organizationalunit departement departman team",
    "phone": "phone phonenumber telephone telephonenumber workphone officephone businessphone mobile mobilephone",
    "userType": "usertype employeetype workertype accounttype employmenttype",
    "createdOn": "createdon created createdat createddatetime createddate whencreated",
    "hiredOn": "hiredon hiredate startdate dateofhire joindate joiningdate employeehiredate",
    "leftOn": "lefton leavedate enddate terminationdate dateofleaving employeeleavedatetime",
}
_ACTIVE = "active isactive enabled accountenabled status accountstatus workerstatus userstatus"
_GROUPS = "groups memberof groupnames usergroups"
YES = ("true", "yes", "y", "1", "active", "enabled", "current", "employed", "aktiv", "ja")
NO = (
    "false",
    "no",
    "n",
    "0",
    "inactive",
    "disabled",
    "suspended",
    "terminated",
    "left",
    "resigned",
    "retired",
    "deleted",
    "inaktiv",
    "nein",
)


def _plain(header: str) -> str:
    return re.sub(r"[^0-9a-zà-ÿ]", "", re.sub(r"[\[(].*", "", header).casefold())


def guess(table: Table) -> Shape:
    """The shape `generic` for this table's columns; a column that nobody guesses stays a custom one.

    A file without a userName uses the e-mail address for it, as most identity providers do.
    """
    plain = {_plain(header): header for header in reversed(table.headers)}
    columns: dict[str, tuple[str, ...]] = {}
    for name, words in _NAMES.items():
        found = next((plain[word] for word in words.split() if word in plain), None)
        if found is not None:
            columns[name] = (found,)
    if "userName" not in columns and "email" in columns:
        columns["userName"] = columns["email"]
    active = tuple(Active(plain[word], YES, NO) for word in _ACTIVE.split() if word in plain)[:1]
    groups = tuple(plain[word] for word in _GROUPS.split() if word in plain)[:1]
    return Shape(
        name="generic", idp="generic", title="a table with guessed columns", kind="csv", signature=(), needed=0,
        columns=columns, active=active, groups=Groups(groups, separator=";"),
    )  # fmt: skip
