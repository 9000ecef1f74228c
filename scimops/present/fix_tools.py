"""What each identity provider's own tool can show of a correction before it is made.

Facts, read 2026-11: Update-MgUser has -WhatIf (Microsoft Graph PowerShell, module microsoft.graph.users);
Set-JCUser has none (JumpCloud PowerShell module, its source); `gam csvtest` builds the commands, shows the first ten
and runs none (GAM7, its source), and `organization` is always written whole (GAM wiki, Users); the APIs of Okta and
OneLogin document no preview of an update.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ENTRA = {
    "department": "Department", "jobtitle": "JobTitle", "title": "JobTitle", "companyname": "CompanyName",
    "officelocation": "OfficeLocation", "physicaldeliveryofficename": "OfficeLocation", "office": "OfficeLocation",
    "city": "City", "country": "Country", "countryorregion": "Country", "state": "State", "postalcode": "PostalCode",
    "employeetype": "EmployeeType", "employeeid": "EmployeeId", "usagelocation": "UsageLocation",
    "streetaddress": "StreetAddress",
}  # fmt: skip
"""Parameters of Update-MgUser by the column's letters; for other columns it has none of its own."""

_ROWS = "Import-Csv fix.csv | Where-Object { $_.proposed_value } | ForEach-Object"


def tool_lines(idp: str, column: str, key: str) -> list[str]:
    """The lines that try corrections of `column` out with the tool of `idp`; people are found by `key` of fix.csv.

    A tool that cannot show what it would change is said to be so, with a line that only reads.
    """
    return _TOOLS.get(idp, _unknown)(_attribute(column), key)


def _attribute(column: str) -> str:
    """The attribute's own name in a header such as `profile.department` or `Department [department]`."""
    bracketed = re.search(r"\[([^\]]+)\]", column)
    return bracketed.group(1) if bracketed else re.split(r"[.:]", column)[-1]


def _letters(attribute: str) -> str:
    return re.sub(r"[^a-z]", "", attribute.lower())


def _shown(attribute: str, parent: str) -> str:
    """PowerShell that shows an attribute inside a string; all of its parent where its name is no plain word."""
    plain = re.fullmatch(r"[A-Za-z]\w*", attribute)
    return f"$({parent}.{attribute[:1].lower()}{attribute[1:]})" if plain else f"$({parent})"


def _entra(attribute: str, key: str) -> list[str]:
    parameter = _ENTRA.get(_letters(attribute))
    if parameter is None:
        return [f"Update-MgUser has no parameter for {attribute}: correct these rows in the Entra admin centre."]
    return [
        "PowerShell, after Connect-MgGraph. -WhatIf shows each change and makes none; without it the changes are made:",
        "",
        f"    {_ROWS} {{ Update-MgUser -UserId $_.{key} -{parameter} $_.proposed_value -WhatIf }}",
        "",
        "People who are synchronised from a local Active Directory are corrected there, not in Entra ID.",
    ]


def _no_preview(title: str) -> list[str]:
    return [
        f"{title}'s API has no preview of an update: it cannot show what it would change. This line only reads, so",
        f"that you see what {title} holds now (PowerShell; a token that may only read is enough):",
        "",
    ]


def _in_url(key: str) -> str:
    return f"$([uri]::EscapeDataString($_.{key}))"


def _okta(attribute: str, key: str) -> list[str]:
    return [
        *_no_preview("Okta"),
        f'    {_ROWS} {{ Invoke-RestMethod "https://YOUR-ORG.okta.com/api/v1/users/{_in_url(key)}" '
        '-Headers @{ Authorization = "SSWS $env:OKTA_TOKEN" } } | '
        f'ForEach-Object {{ "$($_.id) {_shown(attribute, "$_.profile")}" }}',
    ]


def _onelogin(attribute: str, key: str) -> list[str]:
    if key != "object_id":
        return ["OneLogin's API has no preview of an update, and finds people by an id that this export lacks.",
                "Export the users with their id, or correct these rows in the OneLogin administration."]  # fmt: skip
    return [
        *_no_preview("OneLogin"),
        f'    {_ROWS} {{ Invoke-RestMethod "https://YOUR-COMPANY.onelogin.com/api/2/users/{_in_url(key)}" '
        '-Headers @{ Authorization = "bearer:$env:ONELOGIN_TOKEN" } } | '
        f'ForEach-Object {{ "$($_.id) {_shown(attribute, "$_")}" }}',
    ]


def _jumpcloud(attribute: str, _key: str) -> list[str]:
    shown = f", {attribute}" if re.fullmatch(r"[A-Za-z]\w*", attribute) else ""
    return [
        "Set-JCUser of the JumpCloud PowerShell module knows no -WhatIf: it cannot show what it would change, and",
        "heeds no $WhatIfPreference. This line only reads, so that you see what JumpCloud holds now:",
        "",
        f"    {_ROWS} {{ Get-JCUser -username $_.userName }} | Select-Object _id, username{shown}",
    ]


def _google(attribute: str, key: str) -> list[str]:
    if _letters(attribute) != "department":
        return [f"No tool is known here that shows a change of {attribute}: correct it in the Google Admin console."]
    return [
        "GAM7. csvtest builds the commands, shows the first ten and runs none; csv instead of it makes the changes:",
        "",
        '    gam csvtest fix.csv skipfield proposed_value "^$" gam update user '
        f'"~{key}" organization department "~proposed_value" primary',
        "",
        "GAM writes the whole organization of a person: name their title and cost center too, or they are lost.",
    ]


def _unknown(attribute: str, key: str) -> list[str]:
    return [
        f"No tool of this source is known here. Correct {attribute} where people are kept; {key} says who is meant."
    ]


_TOOLS: dict[str, Callable[[str, str], list[str]]] = {
    "entra": _entra,
    "okta": _okta,
    "onelogin": _onelogin,
    "jumpcloud": _jumpcloud,
    "google_workspace": _google,
}
