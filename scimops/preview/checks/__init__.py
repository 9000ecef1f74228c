"""The quality checks of a preview: each is one function that gives a finding or None.

A new check is one function in the module it belongs to, and its code in :data:`scimops.findings.CATALOGUE`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scimops.errors import LEVELS, Finding
from scimops.preview.checks import groups, identity, people, sending, source

if TYPE_CHECKING:
    from scimops.preview import Preview

CHECKS: tuple[Callable[[Preview], Finding | list[Finding] | None], ...] = (
    source.incomplete, source.foreign, source.old, source.unreadable, source.guessed, source.recording,
    source.columns,
    identity.no_username, identity.no_email, identity.bad_email, identity.too_long, identity.email_from_username,
    identity.duplicate_username, identity.duplicate_email, identity.duplicate_external_id, identity.clash_order,
    identity.hidden_active, identity.changing_id, identity.absent_id, identity.differing_username,
    identity.unknown_active,
    people.foreign_domains, people.seats, people.guests, people.no_persons,
    groups.blank, groups.several, groups.near_twins, groups.lonely, groups.spellings, groups.long_names,
    *sending.SENDING, groups.transient, groups.not_there, groups.unknown,
)  # fmt: skip
"""All checks, in the order in which an admin should care within one level."""


def find(preview: Preview) -> list[Finding]:
    """All findings of a preview, errors first."""
    found: list[Finding] = []
    for check in CHECKS:
        result = check(preview)
        found += result if isinstance(result, list) else [result] if result else []
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
