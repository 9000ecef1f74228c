"""What a service provider does by itself: declared, not guessed (design section 4, capabilities).

The rules are the design's, by number: 2 spellings of one key are one group, 3 aliases, 7 the identity provider's
groups, 8 the policy for duplicates, 9 the policy for people who are not active, 10 moves, 11 identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Capabilities:
    """`rules` are known to hold there; of the others it is not known, or they are not there.

    `placement` says who puts people into groups; `limits` are in characters, by name. `own` is true of the embedded
    platform, which takes our additions in the object `scimops`.
    """

    name: str
    placement: Literal["server", "client"] = "server"
    rules: frozenset[int] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)
    own: bool = False

    @classmethod
    def said(cls, document: Mapping[str, Any]) -> Capabilities:
        """What the embedded platform says of itself (`scimops.capabilities` of `GET /api/scim/{id}`)."""
        rules = frozenset(int(rule) for rule in document.get("rules", ()))
        return cls("the embedded platform", document["placement"], rules, dict(document.get("limits", {})), own=True)


PUBLISHED = Capabilities(
    "the platform's published API", "server", frozenset({1, 4, 5, 6, 7}), {"settingName": 30, "groupName": 64}
)
"""What the platform's documentation and its OpenAPI file say (platform facts). Key folding, aliases, a policy for
duplicates or for people who are not active, and how people are matched are not documented there."""
