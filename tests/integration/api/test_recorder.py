"""Recording: what happens in the world reaches documents and screens, whatever dies on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.documents.files import FileBounds, Files, WorkFile
from heliostat_api.documents.port import Document, Put
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.documents.transcripts import Position, Transcripts
from heliostat_api.events.changes import Changes
from heliostat_api.events.log import Report
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.executions.reading import Executions
from heliostat_api.ingest.service import Ingest
from heliostat_api.people.repository import PersonRepository
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.transcript_finaliser import TranscriptFinaliser
from heliostat_api.records.owners import Owners
from heliostat_api.web.problems import ProblemError
from heliostat_api.webhooks.delivery_planner import DeliveryPlanner
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.executions import MOST_INPUT
from heliostat_core.names import OWNER_ANNOTATION, RECORDED_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    AGENT,
    EVERYTHING,
    EXECUTION,
    Change,
    JsonObject,
    JsonValue,
    Kind,
    Ref,
    Selection,
)
from support.builders.resources import NOW
from support.deliveries import make_claims
from support.ingest_doubles import MemoryActions
from support.objects import ENDED

ANN = "person:ann"
NAMED = Ref(EXECUTION, "team", "run-1")
SPEC: JsonObject = {"agentRef": {"name": "worker"}}
EMOJI = "\N{SLIGHTLY SMILING FACE}"
"""A letter of four bytes."""


class FailingLog(SqliteEventLog):
    """A log that can break down."""

    broken = False

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        if self.broken:
            raise asyncio.CancelledError  # as a process that is killed at this point
        await super().append(audience, report, key)


@dataclass
class Place:
    """A world and an api's files."""

    world: EmbeddedWorld
    documents: SqliteDocuments
    log: FailingLog
    folder: StateFolder

    def recorder(self, owner: str | None = None) -> Recorder:
        closing = TranscriptFinaliser(
            self.world.as_manager("heliostat-recorder"),
            EmbeddedLogs(self.world, self.folder),
            self.documents,
            Transcripts(self.documents),
            lambda: NOW + timedelta(hours=1),
        )
        register = PersonRepository(self.documents, lambda: NOW)
        return Recorder(
            self.world,
            self.documents,
            self.log,
            Owners(owner),
            closing,
            lambda: NOW,
            register.is_erasing,
            (DeliveryPlanner(self.documents, Changes(self.log, lambda: NOW), lambda: NOW),),
        )

    async def add(self, name: str = "run-1", spec: JsonObject = SPEC, /, **annotations: str) -> str:
        """An Execution; its uid."""
        return uid_of(
            await self.world.create(
                {
                    "apiVersion": EXECUTION.api_version,
                    "kind": "Execution",
                    "metadata": {"name": name, "namespace": "team", "annotations": annotations},
                    "spec": spec,
                }
            )
        )

    async def set_status(self, **status: JsonValue) -> None:
        await self.world.patch_status(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": "Execution",
                "metadata": {"name": "run-1", "namespace": "team"},
                "status": status,
            }
        )

    async def heard(self, audience: str = ANN) -> list[tuple[str, object]]:
        found = await self.log.read([audience], 0)
        return [
            (each.report.type.value, each.report.payload.get("phase")) for each in found.reports
        ]

    async def document(self, uid: str) -> Document:
        found = await self.documents.get(f"executions/{uid}")
        assert found is not None
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    folder = StateFolder(tmp_path)
    store = Store(folder.world_file)
    documents = open_sqlite(folder.documents_file)
    log = FailingLog(folder.events_file)
    yield Place(EmbeddedWorld(store), documents, log, folder)
    await log.close()
    await documents.close()
    store.close()


