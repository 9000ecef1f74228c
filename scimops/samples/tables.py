"""How each identity provider writes people as CSV: its header verbatim, its quotes, line ends and byte order mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TextIO

from scimops.samples.people import Person

SAMPLE_PASSWORD = "not-a-secret-1A!"  # noqa: S105  # no password: it stands where one would
"""What stands in the password columns of upload templates: it must turn up in no output of scimops."""

_SURPLUS = ("surplus", "cells")


@dataclass(frozen=True)
class CsvFormat:
    """One CSV shape: `row` gives a person's cells, `before` stands in front of the header.

    `quotes`: `needed` where a cell needs them, `cells` all but the header, `powershell` all but nulls.
    """

    header: str
    row: Callable[[Person], list[str]]
    quotes: Literal["needed", "cells", "powershell"] = "needed"
    end: str = "\n"
    mark: str = ""
    before: str = ""

    def write(self, out: TextIO, people: Iterable[Person]) -> None:
        """Write the whole file."""
        out.write(f"{self.mark}{self.before}{self.header}{self.end}")
        out.writelines(self._lines(people))

    def _lines(self, people: Iterable[Person]) -> Iterator[str]:
        """Each person's line; two cases are rows of a wrong width with a blank line before them."""
        line = {"needed": _line, "cells": _quoted, "powershell": _quoted_unless_null}[self.quotes]
        for person in people:
            row = self.row(person)
            if person.case in ("short_row", "long_row"):
                yield self.end
                row = row[:4] if person.case == "short_row" else [*row, *_SURPLUS]
            yield line(row) + self.end


def _line(row: list[str]) -> str:
    """Quotes only where RFC 4180 needs them; written by hand because csv.writer takes half of the time of all."""
    line = ",".join(row)
    if '"' not in line and "\n" not in line and line.count(",") == len(row) - 1:
        return line
    return ",".join(_quote(cell) if "," in cell or '"' in cell or "\n" in cell else cell for cell in row)


def _quoted(row: list[str]) -> str:
    return ",".join(map(_quote, row))


def _quoted_unless_null(row: list[str]) -> str:
    return ",".join(_quote(cell) if cell else "" for cell in row)


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _download_users(person: Person) -> list[str]:
    place, guest = person.place, person.user_type == "Guest"
    return [
        person.user_name, person.display, person.last, person.email, person.first, person.object_id, person.user_type,
        person.title, person.department, "True" if person.active else "False", place.code, person.street, place.state,
        place.country, place.city, place.city, person.postal_code, person.phone, person.mobile, "", "", "", "", "Acme",
        "Invitation" if guest else "", "" if guest else "True", "Accepted" if guest else "", "acme.example",
        person.created_us, person.employee_number, person.hired_us,
    ]  # fmt: skip


def _get_mguser(person: Person) -> list[str]:
    place = person.place
    return [
        person.object_id, person.user_name, person.email, person.display, person.first, person.last, person.department,
        person.title, "True" if person.active else "False", person.user_type, person.employee_number, person.mobile,
        place.city, place.city, place.state, place.country, person.postal_code, person.street, place.code,
        place.language, "Acme", person.hired_us, person.created_us,
    ]  # fmt: skip


def _bulk_create(person: Person) -> list[str]:
    place = person.place
    return [
        person.display, person.user_name, SAMPLE_PASSWORD, "No" if person.active else "Yes", person.first, person.last,
        person.title, person.department, place.code, person.street, place.state, place.country, place.city, place.city,
        person.postal_code, person.phone, person.mobile,
    ]  # fmt: skip


def _m365(person: Person) -> list[str]:
    place = person.place
    created = person.created.replace("T", " ")
    return [
        person.display, "True", person.user_name, person.object_id, person.first, person.last, created, "",
        person.title, person.department, "", place.city, place.country, place.city, place.state, place.code,
        "2026-11-24 22:10:05Z", "False" if person.active else "True",
        "Microsoft 365 E3" if person.first else "Unlicensed", "False", created, person.mobile, person.phone,
        person.postal_code, place.language, person.street, "", f"SMTP:{person.email}" if person.email else "",
    ]  # fmt: skip


