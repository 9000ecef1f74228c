"""What the panels of create_setting show, as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scimops.present.words import many
from scimops.widgets.controls.listing import table
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.numbers import finding_box, numbers

if TYPE_CHECKING:
    from scimops.create_setting.look import Look
    from scimops.create_setting.record import Created
    from scimops.preview import Preview
    from scimops.widgets.controls.walk import Offer

FIRST = 8
"""Attributes and groups that are shown before the rest unfolds."""


def offers_view(offers: Sequence[Offer]) -> Markup:
    """The attributes that can be mapped, beside what the export has for them; each with a field to fill in."""
    if not offers:
        return tag("p", "Choose a platform above: its list of SCIM attributes is shown here.", class_="scimops-empty")
    full = [one for one in offers if one.field is not None or one.filled]
    first = full or offers[:FIRST]
    rest = [one for one in offers if one not in first]
    more = (
        tag(
            "details",
            tag("summary", f"{many(len(rest), 'more attribute')} that the export has no values for"),
            _offers("Other attributes", rest),
        )
        if rest
        else None
    )
    return join(_offers("Attributes that can be mapped", first), more)


def _offers(caption: str, offers: Sequence[Offer]) -> Markup:
    rows = [(tag("code", one.attribute), _in_export(one), _field_form(one)) for one in offers]
    columns = ("SCIM attribute", "in the export", "goes to the custom field")
    return table(caption, columns, rows)


def _in_export(offer: Offer) -> Markup:
    """The column, how full it is, and some of its values."""
    if offer.column is None:
        return tag("span", "no column", class_="scimops-what")
    values = tag("div", ", ".join(offer.samples), class_="scimops-what")
    return join(tag("b", offer.column), f", {offer.filled} % filled", values)


def _field_form(offer: Offer) -> Markup:
    label = f"Custom field for {offer.attribute}"
    return tag(
        "form",
        tag("input", type="hidden", name="attribute", value=offer.attribute),
        tag("input", name="field", value=offer.field or "", placeholder="not mapped", maxlength=64, aria_label=label,
            data_focus=offer.attribute),
        tag("button", "Change" if offer.field else "Map", type="submit"),
        tag("button", "Remove", type="button", data_action="unmap", value=offer.attribute) if offer.field else None,
        data_action="map", class_="scimops-map",
    )  # fmt: skip


def small_preview(preview: Preview | None) -> Markup:
    """The four numbers and the largest groups."""
    if preview is None:
        return tag("p", "Read an export above to see who would land where.", class_="scimops-empty")
    rows = [
        (group.name, group.members, {True: "there already", False: "new", None: "not known"}[group.exists])
        for group in preview.groups[:FIRST]
    ]  # fmt: skip
    more = len(preview.groups) - len(rows)
    note = tag("p", f"and {many(more, 'more group')}", class_="scimops-what") if more > 0 else None
    listed = table("Groups", ("group", "people", "on the platform"), rows, numeric=(1,)) if rows else None
    return join(numbers(preview), listed, note)


def look_view(look: Look) -> Markup:
    """What is to be known before the setting is created."""
    head = tag("p", "For the company ", tag("b", look.company), ":")
    boxes = [tag("li", finding_box(one, "scimops-finding")) for one in look.findings]
    return join(head, tag("ul", boxes, class_="scimops-findings"))


def created_view(created: Created | None) -> Markup:
    """What was created, and where the identity provider sends people."""
    if created is None or created.setting_id is None:
        return Markup()
    url = created.url or "the URL that the platform's page of SCIM settings shows"
    return tag(
        "p", tag("span", "✓ ", class_="scimops-ok"), "The setting ", tag("b", created.name), " of ",
        created.company_name, " is there. The identity provider sends people to ", tag("code", url), ".",
    )  # fmt: skip


def lost_view(created: Created | None, *, held: bool) -> Markup:
    """A token that was never copied and that nobody holds: it can only be renewed."""
    if created is None or created.setting_id is None or held or created.token != "not taken":  # noqa: S105  # a state
        return Markup()
    renew = tag("button", "Renew the token", type="button", class_="scimops-link", data_action="renew", value="yes")
    return tag(
        "div",
        tag("p", tag("span", "▲", class_="scimops-sign", aria_hidden="true"),
            "The token was never copied, and nobody can read it any more."),
        tag("p", "Renew it: the old one ends, and the new one can be copied here. ", renew, class_="scimops-what"),
        class_="scimops-advice scimops-warning",
    )  # fmt: skip
