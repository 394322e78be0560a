"""Random commits: each store behaves as the model."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Documents,
    Expected,
    Put,
    Query,
    Value,
)
from heliostat_api.documents.sqlite.store import open_sqlite
from support.document_model import DocumentModel
from support.firestore_emulator import FirestoreEmulator
from support.stores import SHAPES, all_pages, open_emulated

PATHS = [f"things/{id_}" for id_ in ("a", "b", "é", "한", "Z")]
Opening = Callable[[], AbstractAsyncContextManager[Documents]]


@dataclass(frozen=True)
class Step:
    """A write before it meets a document; None as expectation is the version that it has then."""

    path: str
    fields: dict[str, Value] | None
    expect: Expected | None


ranks = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**53), 2**53),
    st.floats(-3, 3).filter(lambda each: each != 0),  # 0.0 and -0.0 are told apart by Firestore
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "rank": ranks,
        "userId": st.sampled_from(["ada", "bob"]),
        "flag": st.sampled_from([True, False, 1, "1"]),
    },
)
steps = st.builds(
    Step,
    st.sampled_from(PATHS),
    st.none() | documents,
    st.sampled_from([None, Expected.ANY, Expected.ANY, Expected.ABSENT, Expected.PRESENT]),
)
commits = st.lists(st.lists(steps, min_size=1, max_size=3, unique_by=lambda step: step.path))


def writes_of(commit: list[Step], store: dict[str, str]) -> list[Put | Delete]:
    """With the versions that a store gave."""
    expected = [(step, step.expect or store.get(step.path, "none")) for step in commit]
    return [
        Delete(step.path, expect) if step.fields is None else Put(step.path, step.fields, expect)
        for step, expect in expected
    ]


async def outcome_of(documents: Documents, writes: list[Put | Delete]) -> str:
    try:
        await documents.commit(*writes)
    except ConflictError as error:
        return error.path
    return "done"


def expected_outcome(model: DocumentModel, writes: list[Put | Delete]) -> str:
    try:
        model.commit(*writes)
    except ConflictError as error:
        return error.path
    return "done"


async def compare(opening: Opening, history: list[list[Step]]) -> None:
    """The same history in the store and in the model, then all that can be asked."""
    model = DocumentModel()
    async with opening() as store:
        versions: dict[str, str] = {}
        modelled: dict[str, str] = {}
        for commit in history:
            outcome = await outcome_of(store, writes_of(commit, versions))
            assert outcome == expected_outcome(model, writes_of(commit, modelled))
            # Half of the versions grow old, so that some later writes come too late.
            for path in PATHS[::2] if len(versions) % 2 else PATHS:
                found, should = await store.get(path), model.get(path)
                assert (found and found.fields) == (should and should.fields)
                if found and should:
                    versions[path], modelled[path] = found.version, should.version
        await compare_queries(store, model)


async def compare_queries(store: Documents, model: DocumentModel) -> None:
    wheres: list[dict[str, str | int | bool]] = [{}, {"flag": True}, {"flag": 1}]
    for owner, where, descending in itertools.product([None, "ada"], wheres, [True, False]):
        query = Query("things", owner, where, "rank", descending, limit=2)
        expected = [each.path for each in model.query(query)]
        assert [each.path async for each in all_pages(store, query)] == expected
        assert [each.path async for each in all_pages(store, replace(query, limit=9))] == expected


@given(commits)
@settings(deadline=None, max_examples=60)
def test_sqlite_does_what_the_model_does(history: list[list[Step]]) -> None:
    @asynccontextmanager
    async def opening() -> AsyncIterator[Documents]:
        with tempfile.TemporaryDirectory() as folder:
            store = open_sqlite(Path(folder) / "documents.sqlite", SHAPES)
            yield store
            await store.close()

    asyncio.run(compare(opening, history))


def test_firestore_does_what_the_model_does(firestore_emulator: FirestoreEmulator) -> None:
    @asynccontextmanager
    async def opening() -> AsyncIterator[Documents]:
        store = open_emulated(firestore_emulator)
        yield store
        await store.close()

    @given(commits)
    @settings(deadline=None, max_examples=20)
    def check(history: list[list[Step]]) -> None:
        asyncio.run(compare(opening, history))

    check()
