"""A search is read whole, or it is an error: changed totals, short pages, rows that come twice; in flat memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from ends import SECRET, SECRET_NAME, Asked, End, caught, client_of, good, page, running_end

from scimops.errors import IncompleteSourceError
from scimops.platform import Platform, faults
from scimops.platform.paging import pages

USERS = "/api/target-users/search"


@pytest.fixture
def end() -> Iterator[End]:
    with running_end() as running:
        yield running


@pytest.fixture
def client(end: End, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv(SECRET_NAME, SECRET)
    with client_of(end) as platform:
        yield platform


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"resourceId": f"u{n}", "email": f"u{n}@example.com", "status": "Active"} for n in range(first, first + count)
    ]


def test_all_pages_are_read_with_full_bodies(end: End, client: Platform) -> None:
    end.on(USERS, page(rows(0, 100), 1, 100, 250), page(rows(100, 100), 2, 100, 250), page(rows(200, 50), 3, 100, 250))
    assert [user["resourceId"] for user in client.target_users("u")] == [f"u{n}" for n in range(250)]
    sent = [one.json for one in end.asked if one.path == USERS]
    assert sent == [
        {"pageNumber": number, "pageSize": 100, "orderBy": "CreateTime", "ascending": True,
         "filter": {"condition": "AND", "searchInputTextValue": "u"}}
        for number in (1, 2, 3)
    ]  # fmt: skip


def test_a_platform_may_have_smaller_pages_and_none_at_all(end: End, client: Platform) -> None:
    end.on(USERS, page(rows(0, 20), 1, 20, 30), page(rows(20, 10), 2, 20, 30))
    assert len(list(client.target_users())) == 30
    assert [one.json["pageSize"] for one in end.asked if one.path == USERS] == [100, 20]
    end.on(USERS, good({"pageNumber": 1, "pageSize": 100, "totalNumberOfRecords": 0, "results": None}))
    assert list(client.target_users()) == []


DRIFTS = [
    ("their number changed", page(rows(100, 51), 2, 100, 151)),
    ("their number changed", page(rows(100, 49), 2, 100, 149)),
    ("page 2 has 49 rows where 50 were due", page(rows(100, 49), 2, 100, 150)),
    ("page 2 has 51 rows where 50 were due", page(rows(100, 51), 2, 100, 150)),
    ("page 2 has 0 rows where 50 were due", page([], 2, 100, 150)),
    ("one came twice", page(rows(99, 50), 2, 100, 150)),
    ("one came twice", page(rows(100, 49) + rows(100, 1), 2, 100, 150)),
]


@pytest.mark.parametrize(("words", "second"), DRIFTS)
def test_a_list_that_changes_while_it_is_read_is_an_error(
    end: End, client: Platform, words: str, second: bytes
) -> None:
    end.on(USERS, page(rows(0, 100), 1, 100, 150), second)
    error = caught(IncompleteSourceError, lambda: list(client.target_users()))
    assert words in str(error)
    assert error.exit_code == 5


def test_what_is_no_page_is_an_error(end: End, client: Platform) -> None:
    for data in (None, [], {"results": []}, {"results": {}, "totalNumberOfRecords": 0, "pageSize": 1},
                 {"results": [], "totalNumberOfRecords": 0, "pageSize": 0},
                 {"results": ["x"], "totalNumberOfRecords": 1, "pageSize": 1},
                 {"results": [{"resourceId": None}], "totalNumberOfRecords": 1, "pageSize": 1},
                 {"results": [], "totalNumberOfRecords": True, "pageSize": 1}):  # fmt: skip
        end.on(USERS, good(data))
        caught(faults.AnswerError, lambda: list(client.target_users()))


def test_a_page_that_is_cut_is_asked_for_again(end: End, client: Platform) -> None:
    cut: list[Any] = [page(rows(0, 100), 1, 100, 150), None, page(rows(100, 50), 2, 100, 150)]
    end.on(USERS, *cut)
    assert len(list(client.target_users())) == 150


def test_a_hundred_thousand_people_are_read_in_flat_memory() -> None:
    def ask(number: int, size: int) -> dict[str, Any]:
        return {"pageSize": size, "totalNumberOfRecords": 100_000, "results": rows((number - 1) * size, size)}

    tracemalloc.start()
    count = sum(len(part) for part in pages(ask, "the target users", "resourceId", 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 24 << 20  # the ids, and two pages of rows; the rows alone would be 70 MiB


def test_thousands_of_people_come_over_the_socket(end: End, client: Platform) -> None:
    def one_page(asked: Asked) -> bytes:
        said = asked.json
        return page(rows((said["pageNumber"] - 1) * 100, 100), said["pageNumber"], 100, 5_000)

    end.on(USERS, one_page)
    assert sum(1 for _ in client.target_users()) == 5_000
