"""Pages found in SQL: sorted as scim2-models sorts, and stable while rows come and go."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from filled import ENTERPRISE, MODELS, NASTY, Filled
from scim2_models import InvalidCursorException
from scim2_server.testing import SEARCH_SORTS

from scimops.service_provider.paging import Found
from scimops.service_provider.tables import memberships, users

SORTS = [
    *SEARCH_SORTS, "id", "externalId", "nickName", "profileUrl", "phoneNumbers", "phoneNumbers.type", "roles", "photos",
    "schemas", "meta.version", "meta.lastModified", "meta.location", "meta.resourceType", "groups", "groups.display",
    "emails.primary", "addresses.locality", f"{ENTERPRISE}:manager.value", f"{ENTERPRISE}:department",
]  # fmt: skip
ORDERS = ["ascending", "descending"]


@pytest.mark.parametrize("order", ORDERS)
def test_every_sort_is_that_of_scim2_models(filled: Filled, order: str) -> None:
    theirs = {kind: [item for (name, _), item in filled.resources.items() if name == kind] for kind in MODELS}
    for each in SORTS:
        check_sort(filled, ["User"], theirs["User"], each, order)
    for each in ["displayName", "externalId", "members", "members.type", "id", "meta.created", "schemas"]:
        check_sort(filled, ["Group"], theirs["Group"], each, order)
    for each in ["displayName", "userName", "members", "meta.created", "id", "active"]:
        check_sort(filled, ["User", "Group"], [*theirs["User"], *theirs["Group"]], each, order)


def check_sort(filled: Filled, kinds: list[str], resources: list[Any], sort_by: str, order: str) -> None:
    request = filled.request(kinds, sort_by=sort_by, sort_order=order)
    found = filled.search(kinds, sort_by=sort_by, sort_order=order)
    given = [filled.resources[key] for key in found.rows]
    expected = request.sort(resources)
    assert sorted(item.id for item in given) == sorted(item.id for item in expected)
    assert list(map(request.sort_value, given)) == list(map(request.sort_value, expected)), sort_by


@pytest.mark.parametrize("kinds", [["User"], ["Group"], ["User", "Group"]], ids="+".join)
@pytest.mark.parametrize("order", ORDERS)
def test_pages_by_index_and_by_cursor_are_the_same(filled: Filled, kinds: list[str], order: str) -> None:
    own = ["active", "emails", "groups", "nickName", f"{ENTERPRISE}:department"] if kinds == ["User"] else []
    for sort_by in [None, "displayName", "meta.created", "externalId", *own]:
        asked = {"sort_by": sort_by, "sort_order": order}
        whole = filled.search(kinds, **asked)
        for count in (3, 7, 100):
            by_index = [
                filled.search(kinds, count=count, start_index=start, **asked)
                for start in range(1, len(whole.rows) + 2, count)
            ]
            assert {page.total for page in by_index} == {len(whole.rows)}
            assert [row for page in by_index for row in page.rows] == whole.rows
            forward = walk(filled, kinds, None, "next", count=count, cursor="", **asked)
            assert [row for page in forward for row in page.rows] == whole.rows
            assert {page.total for page in forward} == {len(whole.rows)}
            assert forward[0].previous is None
            back = walk(filled, kinds, forward[-1].previous, "previous", count=count, cursor="", **asked)
            assert [page.rows for page in reversed(back)] == [page.rows for page in forward[:-1]]


def walk(filled: Filled, kinds: list[str], position: Any, way: str, **asked: Any) -> list[Found]:
    if way == "previous" and position is None:
        return []
    pages = [filled.search(kinds, position, **asked)]
    while (position := getattr(pages[-1], way)) is not None:
        json.dumps(position)
        pages.append(filled.search(kinds, position, **asked))
    return pages


@pytest.mark.parametrize("sort_by", [None, "title", "nickName"])
def test_pages_stay_when_rows_go_and_come(filled: Filled, sort_by: str | None) -> None:
    asked: dict[str, Any] = {"sort_by": sort_by, "count": 4, "cursor": ""}
    whole = filled.search("User", sort_by=sort_by).rows
    first = filled.search("User", **asked)
    filled.connection.execute(sa.delete(memberships))
    gone = [first.rows[-1][1], first.rows[0][1], whole[4][1]]
    filled.connection.execute(sa.delete(users).where(users.c.n.in_(gone)))
    second = filled.search("User", first.next, **asked)
    assert second.rows == whole[5:9]
    assert filled.search("User", second.previous, **asked).rows == whole[1:3]
    assert filled.search("User", second.previous, **asked).previous is None


POSITION = {"d": "next", "v": None, "t": "User", "n": 1}


@pytest.mark.parametrize(
    "position", [3, "x", {}, *(POSITION | wrong for wrong in [{"d": "up"}, {"t": "Car"}, {"n": "1"}, {"v": "soon"}])]
)
def test_a_position_of_another_search_is_an_invalid_cursor(filled: Filled, position: Any) -> None:
    with pytest.raises(InvalidCursorException):
        filled.search("User", position, cursor="", sort_by="meta.created")


def test_a_page_of_none_counts_only(filled: Filled) -> None:
    assert filled.search("User", count=0) == Found(len(NASTY), [])
    assert filled.search("User", count=0, cursor="") == Found(len(NASTY), [])


def test_numbers_beyond_any_database(filled: Filled) -> None:
    assert filled.search("User", start_index=10**30, count=10**30) == Found(len(NASTY), [])
    assert len(filled.search("User", count=10**30, cursor="").rows) == len(NASTY)


def test_a_search_at_the_root_keeps_what_each_type_has(filled: Filled) -> None:
    scim_filter = 'displayName eq "sales" or userName eq "bob"'
    found = filled.search(["User", "Group"], filter=scim_filter, sort_by="displayName")
    assert (filled.ids(found), found.total) == (["group000", "user0001"], 2)
