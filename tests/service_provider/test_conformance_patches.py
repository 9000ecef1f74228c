"""PATCH as the world writes it, sent over HTTP to people and groups made for each case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from replaying import Score, Wire, corpus, fitting, outside, wires
from scim2_models import EnterpriseUser, User
from test_placement import person

from scimops.service_provider.database import Database

pytestmark = [outside, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
"""A PATCH works on a document, whatever the database; those are held to one contract in test_storage_contract."""

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NOT_COMPARED = {"schemas", "meta", "id", "$ref", "type", "display"}
PERSON = User[EnterpriseUser]
_names = (f"p{number}" for number in count())


# -- One case --------------------------------------------------------------------------------------------


class Patched:
    """A person or a group as a case has it, on the embedded platform, and what the case's PATCH makes of it.

    A case's members are people who are there, so their ids are replaced wherever the case names them; a person without
    an address gets one that no case names, and a case that takes all addresses out meets that they are required.
    """

    def __init__(self, wire: Wire, case: dict[str, Any]) -> None:
        self.wire, self.case = wire, case