def okta_status(person: Person) -> str:
    """Okta's life cycle: most people are ACTIVE, the others are on their way in or out."""
    if not person.active:
        return "DEPROVISIONED" if person.draw % 2 else "SUSPENDED"
    return {0: "STAGED", 1: "PASSWORD_EXPIRED", 2: "LOCKED_OUT", 3: "PROVISIONED"}.get(person.draw % 100, "ACTIVE")


def okta_id(person: Person) -> str:
    """An id as Okta gives them to users."""
    return "00u" + f"{person.key:032x}"[-17:]


def _okta_console(person: Person) -> list[str]:
    return [
        okta_id(person), okta_status(person), person.user_name, person.first, person.last, person.email, "",
        person.department, "", person.title, person.employee_number, person.place.city, person.place.code,
        ";".join(person.groups),
    ]  # fmt: skip


def _okta_import(person: Person) -> list[str]:
    place = person.place
    kind = "Employee" if person.user_type == "Member" else "External"
    return [
        person.user_name, person.first, person.last, "", "", "", person.email, person.title, person.display, "", "", "",
        person.mobile, person.phone, person.street, place.city, place.state, person.postal_code, place.code, "",
        place.language, place.language.replace("-", "_"), place.zone, kind, person.employee_number,
        "CC-1", "Acme", "", person.department, "", "",
    ]  # fmt: skip


def _onelogin(person: Person) -> list[str]:
    return [
        person.first, person.last, person.email, person.login, person.phone, "Acme", person.department, "",
        ";".join(person.groups), SAMPLE_PASSWORD, person.title, "1" if person.active else "2", "",
        person.place.country, person.place.city, person.employee_number, "",
    ]  # fmt: skip


def _jumpcloud(person: Person) -> list[str]:
    place = person.place
    groups = [*person.groups, "", "", ""][:3]
    pairs = ["Region", place.country, "Badge", person.employee_number]
    if person.number % 3 == 0:  # which attribute stands in which pair differs from person to person
        pairs = pairs[2:] + pairs[:2]
    kind = "Employee" if person.user_type == "Member" else "External"
    return [
        person.first, person.last, person.login, person.email, SAMPLE_PASSWORD, "", person.shown_as, person.title,
        person.employee_number, "", "", "", person.department, "CC-1", "Acme", kind, "", place.city,
        "", "", "", "", "", "", person.street, "", place.city, place.state, person.postal_code, place.country,
        person.mobile, "", person.phone, "", "", "", "", *groups, *pairs,
    ]  # fmt: skip


def _google(person: Person) -> list[str]:
    kind = "Employee" if person.user_type == "Member" else "External"
    seen = f"{person.created_day.replace('-', '/')} 15:36:14" if person.draw % 20 else "Never logged in"
    return [
        person.first, person.last, person.email, "****", "", f"/{person.place.country}", "",
        "Active" if person.active else "Suspended", seen, "", "", "", "", person.phone, "", person.mobile,
        f"{person.street}, {person.place.city}", "", person.employee_number, kind, person.title, "", person.department,
        "CC-1", "True", "True", "", "", "", "1.12GB", "0.4GB", "0GB", "30GB", "1.52GB", "False", "", "False", "",
    ]  # fmt: skip


def _generic(person: Person) -> list[str]:
    return [
        person.employee_number, person.first, person.last, person.email, person.department,
        "Active" if person.active else "Left", person.created_day,
    ]  # fmt: skip


