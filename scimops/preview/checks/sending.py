"""Checks of what the identity provider sends: what its mapping leaves out, and what it never sends.

Each may be asked about another identity provider than the one that wrote the export.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scimops.errors import Finding, finding
from scimops.idp import IDPS, IdentityProvider
from scimops.idp.sends import Need, needs_of
from scimops.preview.checks.common import listed
from scimops.preview.checks.groups import rows_in, ways_of

if TYPE_CHECKING:
    from scimops.preview import Preview


def _asked(preview: Preview, idp: IdentityProvider | None) -> IdentityProvider:
    return idp or IDPS[preview.export.idp]


def _criterion(preview: Preview, idp: IdentityProvider) -> Need | None:
    return next((need for need in needs_of(idp, preview.setting) if need.criterion), None)


def without_attribute(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """The group depends on a column of the export that no SCIM attribute is named for."""
    asked = _asked(preview, idp)
    need = _criterion(preview, asked)
    if need is None or need.attribute is not None or not asked.sends:
        return None
    return finding("criterion_without_attribute", idp=asked.title, field=need.field)


def not_sent(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """The identity provider leaves the criterion out of its default attribute mapping."""
    asked = _asked(preview, idp)
    need = _criterion(preview, asked)
    if need is None or need.attribute is None or need.by_default is not False:
        return None
    return finding("criterion_not_sent_by_default", idp=asked.title, field=need.field, advice=need.advice)


def mapped_not_sent(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """Mapped fields, other than the criterion, that the identity provider sends only after they are added."""
    asked = _asked(preview, idp)
    mapped = {mapping.field for mapping in preview.setting.field_mappings}
    needs = [need for need in needs_of(asked, preview.setting) if need.field in mapped and not need.criterion]
    fields = [need.field for need in needs if need.by_default is False]
    return finding("fields_not_sent_by_default", idp=asked.title, fields=listed(fields)) if fields else None


def not_verified(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """The criterion and mapped fields of which nobody has verified that the identity provider sends them."""
    asked = _asked(preview, idp)
    mapped = {mapping.field for mapping in preview.setting.field_mappings}
    needs = [need for need in needs_of(asked, preview.setting) if need.criterion or need.field in mapped]
    needs = [need for need in needs if need.attribute and need.by_default is None]
    if not needs or not asked.sends:
        return None
    first = next((need for need in needs if need.criterion), needs[0])
    fields = listed([need.field for need in needs])
    return finding("sending_not_verified", idp=asked.title, fields=fields, advice=first.advice)


def stale(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """Cleared values are not sent."""
    asked = _asked(preview, idp)
    if preview.channel != "idp" or asked.sends_cleared_values or not preview.setting.grouping_field:
        return None
    return finding("stale_at_service_provider", idp=asked.title, field=preview.setting.grouping_field)


def case_only(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """Corrections of upper and lower case are not sent."""
    asked = _asked(preview, idp)
    if preview.channel != "idp" or asked.sends_case_changes:
        return None
    groups = [(group, ways_of(group)) for group in preview.groups]
    folded = [group for group, ways in groups if len({text.casefold() for text in ways}) < len(ways)]
    return finding("case_only_change", **rows_in(preview, folded), idp=asked.title) if folded else None


def nested(preview: Preview, idp: IdentityProvider | None = None) -> Finding | None:
    """Groups within groups are not read."""
    asked = _asked(preview, idp)
    if not preview.setting.by_idp_groups or asked.reads_nested_groups:
        return None
    return finding("nested_groups", idp=asked.title)


SENDING = (without_attribute, not_sent, mapped_not_sent, not_verified, stale, case_only, nested)
"""All checks of this module."""
