"""The engine over a world in memory: what wakes what, and what must not stop it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import FINISHED_LABEL, OFFERED_ANNOTATION
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    EVERYTHING,
    EXECUTION,
    JOB,
    Change,
    ForbiddenError,
    JsonObject,
    JsonValue,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    UnavailableError,
    WorldError,
)
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.observability.metrics import Metrics
from heliostat_operator.settings import OperatorSettings
from support.builders.resources import NOW, make_agent, make_execution, make_settings, seconds
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import MemoryWorld, meta_of
from support.objects import with_metadata

SIGNER = Signer(new_private_key(), utc_now)


def make_engine(
    world: MemoryWorld, settings: OperatorSettings | None = None, meter: Metrics | None = None
) -> Engine:
    return Engine(world, FakeGateway(), SIGNER, settings or make_settings(), meter=meter)


def put(world: MemoryWorld, resource: Execution) -> None:
    document: dict[str, JsonValue] = {**resource.to_json()}
    document.pop("status")
    world.put(document)


def make_world(*executions: Execution) -> MemoryWorld:
    world = MemoryWorld()
    agent: dict[str, JsonValue] = {**make_agent().to_json()}
    agent.pop("status")
    world.put(agent)
    for each in executions:
        put(world, each)
    return world


async def work_until(engine: Engine, is_so: Callable[[], bool], limit: float = 600) -> None:
    """Let the engine work, in simulated time, until it is so."""
    task = asyncio.create_task(engine.run())
    try:
        async with asyncio.timeout(limit):
            while not is_so():
                assert not task.done(), task
                await asyncio.sleep(0.1)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def jobs(world: MemoryWorld) -> set[str]:
    return {ref.name for ref in world.objects if ref.kind == JOB}


def test_what_exists_at_the_start_is_found_without_any_event() -> None:
    world = make_world(make_execution("one"), make_execution("two"))
    run(work_until(make_engine(world), lambda: jobs(world) == {"one-1", "two-1"}))


def test_what_is_marked_as_finished_is_not_looked_at() -> None:
    marked = make_execution("marked", labels={FINISHED_LABEL: "true"})
    world = make_world(marked, make_execution("two"))
    run(work_until(make_engine(world), lambda: jobs(world) == {"two-1"}))


def test_one_object_that_cannot_be_read_does_not_stop_the_others() -> None:
    world = make_world(make_execution("fine"))
    world.put(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": "Execution",
            "metadata": {"name": "broken", "namespace": "default"},
            "spec": {"agentRef": {"name": "sales"}, "deadlineTime": "0000-01-01T00:00:00Z"},
        }
    )
    run(work_until(make_engine(world), lambda: jobs(world) == {"fine-1"}))


def test_a_reconcile_that_fails_is_counted() -> None:
    metrics, world = Metrics(), make_world(make_execution("one"))
    engine = make_engine(world, meter=metrics)
    world.failures["create"] = UnavailableError("away")

    def failures(kind: str) -> float:
        counted = metrics.registry.get_sample_value
        return counted("heliostat_operator_reconcile_failures_total", {"kind": kind}) or 0

    run(work_until(engine, lambda: failures("execution") > 2))
    looks = metrics.registry.get_sample_value(
        "heliostat_operator_reconcile_seconds_count", {"kind": "execution"}
    )
    assert looks is not None
    assert looks >= failures("execution")
    assert failures("agent") == 0


def test_an_agent_is_counted_from_when_it_is_seen_until_it_is_deleted() -> None:
    metrics, world = Metrics(), make_world()
    engine, agent = make_engine(world, meter=metrics), {**make_agent().to_json()}
    labels = {"namespace": "default", "agent": "sales"}

    def cost() -> float | None:
        return metrics.registry.get_sample_value("heliostat_agent_cost_microdollars_total", labels)

    async def go() -> None:
        engine.see(AGENT, Change("ADDED", agent))
        assert cost() == 0
        engine.see(AGENT, Change("DELETED", agent))
        assert cost() is None
        await engine.resync()
        assert cost() == 0
        world.objects.clear()  # and the watch misses it
        await engine.resync()
        assert cost() is None

    run(go())


def test_an_api_server_that_is_away_during_a_resync_does_not_end_the_engine() -> None:
    world = make_world(make_execution("one"))
    engine = make_engine(world, make_settings(resync_seconds=20))

    async def go() -> None:
        await work_until_then(engine, world)

    run(go())


async def work_until_then(engine: Engine, world: MemoryWorld) -> None:
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(10)
    world.failures["list"] = UnavailableError("away")
    await asyncio.sleep(60)
    world.failures.clear()
    put(world, make_execution("two"))
    async with asyncio.timeout(120):
        while "two-1" not in jobs(world):
            await asyncio.sleep(1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_slot_that_the_watch_frees_is_given_on_at_once() -> None:
    # The watch is behind our own writes: it may bring the end of a run after the reconcile that
    # wrote it has passed on, and its old state just before.
    world = make_world(make_execution("first"), make_execution("second", created=NOW + seconds(1)))
    engine = make_engine(world, make_settings(max_concurrent_executions=1))

    async def go() -> float:
        await work_until(engine, lambda: jobs(world) == {"first-1"})
        waiting = Ref(EXECUTION, "default", "first")
        gone = world.objects[waiting]
        world.objects.pop(waiting)
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(engine.queue("execution").run())
        await asyncio.sleep(5)
        began = loop.time()
        engine.see(EXECUTION, Change("DELETED", gone))
        async with asyncio.timeout(120):
            while "second-1" not in jobs(world):
                await asyncio.sleep(0.1)
        task.cancel()
        return loop.time() - began

    assert run(go()) < 2


def test_a_pod_wakes_its_execution_by_the_whole_name() -> None:
    name = "a-name-that-is-longer-than-a-label-may-be-" + "x" * 60
    world = make_world(make_execution(name))
    engine = make_engine(world)
    run(work_until(engine, lambda: len(jobs(world)) == 1))
    job = next(each for ref, each in world.objects.items() if ref.kind == JOB)
    pod = {"metadata": {"name": "p", "annotations": meta_of(job)["annotations"]}}
    engine.see(JOB, Change("MODIFIED", pod))
    assert len(engine.queue("execution")) >= 1


class TellingWorld(MemoryWorld):
    """Counts how often each Execution and Agent is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    async def get(self, ref: Ref) -> JsonObject | None:
        self.reads.append(f"{ref.kind.name} {ref.name}")
        return await super().get(ref)

    def tell(self, engine: Engine) -> None:
        """The watch brings what happened since it was asked last."""
        changes, self.changes = self.changes, []
        for kind, change in changes:
            if kind in (AGENT, EXECUTION, JOB):
                engine.see(kind, change)


