"""What an admin is told before a setting is created. Codes and sentences as in the findings of a preview."""

from __future__ import annotations

from scimops.findings import Code

NOTICES: dict[str, Code] = {
    "fixed_at_creation": Code(
        "warning",
        "Field mappings and grouping cannot be changed after the setting is created; only its name can.",
        "Look at the preview once more. A later change means a new setting and a new token in the identity provider.",
        {},
    ),
    "setting_there": Code(
        "info",
        'This document was created on "{connection}" already: setting {id} "{name}".',
        "Nothing is created again. `scimops setting check` compares the two.",
        {"connection": "platform", "id": "abcdefghjkmn", "name": "Staff"},
    ),
    "name_taken": Code(
        "error",
        'The company {company} has a setting named "{name}", which was not made from this document.',
        "Choose another name. If it is yours, `scimops setting check` compares it with the document.",
        {"company": "Acme", "name": "Staff"},
    ),
    "found_again": Code(
        "info",
        'The setting "{name}" is there: it was made when the connection broke before its token arrived.',
        "It is taken as it is, and its token is renewed.",
        {"name": "Staff"},
    ),
    "people_of_another_setting": Code(
        "error",
        "{people:is|are} on the platform by another SCIM setting: {by}. It answers 409 to them.",
        "Take them out of one of the two, or delete the other setting first; `scimops setting check` gives the steps.",
        {"by": "Old Entra (12)"},
    ),
    "people_there": Code(
        "warning",
        "{people:is|are} on the platform already, matched by e-mail address: {by}.",
        "{advice}",
        {"by": "by hand or from a file (40), LDAP Directory (3)", "advice": "Test with one of them first."},
    ),
    "groups_there": Code(
        "info",
        "{groups:group of the preview is|groups of the preview are} on the platform already: {sample}.",
        "People are added to them; nobody is taken out. Trainings that enrol their members automatically reach them.",
        {"groups": 2, "sample": "Sales (by hand, 12 people), Ops (SCIM setting Old, 3 people)"},
    ),
    "field_to_make": Code(
        "info",
        "{fields:custom field|custom fields} will be made: {names}.",
        "They stay when the setting is deleted.",
        {"fields": 1, "names": "Region"},
    ),
    "field_of_another_type": Code(
        "error",
        'The company has a custom field "{name}" of the type {type}; SCIM values are text.',
        "Give the field another name in field_mappings.",
        {"name": "Start date", "type": "Date"},
    ),
    "target_group_to_make": Code(
        "info", 'The target group "{name}" will be made.', "It stays when the setting is deleted.", {"name": "Everyone"}
    ),
    "seats_short": Code(
        "error",
        "{needed:seat is|seats are} needed for people who are new there, {free} are free.",
        "Narrow the scope in the identity provider (assigned people only), or ask for more seats first.",
        {"needed": 120, "free": 40},
    ),
    "undocumented": Code(
        "warning",
        "The platform does not document {what}.",
        "Test with one person before you assign the others: provision on demand, then look at the group.",
        {"what": "whether Sales and SALES become one group"},
    ),
    "no_preview": Code(
        "warning",
        "Without an export nobody knows who will arrive.",
        "Give one with --export FILE and see the four numbers before you create the setting.",
        {},
    ),
}
