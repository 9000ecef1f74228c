"""The nasty cases: what real exports hold and a grouping tool must survive. Each is carried by one person.

A case is its name and what it changes of a :class:`scimops.samples.people.Person`; the writers add what only a file
can have (rows of another width, blank lines). The table in :mod:`scimops.samples` explains them all.
"""

from __future__ import annotations

from typing import Any

LONG = "Department for the Coordination of International Health, Safety and Environmental Programmes across all Sites"
"""Longer than the 64 characters of a group's name, shorter than the 256 of a department."""

TOO_LONG = "; ".join([LONG, LONG.replace("Safety", "Security"), LONG.replace("Sites", "Subsidiaries")])
"""Longer than the 256 characters that a department may have."""

ESCAPE = "\x1b[31m"
"""A terminal's "write in red": harmless in a file, an attack where a name is printed unescaped."""


def _account(name: str, **changes: Any) -> dict[str, Any]:
    """A fixed user name and, unless said otherwise, the same e-mail address."""
    return {"user_name": name, "email": name, **changes}


def _machine(name: str, shown_as: str, **changes: Any) -> dict[str, Any]:
    return _account(name, first="", last="", shown_as=shown_as, employee_number="", department="", **changes)


CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("upper_case", {"department": "SALES"}),
    ("trailing_space", {"department": "sales "}),
    ("dotless_i", {"department": "Satış"}),
    ("dotless_i_upper", {"department": "SATIŞ"}),
    ("sharp_s", {"department": "Straßenbau"}),
    ("sharp_s_upper", {"department": "STRASSENBAU"}),
    ("near_twin", {"department": "Enginering"}),
    ("blank", {"department": ""}),
    ("white_space", {"department": "   "}),
    ("comma_and_quotes", {"department": 'Research, "Labs" & Design'}),
    ("apostrophe", {"department": "Children's Books"}),
    ("markup", {"department": "Sales [/x]"}),
    ("formula", {"department": "=cmd|' /C calc'!A0"}),
    ("html", {"department": "<img onerror=alert(1) src=x>"}),
    ("long_name", {"department": LONG}),
    ("too_long", {"department": TOO_LONG}),
    ("duplicate_username", _account("mira.karadeniz@example.com")),
    ("duplicate_username_case", _account("Mira.Karadeniz@example.com", email="m.karadeniz@example.com")),
    ("duplicate_email", _account("lena.winterfeld@example.com")),
    ("duplicate_email_admin", _account("adm-lena.winterfeld@example.com", email="lena.winterfeld@example.com")),
    ("no_email", {"email": ""}),
    ("bad_email", _account("anna.kurz@example.com", email="anna@@example.com")),
    ("no_username", {"user_name": ""}),
    ("inactive", {"active": False}),
    ("guest", {
        "first": "Nina", "last": "Berg", "user_type": "Guest", "email": "nina.berg@partner.example.net",
        "user_name": "nina.berg_partner.example.net#EXT#@acme.example", "department": "", "employee_number": "",
    }),
    ("room", _machine("room-lyon-3@example.com", "Room Lyon 3 (12 seats)")),
    ("service_account", _machine("svc-backup@example.com", "svc-backup")),
    ("foreign_domain", {"email": "contractor.17@partner.example.net"}),
    ("control_character", {"first": f"Ro{ESCAPE}bin"}),
    ("leading_zeros", {"employee_number": "007"}),
    ("quoted_newline", {"street_end": "\n2nd floor, rear"}),
    ("short_row", {}),
    ("long_row", {}),
    ("alone", {"department": "Falconry"}),
    ("apostrophe_in_address", _account("sean.o'hara@example.com", first="Seán", last="O'Hara")),
)  # fmt: skip