async def let_it_work(engine: Engine, seconds: float) -> None:
    task = asyncio.create_task(engine.queue("execution").run())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def fill(world: MemoryWorld) -> None:
    agent: dict[str, JsonValue] = {**make_agent().to_json()}
    agent.pop("status")
    world.put(agent)
    put(world, make_execution("one"))


def test_a_new_execution_starts_from_what_the_watch_brought() -> None:
    async def go() -> None:
        world = TellingWorld()
        engine = make_engine(world)
        fill(world)
        world.tell(engine)
        await let_it_work(engine, 1)
        assert jobs(world) == {"one-1"}
        assert world.reads == ["Agent sales"]

    run(go())


def test_our_own_writes_wake_no_further_look_and_those_of_others_do() -> None:
    async def go() -> None:
        world = TellingWorld()
        engine = make_engine(world)
        fill(world)
        world.tell(engine)
        await let_it_work(engine, 1)
        world.reads.clear()
        world.tell(engine)  # the finalizer, the status, the Job: all ours
        await let_it_work(engine, 1)
        assert world.reads == []
        world.put(world.objects[Ref(JOB, "default", "one-1")])  # as the Job controller would
        world.tell(engine)
        await let_it_work(engine, 1)
        assert "Execution one" in world.reads

    run(go())


class HastyWorld(TellingWorld):
    """Its watch is faster than its answers."""

    engine: Engine

    async def create(self, obj: JsonObject) -> JsonObject:
        made = await super().create(obj)
        self.tell(self.engine)
        return made

    async def apply(self, obj: JsonObject) -> JsonObject:
        applied = await super().apply(obj)
        self.tell(self.engine)
        return applied

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        patched = await super().patch_status(obj)
        self.tell(self.engine)
        return patched


@pytest.mark.parametrize("others_too", [False, True], ids=["ours alone", "another's too"])
def test_a_watch_that_is_faster_than_the_answer_wakes_only_for_others(others_too: bool) -> None:
    async def go() -> None:
        world = HastyWorld()
        engine = world.engine = make_engine(world)
        fill(world)
        world.tell(engine)
        looking = asyncio.create_task(let_it_work(engine, 1))
        if others_too:
            while not jobs(world):
                await asyncio.sleep(0)
            world.put(world.objects[Ref(JOB, "default", "one-1")])
            world.tell(engine)
        await looking
        assert ("Execution one" in world.reads) == others_too

    run(go())


