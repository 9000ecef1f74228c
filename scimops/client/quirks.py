"""Service providers that are known: what they do by themselves, and where they differ from the RFCs.

A service provider is known by its host or by what its `/ServiceProviderConfig` says. Of all others nothing is
assumed: they place nobody, and members are read group by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from scimops.capabilities import PUBLISHED, Capabilities

Members = Literal["users", "groups", "hidden"]


@dataclass(frozen=True)
class Known:
    """A service provider.

    `members` says where its memberships can be read: at `groups` of each user, group by group, or nowhere.
    `members_at_once` is how many one request may add; `filters` false: only `eq` is understood.
    """

    capabilities: Capabilities
    host: str = ""
    scheme: str = ""
    members: Members = "groups"
    members_at_once: int = 100
    filters: bool = True
    source: str = ""


EMBEDDED = Capabilities("the embedded platform", "server", frozenset(range(1, 12)), own=True)

KNOWN = (
    Known(EMBEDDED, scheme="The token of the SCIM setting, as a bearer token", members="users", members_at_once=1000,
          source="scimops.service_provider.protocol.configuration"),
    Known(PUBLISHED, host="scim-api.keepnetlabs.com", source="the platform's quickstart page"),
    Known(Capabilities("AWS IAM Identity Center", "client"), host=".amazonaws.com", members="hidden", filters=False,
          source="docs.aws.amazon.com/singlesignon/latest/developerguide: limitations, listgroups, creategroup"),
)  # fmt: skip

OTHER = Known(Capabilities("a SCIM service provider", "client"))


def known_by(url: str, scheme: str) -> Known:
    """The service provider at `url`, whose first authentication scheme is described so."""
    host = urlsplit(url).hostname or ""
    for one in KNOWN:
        by_host = host.endswith(one.host) if one.host.startswith(".") else host == one.host
        if (one.host and by_host) or (one.scheme and one.scheme == scheme):
            return one
    return OTHER
