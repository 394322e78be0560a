"""Asks in the recorder: whose they are, however early they are seen, and without a definition."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.topics import topic_of_person
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import (
    APPROVAL,
    EVERYTHING,
    EXECUTION,
    Change,
    ForbiddenError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    WorldError,
)
from support.builders.asks import ask_document, make_ask
from support.builders.resources import make_execution
from support.memory_world import MemoryWorld
from support.shared_api import ApiApp, api_app

ANN = "user-ann"
ASK = Ref(APPROVAL, "default", "ask-1")


@dataclass(frozen=True)
class Place:
    """An api, and a run of Ann's that nobody has recorded yet."""

    api: ApiApp
    run: Execution

    def put_run(self) -> JsonObject:
        owned = self.run.to_json()
        meta = owned["metadata"]
        assert isinstance(meta, dict)
        meta = {**meta, "annotations": {OWNER_ANNOTATION: ANN}}
        return self.api.world.put({**owned, "kind": "Execution", "metadata": meta})

    def put_ask(self) -> JsonObject:
        ask = make_ask(self.run, "ask-1")
        return self.api.world.put({**ask_document(ask), "kind": "Approval"})

    async def recorded(self) -> dict[str, object] | None:
        found = self.api.world.objects.get(ASK)
        meta = found["metadata"] if found else None
        uid = meta["uid"] if isinstance(meta, dict) else self.last_uid
        document = await self.api.documents.get(f"approvals/{uid}")
        return dict(document.fields) if document else None

    @property
    def last_uid(self) -> str:
        gone = next(each for kind, each in self.api.world.changes if kind is APPROVAL)
        meta = gone.object["metadata"]
        assert isinstance(meta, dict)
        return str(meta["uid"])

    async def heard(self) -> list[object]:
        found = await self.api.dependencies.log.read([topic_of_person(ANN)], 0)
        return [
            each.report.payload.get("result")
            for each in found.reports
            if each.report.type.startswith("approval.")
        ]


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with api_app(tmp_path) as api:
        yield Place(api, make_execution("sales-1"))


async def test_an_ask_that_is_seen_before_its_run_is_its_runs_owners(place: Place) -> None:
    place.put_run()
    await place.api.parts.recorder.see(APPROVAL, place.put_ask())
    recorded = await place.recorded()
    assert recorded is not None
    assert (recorded["userId"], recorded["execution"]) == (ANN, place.run.metadata.uid)
    assert await place.heard() == ["Pending"]


async def test_an_ask_of_a_run_that_nobody_knows_is_not_recorded(place: Place) -> None:
    await place.api.parts.recorder.see(APPROVAL, place.put_ask())
    assert await place.recorded() is None


async def test_an_ask_that_names_a_run_of_another_namespace_is_not_recorded(place: Place) -> None:
    await place.api.parts.recorder.see(EXECUTION, place.put_run())
    forged = place.put_ask()
    meta = forged["metadata"]
    assert isinstance(meta, dict)
    await place.api.parts.recorder.see(
        APPROVAL, {**forged, "metadata": {**meta, "namespace": "other"}}
    )
    assert await place.recorded() is None


async def test_nothing_is_kept_of_who_leaves(place: Place) -> None:
    await place.api.parts.recorder.see(EXECUTION, place.put_run())
    await PersonRepository(place.api.documents, place.api.clock).begin_erasing(ANN)
    await place.api.parts.recorder.see(APPROVAL, place.put_ask())
    assert await place.recorded() is None


async def test_an_ask_whose_end_nobody_saw_is_withdrawn_once(place: Place) -> None:
    place.put_run()
    place.put_ask()
    recorder = place.api.parts.recorder
    await recorder.catch_up()
    place.api.world.remove(ASK)
    for _ in range(2):
        await recorder.catch_up()
    recorded = await place.recorded()
    assert recorded is not None
    assert (recorded["state"], recorded["isOpen"], recorded["live"]) == ("Withdrawn", False, False)
    assert await place.heard() == ["Pending", "Withdrawn"]


class Undefined(MemoryWorld):
    """A world without the definition of some kind, or without the right to see it."""

    def __init__(self, missing: Kind, error: type[WorldError] = NotFoundError) -> None:
        super().__init__()
        self.missing = missing
        self.error = error
        self.asked: list[Kind] = []

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind == self.missing:
            raise self.error(f"{kind.plural} is not served")
        async for each in super().list(kind, selection):
            yield each

    async def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        self.asked.append(kind)
        if kind == self.missing:
            raise self.error(f"{kind.plural} is not served ({selection})")
        await asyncio.Event().wait()
        yield Change("ADDED", {})


@pytest.mark.parametrize("error", [NotFoundError, ForbiddenError])
async def test_an_api_records_all_else_before_asks_are_defined(
    place: Place, error: type[WorldError]
) -> None:
    """The API server asks for the right first: under earlier roles it never says that the
    definition is missing."""
    world = Undefined(APPROVAL, error)
    world.put({**place.run.to_json(), "kind": "Execution"})
    recorder = replace(place.api.parts.recorder, world=world, again_seconds=0.001)
    running = asyncio.create_task(recorder.run())
    async with asyncio.timeout(30):
        while world.asked.count(APPROVAL) < 3:
            await asyncio.sleep(0)
    assert recorder.is_caught_up
    assert await place.api.documents.get(f"executions/{place.run.metadata.uid}") is not None
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert world.asked.count(EXECUTION) == 1, "their watch goes on meanwhile"


async def test_a_kind_that_must_be_there_is_missed(place: Place) -> None:
    recorder = replace(place.api.parts.recorder, world=Undefined(EXECUTION))
    with pytest.raises(NotFoundError):
        await recorder.catch_up()
