"""What both stores promise."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from heliostat_api.documents.port import (
    ConflictError,
    CursorError,
    Delete,
    Documents,
    Expected,
    Put,
    Query,
    StoreError,
    TooLargeError,
    Value,
)
from heliostat_api.documents.queries import Place, write_cursor
from heliostat_api.documents.writes import MOST_DOCUMENT_BYTES, MOST_VALUE_BYTES, size_of
from support.stores import all_pages

BY_RANK = Query("things", None, order="rank", descending=False, limit=2)


async def version_of(documents: Documents, path: str) -> str:
    found = await documents.get(path)
    assert found is not None
    return found.version


async def ids(documents: Documents, query: Query) -> list[str]:
    return [document.id async for document in all_pages(documents, query)]


async def fill(documents: Documents, **ranks: Value) -> None:
    """`things` with these ranks; the odd ones are Ada's, the even ones Bob's."""
    await documents.commit(
        *(
            Put(f"things/{name}", {"rank": rank, "userId": ["ada", "bob"][number % 2]})
            for number, (name, rank) in enumerate(ranks.items())
        )
    )


# ---- one document ---------------------------------------------------------------------------


async def test_what_is_put_is_there_until_it_is_deleted(documents: Documents) -> None:
    assert await documents.get("things/a") is None
    await documents.commit(Put("things/a", {"n": 1}))
    found = await documents.get("things/a")
    assert found is not None
    assert (found.path, found.id, found.fields) == ("things/a", "a", {"n": 1})
    await documents.commit(Put("things/a", {"m": 2}))
    found = await documents.get("things/a")
    assert found is not None
    assert found.fields == {"m": 2}, "the whole document is written, nothing is merged"
    await documents.commit(Delete("things/a"))
    assert await documents.get("things/a") is None
    await documents.commit(Delete("things/a"))


VALUES: dict[str, Value] = {
    "null": None,
    "yes": True,
    "no": False,
    "zero": 0,
    "large": 2**63 - 1,
    "small": -(2**63),
    "float": 0.1,
    "whole": 3.0,
    "text": "한글 🙂 \x00 \"quoted\" \\ 'x' \u2028",
    "empty": "",
    "instant": datetime(2026, 11, 5, 9, 0, 0, 123456, UTC),
    "before 1970": datetime(1969, 12, 31, 23, 59, 59, 500000, UTC),
    "early": datetime(1, 1, 1, tzinfo=UTC),
    "late": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    "nothing": {},
    "none": [],
    "map": {"a.b": {"`": [{"x y": None}]}, "with/slash": 1},
    "list": [1, "two", {"three": [4]}, [[5], []], datetime(2026, 1, 1, tzinfo=UTC)],
    "like a time": {"$time": "2026-11-05T09:00:00.000000+00:00"},
    "like a list": {"$list": [1]},
    "like a map": {"$map": {"$map": {"$time": 1}}},
    "$time": {"$map": 1, "$list": 2},
}


async def test_every_value_comes_back_as_it_was(documents: Documents) -> None:
    await documents.commit(Put("things/a", VALUES))
    found = await documents.get("things/a")
    assert found is not None
    assert found.fields == VALUES
    for name, value in VALUES.items():
        assert type(found.fields[name]) is type(value), name


async def test_a_document_whose_only_field_looks_like_a_mark_comes_back(
    documents: Documents,
) -> None:
    await documents.commit(Put("things/a", {"$time": "noon"}))
    found = await documents.get("things/a")
    assert found is not None
    assert found.fields == {"$time": "noon"}


async def test_an_instant_of_any_zone_comes_back_in_utc(documents: Documents) -> None:
    seoul = timezone(timedelta(hours=9))
    await documents.commit(Put("things/a", {"t": datetime(2026, 11, 5, 9, tzinfo=seoul)}))
    found = await documents.get("things/a")
    assert found is not None
    assert found.fields == {"t": datetime(2026, 11, 5, 0, tzinfo=UTC)}
    value = found.fields["t"]
    assert isinstance(value, datetime)
    assert value.tzinfo is UTC


def nested(levels: int) -> Value:
    return {"in": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2026, 1, 1), "time zone"),  # noqa: DTZ001  what is refused
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (2**63, "64 bits"),
        ("\ud800", "UTF-8"),
        ({"": 1}, "name"),
        ({"__x__": 1}, "name"),
        ({"x" * 1501: 1}, "name"),
        (nested(21), "JSON"),
    ],
)
async def test_a_value_that_one_store_can_t_hold_is_refused_by_both(
    documents: Documents, value: Value, words: str
) -> None:
    with pytest.raises(StoreError, match=words) as refused:
        await documents.commit(Put("things/a", {"bad": value}))
    assert "bad" in str(refused.value)
    assert await documents.get("things/a") is None


async def test_the_deepest_value_that_is_allowed_is_stored(documents: Documents) -> None:
    await documents.commit(Put("things/a", {"deep": nested(19)}))
    found = await documents.get("things/a")
    assert found is not None
    assert found.fields == {"deep": nested(19)}


@pytest.mark.parametrize(
    "path", ["", "things", "things/", "/a", "things/a/b", "things/.", "things/..", "things/__a__"]
)
async def test_what_is_no_path_of_a_document_is_refused(documents: Documents, path: str) -> None:
    with pytest.raises(StoreError):
        await documents.get(path)
    with pytest.raises(StoreError):
        await documents.commit(Put(path, {}))
    with pytest.raises(StoreError):
        await documents.delete_tree(path)


@pytest.mark.parametrize("id_", ["a b", "ä", "한", "%2F", "a.b", "'\"`", "x" * 1500, "_", "~"])
async def test_an_id_may_hold_any_character_but_a_slash(documents: Documents, id_: str) -> None:
    await documents.commit(Put(f"things/{id_}", {"rank": 1}))
    assert await ids(documents, BY_RANK) == [id_]
    found = await documents.get(f"things/{id_}")
    assert found is not None
    assert found.id == id_


async def test_a_document_of_a_mebibyte_is_stored_and_one_byte_more_is_refused(
    documents: Documents,
) -> None:
    halves = {"one": "x" * 500_000, "two": ""}
    rest = MOST_DOCUMENT_BYTES - size_of("things/a", halves)
    await documents.commit(Put("things/a", {**halves, "two": "x" * rest}))
    with pytest.raises(TooLargeError, match="things/b"):
        await documents.commit(Put("things/b", {**halves, "two": "x" * (rest + 1)}))
    assert await documents.get("things/b") is None


async def test_one_field_may_fill_a_document_but_for_89_bytes(documents: Documents) -> None:
    await documents.commit(Put("t/a", {"f": "x" * (MOST_VALUE_BYTES - 1)}))
    with pytest.raises(TooLargeError, match="'f'"):
        await documents.commit(Put("t/a", {"f": "x" * MOST_VALUE_BYTES}))


async def test_the_size_is_counted_in_bytes_of_everything(documents: Documents) -> None:
    with pytest.raises(TooLargeError):
        await documents.commit(Put("things/a", {"text": "한" * 350_000}))
    with pytest.raises(TooLargeError):
        await documents.commit(Put("things/a", {"list": [{"k": 1.5}] * 30_000}))


# ---- several writes -------------------------------------------------------------------------


async def test_a_version_changes_with_each_write_that_changes_something(
    documents: Documents,
) -> None:
    await documents.commit(Put("things/a", {"n": 1}))
    first = await version_of(documents, "things/a")
    assert await version_of(documents, "things/a") == first
    await documents.commit(Put("things/a", {"n": 2}))
    second = await version_of(documents, "things/a")
    await documents.commit(Put("things/a", {"n": 1}))
    third = await version_of(documents, "things/a")
    await documents.commit(Delete("things/a"))
    await documents.commit(Put("things/a", {"n": 1}))
    fourth = await version_of(documents, "things/a")
    assert len({first, second, third, fourth}) == 4


@pytest.mark.parametrize("expect", [Expected.PRESENT, "2026-01-01T00:00:00.000000Z", "x", ""])
async def test_a_write_that_expects_a_document_does_not_make_one(
    documents: Documents, expect: Expected | str
) -> None:
    for write in (Put("things/a", {}, expect), Delete("things/a", expect)):
        with pytest.raises(ConflictError) as refused:
            await documents.commit(write)
        assert refused.value.path == "things/a"
    assert await documents.get("things/a") is None


async def test_a_write_that_expects_none_overwrites_none(documents: Documents) -> None:
    await documents.commit(Put("things/a", {"n": 1}, Expected.ABSENT))
    with pytest.raises(ConflictError):
        await documents.commit(Put("things/a", {"n": 2}, Expected.ABSENT))
    await documents.commit(Put("things/a", {"n": 3}, Expected.PRESENT))
    await documents.commit(Delete("things/a", Expected.PRESENT))
    await documents.commit(Delete("things/a", Expected.ABSENT))


async def test_a_write_on_an_old_version_is_refused(documents: Documents) -> None:
    await documents.commit(Put("things/a", {"n": 1}))
    old = await version_of(documents, "things/a")
    await documents.commit(Put("things/a", {"n": 2}, old))
    with pytest.raises(ConflictError):
        await documents.commit(Put("things/a", {"n": 3}, old))
    with pytest.raises(ConflictError):
        await documents.commit(Delete("things/a", old))
    await documents.commit(Delete("things/a", await version_of(documents, "things/a")))
    assert await documents.get("things/a") is None


async def test_one_refused_write_undoes_all_of_its_commit(documents: Documents) -> None:
    await documents.commit(Put("things/old", {"n": 1}), Put("things/b", {"n": 1}))
    with pytest.raises(ConflictError) as refused:
        await documents.commit(
            Put("things/new", {"n": 2}),
            Put("things/old", {"n": 2}, Expected.PRESENT),
            Put("things/b", {"n": 2}, Expected.ABSENT),
            Delete("things/old-too", Expected.ANY),
        )
    assert refused.value.path == "things/b"
    assert await documents.get("things/new") is None
    old = await documents.get("things/old")
    assert old is not None
    assert old.fields == {"n": 1}


async def test_a_commit_may_hold_500_writes_and_not_more(documents: Documents) -> None:
    writes = [Put(f"things/{number}", {"rank": number}) for number in range(501)]
    with pytest.raises(StoreError, match="500"):
        await documents.commit(*writes)
    await documents.commit(*writes[:500])
    assert len(await ids(documents, replace(BY_RANK, limit=300))) == 500
    await documents.commit()


async def test_a_commit_of_more_than_firestore_takes_is_refused(documents: Documents) -> None:
    large = {"text": "x" * 1_000_000}
    await documents.commit(*(Put(f"things/{number}", large) for number in range(3)))
    with pytest.raises(TooLargeError):
        await documents.commit(*(Put(f"things/{number}", large) for number in range(4)))


async def test_a_commit_writes_a_document_only_once(documents: Documents) -> None:
    with pytest.raises(StoreError, match="twice"):
        await documents.commit(Put("things/a", {}), Delete("things/a"))


async def test_of_writers_at_once_on_one_version_exactly_one_wins(documents: Documents) -> None:
    await documents.commit(Put("things/a", {"n": 0}))
    version = await version_of(documents, "things/a")
    outcomes = await asyncio.gather(
        *(documents.commit(Put("things/a", {"n": n}, version)) for n in range(1, 9)),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if outcome is None] == [None]
    assert all(isinstance(outcome, ConflictError | None) for outcome in outcomes)


async def test_counting_by_versions_loses_nothing(documents: Documents) -> None:
    async def add() -> None:
        while True:
            found = await documents.get("things/sum")
            count = found.fields["n"] if found else 0
            assert isinstance(count, int)
            expect = found.version if found else Expected.ABSENT
            try:
                return await documents.commit(Put("things/sum", {"n": count + 1}, expect))
            except ConflictError:
                pass

    await asyncio.gather(*(add() for _ in range(12)))
    found = await documents.get("things/sum")
    assert found is not None
    assert found.fields == {"n": 12}


# ---- queries --------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 100])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_put_together_are_everything_in_order(
    documents: Documents, limit: int, descending: bool
) -> None:
    await fill(documents, a=3, b=1, c=2, d=2, e=2, f=-1, g=2.5, h=2.0, i=10)
    await documents.commit(Put("things/without", {}), Put("others/x", {"rank": 1}))
    expected = ["f", "b", "c", "d", "e", "h", "g", "a", "i"]
    query = replace(BY_RANK, limit=limit, descending=descending)
    assert await ids(documents, query) == (expected[::-1] if descending else expected)


async def test_a_count_is_of_all_pages(documents: Documents) -> None:
    await fill(documents, a=3, b=1, c=2, d=2, e=2)
    await documents.commit(Put("things/without", {}), Put("others/x", {"rank": 1}))
    assert await documents.count(replace(BY_RANK, limit=1)) == 5
    assert await documents.count(replace(BY_RANK, limit=2, owner="ada")) == 3
    page = await documents.query(replace(BY_RANK, limit=2))
    assert await documents.count(replace(BY_RANK, limit=2, after=page.next)) == 5
    assert await documents.count(replace(BY_RANK, collection="things/a/things")) == 0


async def test_a_count_that_nobody_declared_is_refused(documents: Documents) -> None:
    with pytest.raises(StoreError, match=r"documents/queries\.py"):
        await documents.count(replace(BY_RANK, where={"colour": "red"}))


async def test_values_of_different_types_have_one_order(documents: Documents) -> None:
    day = datetime(2026, 11, 5, tzinfo=UTC)
    values: list[Value] = [None, False, True, -5, 0.5, 7, day, day + timedelta(microseconds=1)]
    values += ["", "A", "a", "ab", "é", "한", "🙂"]
    ranks = dict(zip("onmlkjihgfedcba", values, strict=True))
    await fill(documents, **ranks)
    for limit in (1, 4, 50):
        assert await ids(documents, replace(BY_RANK, limit=limit)) == list(ranks)


async def test_lists_and_maps_are_found_though_their_order_is_open(documents: Documents) -> None:
    await fill(documents, a=[1], b={"x": 1}, c=1)
    assert sorted(await ids(documents, replace(BY_RANK, limit=1))) == ["a", "b", "c"]


async def test_the_last_page_has_no_cursor(documents: Documents) -> None:
    await fill(documents, a=1, b=2)
    page = await documents.query(BY_RANK)
    assert ([each.id for each in page.documents], page.next) == (["a", "b"], None)
    page = await documents.query(replace(BY_RANK, collection="things/a/things"))
    assert (page.documents, page.next) == ((), None)


async def test_what_is_added_and_removed_between_pages_moves_nothing_else(
    documents: Documents,
) -> None:
    await fill(documents, a=1, b=2, c=3, d=4, e=5)
    page = await documents.query(BY_RANK)
    assert [each.id for each in page.documents] == ["a", "b"]
    await documents.commit(
        Delete("things/a"),
        Delete("things/b"),  # the one that the cursor is behind
        Delete("things/d"),
        Put("things/before", {"rank": 0}),
        Put("things/behind", {"rank": 2}),
        Put("things/later", {"rank": 9}),
    )
    rest = [each async for each in all_pages(documents, replace(BY_RANK, after=page.next))]
    assert [each.id for each in rest] == ["behind", "c", "e", "later"]


async def test_each_person_sees_only_what_is_theirs(documents: Documents) -> None:
    await fill(documents, a=1, b=2, c=3, d=4)
    await documents.commit(Put("things/nobody", {"rank": 1}), Put("things/n", {"userId": 1}))
    assert await ids(documents, replace(BY_RANK, owner="ada")) == ["a", "c"]
    assert await ids(documents, replace(BY_RANK, owner="bob")) == ["b", "d"]
    assert await ids(documents, replace(BY_RANK, owner="eve")) == []
    assert await ids(documents, BY_RANK) == ["a", "nobody", "b", "c", "d"]
    widened = replace(BY_RANK, owner="ada", where={"userId": "bob"})
    assert await ids(documents, widened) == ["a", "c"]


async def test_a_cursor_of_one_person_leads_no_other_anywhere(documents: Documents) -> None:
    await fill(documents, a=1, b=2, c=3, d=4)
    page = await documents.query(replace(BY_RANK, owner="ada", limit=1))
    with pytest.raises(CursorError):
        await documents.query(replace(BY_RANK, owner="bob", limit=1, after=page.next))
    with pytest.raises(CursorError):
        await documents.query(replace(BY_RANK, limit=1, after=page.next))


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        (str(10**23), "x"),
        ('"\\ud800"', "x"),
        ("NaN", "x"),
        ('{"$time":"2026-01-01"}', "x"),
        ('{"$time":"yesterday"}', "x"),
        ("[" * 30 + "]" * 30, "x"),
        ("1", "\ud800"),
        ("1", "a/b"),
        ("1", ".."),
    ],
)
async def test_a_cursor_that_no_page_could_have_given_is_refused(
    documents: Documents, value: str, id_: str
) -> None:
    given = write_cursor(BY_RANK, Place(1, "x"))
    mark = json.loads(base64.urlsafe_b64decode(given + "=="))[0]
    text = json.dumps([mark, value, id_]).encode()
    with pytest.raises(CursorError):
        await documents.query(
            replace(BY_RANK, after=base64.urlsafe_b64encode(text).decode().rstrip("="))
        )


@pytest.mark.parametrize("cursor", ["", "x", "é", "e30", "WyJhIiwiYiIsImMiXQ", "W1tb" * 9999])
async def test_a_cursor_that_is_none_is_refused(documents: Documents, cursor: str) -> None:
    with pytest.raises(CursorError):
        await documents.query(replace(BY_RANK, after=cursor))


async def test_equality_does_not_mix_types(documents: Documents) -> None:
    flags: dict[str, Value] = {
        "yes": True,
        "one": 1,
        "real": 1.0,
        "text": "1",
        "word": "true",
        "none": None,
        "list": [1],
    }
    for name, flag in flags.items():
        await documents.commit(Put(f"things/{name}", {"rank": 1, "flag": flag}))

    async def found(flag: str | int | bool) -> list[str]:
        return await ids(documents, replace(BY_RANK, where={"flag": flag}))

    assert await found(True) == ["yes"]
    assert await found(1) == ["one", "real"]
    assert await found("1") == ["text"]
    assert await found("true") == ["word"]
    assert await found(False) == await found(0) == await found("") == []


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_page_without_bounds_is_refused(documents: Documents, limit: int) -> None:
    with pytest.raises(StoreError, match="limit"):
        await documents.query(replace(BY_RANK, limit=limit))


async def test_a_query_that_nobody_declared_is_refused(documents: Documents) -> None:
    with pytest.raises(StoreError, match=r"documents/queries\.py"):
        await documents.query(replace(BY_RANK, where={"colour": "red"}))


async def test_collections_below_documents_are_apart(documents: Documents) -> None:
    await documents.commit(
        Put("things/a/things/x", {"rank": 1}), Put("things/b/things/y", {"rank": 1})
    )
    assert await ids(documents, replace(BY_RANK, collection="things/a/things")) == ["x"]
    assert await ids(documents, BY_RANK) == []


# ---- trees ----------------------------------------------------------------------------------


async def test_a_tree_is_deleted_with_all_that_is_below_and_nothing_beside(
    documents: Documents,
) -> None:
    inside = ["things/a", "things/a/things/x", "things/a/others/y/deep/z", "things/a/0/0"]
    beside = ["things/a0", "things/a.", "things/b/things/x", "others/a", "things/ab/c/d"]
    await documents.commit(*(Put(path, {"rank": 1}) for path in inside + beside))
    await documents.delete_tree("things/a")
    await documents.delete_tree("things/a")
    assert [await documents.get(path) for path in inside] == [None] * len(inside)
    assert None not in [await documents.get(path) for path in beside]


async def test_deleting_a_tree_goes_on_where_a_crash_left_it(documents: Documents) -> None:
    for batch in range(3):
        await documents.commit(
            *(Put(f"things/a/things/{batch}-{n}", {"rank": n}) for n in range(400))
        )
    # As after a crash: the document is gone already, and a part of what was below.
    await documents.commit(*(Delete(f"things/a/things/0-{n}") for n in range(400)))
    await documents.delete_tree("things/a")
    assert await ids(documents, replace(BY_RANK, collection="things/a/things")) == []