CSV_FORMATS: dict[str, CsvFormat] = {
    # The columns of 2021 and two that an administrator added under "Edit columns".
    "entra_download_users": CsvFormat(
        "userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,"
        "usageLocation,streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,"
        "alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification,companyName,creationType,"
        "directorySynced,invitationState,identityIssuer,createdDateTime,employeeId,employeeHireDate",
        _download_users,
    ),
    "entra_get_mguser": CsvFormat(
        '"Id","UserPrincipalName","Mail","DisplayName","GivenName","Surname","Department","JobTitle","AccountEnabled",'
        '"UserType","EmployeeId","MobilePhone","OfficeLocation","City","State","Country","PostalCode","StreetAddress",'
        '"UsageLocation","PreferredLanguage","CompanyName","EmployeeHireDate","CreatedDateTime"',
        _get_mguser, quotes="powershell", end="\r\n", mark="\ufeff",
    ),
    "entra_bulk_create": CsvFormat(
        "Name [displayName] Required,User name [userPrincipalName] Required,"
        "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
        "First name [givenName],Last name [surname],Job title [jobTitle],Department [department],"
        "Usage location [usageLocation],Street address [streetAddress],State or province [state],"
        "Country or region [country],Office [physicalDeliveryOfficeName],City [city],ZIP or postal code [postalCode],"
        "Office phone [telephoneNumber],Mobile phone [mobile]",
        _bulk_create, end="\r\n", before="version:v1.0\r\n",
    ),
    "m365_admin_users": CsvFormat(
        "Display name,DirSyncEnabled,User principal name,Object Id,First name,Last name,When created,"
        "Soft deletion time stamp,Title,Department,Preferred data location,City,CountryOrRegion,Office,StateOrProvince,"
        "Usage location,Last dirsync time,Block credential,Licenses,Password never expires,"
        "Last password change time stamp,Mobile Phone,Phone number,Postal code,Preferred language,Street address,Fax,"
        "Proxy addresses",
        _m365, end="\r\n",
    ),
    "okta_console": CsvFormat(
        "User Id,Status,Username,First name,Last name,Primary email,Secondary email,Department,Manager,Title,"
        "Employee number,City,Country code,Groups",
        _okta_console, quotes="cells",
    ),
    "okta_import_template": CsvFormat(
        "login,firstName,lastName,middleName,honorificPrefix,honorificSuffix,email,title,displayName,nickName,"
        "profileUrl,secondEmail,mobilePhone,primaryPhone,streetAddress,city,state,zipCode,countryCode,postalAddress,"
        "preferredLanguage,locale,timezone,userType,employeeNumber,costCenter,organization,division,department,"
        "managerId,manager",
        _okta_import, end="\r\n",
    ),
    "onelogin_csv": CsvFormat(
        "firstname,lastname,email,username,phone,company,department,group,role,password,title,status,delete,"
        "custom_attribute_1,custom_attribute_2,custom_attribute_3,custom_attribute_4",
        _onelogin,
    ),
    # The upload template quotes its header and not its cells; no column says who is active.
    "jumpcloud_csv": CsvFormat(
        '"FirstName","LastName","Username","Email","Password","MiddleName","preferredName","jobTitle",'
        '"employeeIdentifier","alternateEmail","manager","managedAppleID","department","costCenter","company",'
        '"employeeType","description","location","home_streetAddress","home_poBox","home_city","home_state",'
        '"home_postalCode","home_country","work_streetAddress","work_poBox","work_city","work_state",'
        '"work_postalCode","work_country","mobile_number","home_number","work_number","work_mobile_number",'
        '"work_fax_number","SystemID","Administrator","Group1","Group2","Group3","Attribute1_name",'
        '"Attribute1_value","Attribute2_name","Attribute2_value"',
        _jumpcloud,
    ),
    "google_workspace_download": CsvFormat(
        "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
        "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
        "Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,"
        "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,Home Address,"
        "Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center,2sv Enrolled [READ ONLY],"
        "2sv Enforced [READ ONLY],Building ID,Floor Name,Floor Section,Email Usage [READ ONLY],"
        "Drive Usage [READ ONLY],Photos Usage [READ ONLY],Storage limit [READ ONLY],Storage Used [READ ONLY],"
        "Change Password at Next Sign-In,New Status [UPLOAD ONLY],Advanced Protection Program enrollment,"
        "Gemini Limit Status [READ ONLY]",
        _google,
    ),
    "generic": CsvFormat("Employee ID,First name,Last name,E-mail,Department,Status,Hire date", _generic),
}  # fmt: skip