def test_a_refused_execution_is_let_go_without_any_further_event() -> None:
    async def go() -> None:
        world = TellingWorld()
        engine = make_engine(world)
        fill(world)
        put(world, make_execution("late", deadlineTime="2026-01-01T00:00:00Z"))
        world.tell(engine)
        await let_it_work(engine, 1)
        labels = meta_of(world.objects[Ref(EXECUTION, "default", "late")])["labels"]
        assert isinstance(labels, dict)
        assert labels[FINISHED_LABEL] == "true"

    run(go())


def test_a_resync_looks_at_what_we_wrote_and_never_heard_of_again() -> None:
    async def go() -> None:
        world = TellingWorld()
        engine = make_engine(world)
        fill(world)
        world.tell(engine)
        await let_it_work(engine, 1)
        world.reads.clear()
        await engine.resync()  # the watch is dead: of the pod, too, nothing was heard
        await let_it_work(engine, 1)
        assert "Execution one" in world.reads

    run(go())


def test_an_agent_that_changes_is_read_for_the_next_execution() -> None:
    async def go() -> None:
        world = TellingWorld()
        engine = make_engine(world)
        fill(world)
        put(world, make_execution("two"))
        world.tell(engine)
        await let_it_work(engine, 1)
        assert world.reads == ["Agent sales"]
        put(world, make_execution("three"))
        world.put(world.objects[Ref(AGENT, "default", "sales")])
        world.tell(engine)
        await let_it_work(engine, 1)
        assert world.reads == ["Agent sales", "Agent sales"]

    run(go())


SCHEDULED = {"kind": "Schedule", "id": "Builtin", "scheduledTime": NOW}


def change(execution: Execution, *, told: bool = False) -> Change:
    """As the watch brings it: new, or with a status."""
    document: dict[str, JsonValue] = {**execution.to_json()}
    if not told:
        document.pop("status")
    return Change("ADDED", document)


MADE = make_execution(trigger=SCHEDULED)
OFFERED = Change(
    "ADDED",
    with_metadata(
        change(make_execution("offered", trigger=SCHEDULED)).object,
        annotations={OFFERED_ANNOTATION: "cron"},
    ),
)


@pytest.mark.parametrize(
    ("kind", "brought", "waits"),
    [
        pytest.param(EXECUTION, change(MADE), 10, id="the echo of what a schedule made"),
        pytest.param(EXECUTION, change(MADE, told=True), 0, id="that run, begun"),
        pytest.param(EXECUTION, Change("DELETED", change(MADE).object), 0, id="that run, gone"),
        pytest.param(EXECUTION, change(make_execution("by-hand")), 0, id="a run by hand"),
        pytest.param(EXECUTION, OFFERED, 0, id="an offer"),
        pytest.param(EXECUTION, Change("ADDED", {}), 0, id="what has no metadata"),
        pytest.param(AGENT, Change("ADDED", make_agent().to_json()), 0, id="an Agent"),
    ],
)
def test_only_echoes_wait_for_times_that_are_due(kind: Kind, brought: Change, waits: float) -> None:
    async def go() -> float:
        engine = make_engine(MemoryWorld())
        for each in (change(MADE), change(make_execution("by-hand")), OFFERED):
            engine.see(EXECUTION, each)
        engine.queue("schedule").add(("default", "another"), urgent=True)  # and nobody works on it
        await engine.hear(kind, brought)
        return asyncio.get_running_loop().time()

    assert run(go()) == waits


def test_an_echo_waits_for_nobody_in_calm() -> None:
    async def go() -> float:
        engine = make_engine(MemoryWorld())
        for _ in range(2):
            await engine.hear(EXECUTION, change(MADE))
        return asyncio.get_running_loop().time()

    assert run(go()) == 0


class WithoutAsks(MemoryWorld):
    """A cluster whose definitions or roles are those of the release before."""

    def __init__(self, error: WorldError) -> None:
        super().__init__()
        self.error = error

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if kind == APPROVAL:
            raise self.error
        async for each in super().list(kind, selection):
            yield each


@pytest.mark.parametrize("error", [NotFoundError("no such kind"), ForbiddenError("no such right")])
def test_an_operator_that_comes_before_its_definitions_works(error: WorldError) -> None:
    world = WithoutAsks(error)
    world.objects = make_world(make_execution("one")).objects
    run(work_until(make_engine(world), lambda: jobs(world) == {"one-1"}))
