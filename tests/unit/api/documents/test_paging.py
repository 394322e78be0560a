"""Lists that are merged: one order, one cursor, nothing twice and nothing left out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.documents.paging import every, query_merged
from heliostat_api.documents.port import CursorError, Documents, Put, Query
from heliostat_api.documents.sqlite.store import open_sqlite

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
ADA = Query("executions", "ada")
TEAM = replace(ADA, owner="namespace:team")
ALL = replace(ADA, owner=None)
NOBODYS = replace(ADA, owner="eve")
OWNERS = ("ada", "namespace:team", "bob")
COUNT = 21


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[Documents]:
    """Runs of three owners in turn; four at a time began at the same instant."""
    store = open_sqlite(tmp_path / "documents.db")
    await store.commit(*(run(number) for number in range(COUNT)))
    yield store
    await store.close()


def run(number: int) -> Put:
    created = BEGAN + timedelta(seconds=number // 4)
    return Put(f"executions/{number:02d}", {"userId": OWNERS[number % 3], "createdAt": created})


def newest(*remainders: int) -> list[str]:
    """What there is of some owners, newest first and then by id."""
    return [f"{number:02d}" for number in reversed(range(COUNT)) if number % 3 in remainders]


async def pages(documents: Documents, *queries: Query) -> list[list[str]]:
    found: list[list[str]] = []
    after: str | None = None
    while not found or after is not None:
        page = await query_merged(documents, [replace(queries[0], after=after), *queries[1:]])
        found.append([each.id for each in page.documents])
        after = page.next
    return found


@pytest.mark.parametrize("limit", [1, 3, 13, 14, 50])
@pytest.mark.parametrize(
    ("others", "remainders"),
    [
        ((), (0,)),
        ((NOBODYS,), (0,)),
        ((TEAM,), (0, 1)),
        ((replace(TEAM, limit=1),), (0, 1)),  # the first list's limit is that of all
        ((TEAM, ALL), (0, 1, 2)),
    ],
)
async def test_every_page_but_the_last_is_full_and_all_come_in_order(
    documents: Documents, limit: int, others: tuple[Query, ...], remainders: tuple[int, ...]
) -> None:
    """What two lists have comes once, and no page follows that would be empty."""
    expected = newest(*remainders)
    found = await pages(documents, replace(ADA, limit=limit), *others)
    assert found == [expected[at : at + limit] for at in range(0, len(expected), limit)]


async def test_the_limit_is_that_of_the_first_query(documents: Documents) -> None:
    page = await query_merged(documents, [replace(ADA, limit=2), replace(TEAM, limit=9)])
    assert len(page.documents) == 2


async def test_lists_without_anything_are_one_empty_page(documents: Documents) -> None:
    nobody = [replace(ADA, owner=owner) for owner in ("eve", "mallory")]
    page = await query_merged(documents, nobody)
    assert (page.documents, page.next) == ((), None)


async def test_a_cursor_of_another_list_is_refused(documents: Documents) -> None:
    page = await query_merged(documents, [replace(ADA, limit=1), TEAM])
    with pytest.raises(CursorError):
        await query_merged(documents, [replace(TEAM, after=page.next), ADA])


@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_everything_of_a_query_comes_page_after_page(
    documents: Documents, limit: int
) -> None:
    found = [each.id async for each in every(documents, replace(ADA, limit=limit))]
    assert found == newest(0)
