r"""Synthetic people by seed: any number of them, in any shape that scimops reads.

:func:`write_sample` writes one file, :func:`write_all` the whole of `sample_data/`. The same arguments give the same
bytes on every system and Python; the same people stand in every shape, so files can be compared. Nobody in them
exists: names are invented, addresses are at reserved domains (RFC 2606), numbers at +1-555-01xx.

The first people carry the cases that a grouping tool must survive, one person each, on every fifth record
(`nasty=False` leaves them out):

| case | what it is |
|---|---|
| upper_case, trailing_space | `SALES`, `sales ` with a space: both are the group `Sales` |
| dotless_i, dotless_i_upper | `Satış` and `SATIŞ`: one group, where plain lower-casing makes two |
| sharp_s, sharp_s_upper | `Straßenbau` and `STRASSENBAU`: one group |
| near_twin | `Enginering`: looks like `Engineering` and is another group |
| blank, white_space | no department; three spaces for a department: both are blank |
| comma_and_quotes, apostrophe | `Research, "Labs" & Design`; `Children's Books` |
| markup, formula, html | `Sales [/x]`; `=cmd\|' /C calc'!A0`; `<img onerror=alert(1) src=x>`: data, never more |
| long_name, too_long | a department longer than 64 characters (a group's name), one longer than 256 (the field) |
| duplicate_username, duplicate_username_case | two accounts whose userName differs only in case |
| duplicate_email, duplicate_email_admin | the standard and the administrator account of one person, one e-mail |
| no_email, bad_email, no_username | an empty e-mail; `anna@@example.com`; an empty userName |
| inactive | may not sign in (so is one in twenty of all people) |
| guest | `#EXT#` in the userName, user type Guest, an e-mail of another company |
| room, service_account | a meeting room's mailbox; `svc-backup@example.com`: no people |
| foreign_domain | an employee with an e-mail at `partner.example.net` |
| control_character | a first name that turns a terminal red (ESC); CSV only |
| leading_zeros | the employee number `007` |
| quoted_newline | a street in two lines, where the shape has a street |
| short_row, long_row | a row of four cells; a row of two cells too many; a blank line before each; CSV only |
| alone | the only person in `Falconry` |
| apostrophe_in_address | `sean.o'hara@example.com`: a valid address |

A shape shows only the cases it has a column for: `jumpcloud_csv` does not say who is active, `m365_admin_users` and
`entra_bulk_create` have no e-mail but the userName, `google_workspace_download` and `generic` no userName but the
e-mail. From 10,000 people on there are 300 departments, one in a hundred people has none and three in a hundred
spell theirs in another way, nasty or not.
"""

from __future__ import annotations

from pathlib import Path

from scimops.errors import UsageError, nearest
from scimops.samples.documents import JSON_FORMATS
from scimops.samples.nasty import CASES
from scimops.samples.people import Person, synthetic_people
from scimops.samples.tables import CSV_FORMATS, SAMPLE_PASSWORD
from scimops.touched import note_written

__all__ = ["CASES", "SAMPLE_PASSWORD", "SHAPE_FORMATS", "Person", "synthetic_people", "write_all", "write_sample"]

SHAPE_FORMATS: dict[str, str] = {
    "entra_download_users": "entra/exportUsers.csv",
    "entra_get_mguser": "entra/get-mguser.csv",
    "entra_graph_users": "entra/graph-users.json",
    "entra_bulk_create": "entra/UserCreateTemplate.csv",
    "m365_admin_users": "entra/m365-users.csv",
    "okta_users_api": "okta/users-api.json",
    "okta_console": "okta/users-export.csv",
    "okta_import_template": "okta/import-template.csv",
    "onelogin_csv": "onelogin/users.csv",
    "onelogin_users_api": "onelogin/users-api.ndjson",
    "jumpcloud_csv": "jumpcloud/users.csv",
    "jumpcloud_systemusers_api": "jumpcloud/systemusers-api.json",
    "google_workspace_download": "google_workspace/User_Download.csv",
    "scim_users": "scim/users.json",
    "rehearsal": "scim/rehearsal.ndjson",
    "generic": "generic/hr-list.csv",
}
"""Every shape there are samples of, and the file that :func:`write_all` puts it into."""