@asynccontextmanager
async def recording(place: Place) -> AsyncIterator[None]:
    task = asyncio.create_task(place.recorder().run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def crash(place: Place) -> None:
    """A recorder dies after it wrote the document and before it reported."""
    place.log.broken = True
    with suppress(asyncio.CancelledError):
        await place.recorder().catch_up()
    place.log.broken = False


async def test_a_thing_without_owner_is_told_to_its_namespace_and_to_admins(place: Place) -> None:
    uid = await place.add()
    await place.recorder().catch_up()
    assert await place.heard("namespace:team") == [("execution.changed", "Pending")]
    assert await place.heard("cluster") == [("execution.changed", "Pending")]
    assert (await place.document(uid)).fields["userId"] == "namespace:team"


async def test_a_run_of_somebodys_agent_is_theirs(place: Place) -> None:
    await place.world.create(agent_of("ann"))
    await place.add()
    await place.recorder().catch_up()
    assert [kind for kind, _ in await place.heard()] == ["agent.changed", "execution.changed"]


async def test_a_run_that_is_seen_before_its_agent_is_told_to_nobody_else(place: Place) -> None:
    await place.world.create(agent_of("ann"))
    uid = await place.add()
    run = await place.world.get(NAMED)
    assert run is not None
    await place.recorder().see(EXECUTION, run)
    assert (await place.document(uid)).fields["userId"] == "ann"
    assert await place.heard("namespace:team") == []
    assert await place.heard("cluster") == []


async def test_a_run_whose_agent_is_gone_stays_its_owners_after_a_restart(place: Place) -> None:
    agent = uid_of(await place.world.create(agent_of("ann")))
    uid = await place.add()
    await place.recorder().catch_up()
    await place.world.delete(Ref(AGENT, "team", "worker"))
    await place.set_status(phase="Running")
    await place.recorder().catch_up()
    fields = (await place.document(uid)).fields
    known = (fields["userId"], fields["agentId"], fields["unowned"], fields["phase"])
    assert known == ("ann", agent, False, "Running")
    for audience in ("cluster", "namespace:team"):
        assert await place.heard(audience) == []
    assert ("execution.changed", "Running") in await place.heard()


def uid_of(obj: JsonObject) -> str:
    return ObjectHead.model_validate(obj).metadata.uid


def agent_of(person: str) -> JsonObject:
    return {
        "apiVersion": AGENT.api_version,
        "kind": "Agent",
        "metadata": {
            "name": "worker",
            "namespace": "team",
            "annotations": {OWNER_ANNOTATION: person},
        },
        "spec": {"prompt": "Work."},
    }


async def test_a_state_is_reported_once_however_often_it_is_seen(place: Place) -> None:
    await place.add(**{OWNER_ANNOTATION: "ann"})
    for _ in range(3):
        await place.recorder().catch_up()
    assert await place.heard() == [("execution.changed", "Pending")]


async def test_a_report_that_a_crash_cut_off_is_made_by_the_next_start(place: Place) -> None:
    await place.add(**{OWNER_ANNOTATION: "ann"})
    await crash(place)
    assert await place.heard() == []
    await place.recorder().catch_up()
    assert await place.heard() == [("execution.changed", "Pending")]


async def test_a_deletion_that_nobody_saw_ends_the_run_in_the_history(place: Place) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    await place.recorder().catch_up()
    await place.world.delete(NAMED)
    await place.recorder().catch_up()
    assert await place.heard() == [
        ("execution.changed", "Pending"),
        ("execution.changed", "Cancelled"),
    ]
    assert (await place.document(uid)).fields["status"] == "cancelled"


async def test_a_deletion_whose_report_a_crash_cut_off_is_reported_once(place: Place) -> None:
    await place.add(**{OWNER_ANNOTATION: "ann"})
    await place.recorder().catch_up()
    await place.world.delete(NAMED)
    await crash(place)
    for _ in range(3):
        await place.recorder().catch_up()
    assert [phase for _, phase in await place.heard()] == ["Pending", "Cancelled"]


async def test_an_older_state_does_not_take_the_place_of_a_newer_one(place: Place) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    older = await place.world.get(NAMED)
    assert older is not None
    await place.set_status(phase="Running")
    await place.recorder().catch_up()
    await place.recorder().see(EXECUTION, older)
    assert (await place.document(uid)).fields["phase"] == "Running"
    assert [phase for _, phase in await place.heard()] == ["Running"]


async def test_what_others_wrote_into_a_record_stays(place: Place) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    await place.recorder().catch_up()
    before = await place.document(uid)
    await place.documents.commit(Put(before.path, {**before.fields, "note": "kept"}))
    await place.set_status(phase="Running")
    await place.recorder().catch_up()
    assert (await place.document(uid)).fields["note"] == "kept"


async def test_changes_are_reported_while_they_happen(place: Place) -> None:
    async with recording(place):
        await place.add(**{OWNER_ANNOTATION: "ann"})
        await place.log.wait([ANN], 0, 10)
        first = await place.log.end()
        await place.set_status(phase="Running")
        await place.log.wait([ANN], first, 10)
    assert [phase for _, phase in await place.heard()] == ["Pending", "Running"]


FINISHED: JsonObject = {
    "phase": "Succeeded",
    "completionTime": "2026-11-22T12:00:00Z",
    "conditions": ENDED,
}


async def test_a_finished_run_is_marked_once_its_record_is_complete(place: Place) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    await place.set_status(**FINISHED)
    async with recording(place):
        async with asyncio.timeout(10):
            while not is_marked(await place.world.get(NAMED)):
                await asyncio.sleep(0.01)
    assert "recordedAt" in (await place.document(uid)).fields


async def test_a_key_that_outlives_its_run_delivers_nothing_into_the_closed_record(
    place: Place,
) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    recorder = place.recorder()
    transcripts = Transcripts(place.documents)
    files = Files(place.documents, lambda: NOW, FileBounds())
    ingest = Ingest(transcripts, files, MemoryActions(), recorder, place.log, lambda: NOW)
    claims = make_claims(uid)
    await recorder.catch_up()
    assert await ingest.append(claims, 0, b'{"n":0}\n') == 1
    assert await ingest.end(claims, 1, 0) == 1
    await place.set_status(**FINISHED)
    async with recording(place):
        async with asyncio.timeout(10):
            while not is_marked(await place.world.get(NAMED)):
                await asyncio.sleep(0.01)
    heard = await place.log.end()
    file = WorkFile(1, "report.txt", 3, hashlib.sha256(b"abc").hexdigest())
    deliveries = (
        ingest.append(claims, 1, b'{"n":1}\n'),
        ingest.lose(claims, 1, 5),
        ingest.end(claims, 1, 0),
        ingest.tell_pieces(claims, [{"type": "stream_event"}]),
        ingest.write_file(claims, file, 0, b"abc"),
    )
    for each in deliveries:
        with pytest.raises(ProblemError) as refused:
            await each
        assert refused.value.status == 403
    assert await transcripts.position(uid, 1) == Position(1, 0, ended=True)
    assert await place.log.end() == heard


def is_marked(obj: JsonObject | None) -> bool:
    metadata = (obj or {}).get("metadata")
    assert isinstance(metadata, dict)
    annotations = metadata.get("annotations", {})
    return isinstance(annotations, dict) and RECORDED_ANNOTATION in annotations


ODD: JsonObject = {"metadata": {"name": "odd", "namespace": "team", "uid": "odd"}, "spec": {}}
NOWHERE: JsonObject = {
    "metadata": {"name": "odd", "namespace": "team", "uid": "__odd__"},
    "spec": {"agentRef": {"name": "worker"}},
}


class OddWorld(EmbeddedWorld):
    """Holds one more Execution, which is of no agent or has an id that no store takes."""

    odd = ODD

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind is EXECUTION:
            yield self.odd
        async for each in super().list(kind, selection):
            yield each

    async def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        if kind is EXECUTION:
            yield Change("MODIFIED", self.odd)
        async for change in super().watch(kind, selection):
            yield change


@pytest.mark.parametrize("odd", [ODD, NOWHERE])
async def test_what_cannot_be_recorded_ends_the_record_of_nothing_else(
    place: Place, caplog: pytest.LogCaptureFixture, odd: JsonObject
) -> None:
    store = Store(place.folder.world_file)
    place.world = world = OddWorld(store)
    world.odd = odd
    await place.add(**{OWNER_ANNOTATION: "ann"})
    async with recording(place):
        await place.log.wait([ANN], 0, 10)
        first = await place.log.end()
        await place.set_status(phase="Running")
        await place.log.wait([ANN], first, 10)
    store.close()
    assert [phase for _, phase in await place.heard()] == ["Pending", "Running"]
    assert "Execution team/odd can't be recorded and is left alone" in caplog.text


async def test_what_is_larger_than_a_record_is_recorded_without_what_is_long(place: Place) -> None:
    variables = [{"name": f"V{number}", "value": EMOJI * 4096} for number in range(64)]
    spec: JsonObject = {"prompt": "Work.", "workspace": {"env": variables}}
    agent = uid_of(await place.world.create({**agent_of("ann"), "spec": spec}))
    run = await place.add("large", {**SPEC, "input": EMOJI * MOST_INPUT})
    await place.add()
    recorder = place.recorder()
    task = asyncio.create_task(recorder.run())
    async with asyncio.timeout(10):
        while not recorder.is_caught_up:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert [kind for kind, _ in await place.heard()] == [
        "agent.changed",
        *2 * ["execution.changed"],
    ]
    fields = (await place.document(run)).fields
    assert isinstance(fields["spec"], dict)
    assert fields["spec"].items() >= SPEC.items()
    assert not fields["spec"].keys() & {"input", "parameters"}
    with pytest.raises(ProblemError, match="too long to be kept"):
        await Executions(place.documents).spec(Person("ann", PersonKind.GUEST), run)
    found = await place.documents.get(f"agents/{agent}")
    assert found is not None
    assert found.fields["spec"] == {"prompt": "Work."}


async def test_a_phase_that_nobody_knows_is_recorded_as_it_is(place: Place) -> None:
    uid = await place.add(**{OWNER_ANNOTATION: "ann"})
    await place.set_status(phase="Wondering")
    async with recording(place):
        await place.log.wait([ANN], 0, 10)
    fields = (await place.document(uid)).fields
    assert (fields["phase"], fields["status"]) == ("Wondering", "pending")
