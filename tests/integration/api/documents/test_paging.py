"""Several lists as one: complete, in order, each thing once, whatever comes in between."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from heliostat_api.documents.paging import query_merged
from heliostat_api.documents.port import Delete, Documents, Put, Query, Value

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
NEWEST = Query("executions", "ada", limit=4)
LISTS = (NEWEST, replace(NEWEST, owner="namespace:a"), replace(NEWEST, owner="namespace:b"))
OWNERS = ("ada", "namespace:a", "namespace:b", "bob")


def put(number: int, created: Value) -> Put:
    fields = {"userId": OWNERS[number % 4], "createdAt": created}
    return Put(f"executions/{number:02d}", fields)


def instant(number: int) -> Value:
    """Several things share each; the last are texts, as the earlier platform wrote them."""
    at = BEGAN + timedelta(seconds=number // 7)
    return at.isoformat() if number > 26 else at


async def test_lists_are_merged_page_by_page(documents: Documents) -> None:
    await documents.commit(*(put(number, instant(number)) for number in range(30)))
    found: list[str] = []
    cursor: str | None = None
    while True:
        queries = (replace(LISTS[0], after=cursor), *LISTS[1:])
        page = await query_merged(documents, queries)
        found += [each.id for each in page.documents]
        if page.next is None:
            break
        assert len(page.documents) == NEWEST.limit
        cursor = page.next
        if len(found) == 8:
            newer = put(60, BEGAN + timedelta(days=1))
            await documents.commit(newer, Delete(f"executions/{found[-1]}"))
    expected = [f"{number:02d}" for number in range(30) if number % 4 != 3]
    texts = [each for each in reversed(expected) if int(each) > 26]
    assert found == texts + [each for each in reversed(expected) if int(each) <= 26]


async def test_one_list_is_as_it_was(documents: Documents) -> None:
    await documents.commit(*(put(number, BEGAN) for number in range(0, 40, 4)))
    assert await query_merged(documents, [NEWEST]) == await documents.query(NEWEST)
    merged = await query_merged(documents, LISTS)
    alone = await documents.query(NEWEST)
    assert (merged.documents, merged.next) == (alone.documents, alone.next)