EXISTING_GROUPS = """\
id,name,isScimGroup,createdOn
Ev3rY0n3GrP1,Everyone,false,2023-02-06
NewH1r3sGrP2,New Hires,false,2023-02-06
Eng1n33rGrP3,Engineering,true,2024-05-14
Sa13sUppGrP4,SALES,true,2024-05-14
Cust5uppGrP5,Customer Support,true,2024-05-14
F1nanc3sGrP6,Finance,true,2024-05-15
Fac1l1tyGrP7,Facilities,true,2024-09-30
B0ardMemGrP8,Board Members,false,2025-01-20
"""
"""Groups that the platform has already: one in another spelling, some that nobody of the sample belongs in."""

SETTING = """\
# A setting for these samples. See it work:
#   scimops preview sample_data/entra/exportUsers.csv --setting sample_data/setting.yaml
# Version of this document's format.
format: 1
# Name of the setting on the platform, 1 to 30 characters.
name: Acme Entra
# Custom fields: which SCIM attribute goes to which field. E-mail, names, department and phone need no line here.
field_mappings:
  - attribute: 'addresses[type eq "work"].country'
    field: Region
# Which group a person lands in.
group_settings:
  # The group of everyone who has no value for the criterion.
  target_group: Everyone
  # What decides the group: department, or a field named above.
  criterion:
    field: department
  # Values that mean another group.
  aliases:
    R&D: Engineering
    Research: Engineering
# E-mail domains that the platform has authorised; people of other domains are a finding.
allowed_domains:
  - example.com
  - example.org
# Seats of the licence.
seats: 250
# Who will be provisioned at all. No user types: all of them. Write [Member] to leave guests out.
scope:
  user_types: []
"""
"""The setting that goes with the samples."""


def write_sample(path: str | Path, shape: str, people: int = 200, seed: int = 1, nasty: bool = True) -> Path:
    """Write synthetic people to `path` as the identity provider of `shape` writes them; memory stays bounded.

    Args:
        path: the file, written anew; folders on the way are made.
        shape: one of :data:`SHAPE_FORMATS`.
        people: how many data records, those that cannot be read included.
        seed: other seeds give other people.
        nasty: put the cases of the table above on the first people.

    Returns:
        The path of the file.

    Raises:
        UsageError: there are no samples of `shape`, or `people` is negative.
    """
    if shape not in SHAPE_FORMATS:
        advice = f"{nearest(shape, SHAPE_FORMATS)} Known: {', '.join(sorted(SHAPE_FORMATS))}.".strip()
        raise UsageError(f'There are no samples of the shape "{shape}".', advice=advice)
    if people < 0:
        raise UsageError(f"{people} people cannot be written.", advice="Say 0 or more.")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    crowd = synthetic_people(people, seed, nasty)
    with path.open("w", encoding="utf-8", newline="") as out:
        if shape in CSV_FORMATS:
            CSV_FORMATS[shape].write(out, crowd)
        else:
            JSON_FORMATS[shape].write(out, crowd, people)
    note_written(path)
    return path


def write_all(folder: str | Path, people: int = 200, seed: int = 1) -> list[Path]:
    """Write a sample of every shape, one folder for each identity provider, with a setting and existing groups.

    Returns:
        The paths of all files.

    Raises:
        UsageError: `people` is negative.
    """
    folder = Path(folder)
    paths = [write_sample(folder / name, shape, people, seed) for shape, name in SHAPE_FORMATS.items()]
    for name, text in (("existing_groups.csv", EXISTING_GROUPS), ("setting.yaml", SETTING)):
        (folder / name).write_text(text, encoding="utf-8", newline="")
        paths.append(folder / name)
    return paths
