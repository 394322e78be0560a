"""Each request that a run which is stopped costs the API server is on a list: none creeps in.

Queues of thousands are cancelled at once, and namespaces with hundreds of runs deleted."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import FINISHED_LABEL
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    JOB,
    POD,
    Change,
    JsonObject,
    JsonValue,
    Ref,
)
from heliostat_operator.engine import Engine
from heliostat_operator.gateway.signing import Signer
from support.builders.pods import make_pod, running
from support.builders.resources import NOW, make_agent, make_execution, make_settings
from support.counting_world import CountingWorld
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import meta_of
from support.objects import mapping_at, uid_of, value_at

SIGNER = Signer(new_private_key(), lambda: NOW)
RUN = Ref(EXECUTION, "default", "one")
WATCHED = (AGENT, EXECUTION, JOB, POD)
TURN = 0.01  # seconds of simulated time from a change to its event


class WatchedWorld(CountingWorld):
    """Tells an engine of every change as a cluster's watches do."""

    async def pause(self) -> None:
        """The watch may be faster than the answer."""
        await asyncio.sleep(TURN)

    def remove(self, ref: Ref) -> None:
        """A deletion is a change with a version of its own, which no answer says."""
        if ref in self.objects:
            gone = self.objects[ref]
            version = str(next(self._versions))
            self.objects[ref] = {
                **gone,
                "metadata": {**meta_of(gone), "resourceVersion": version},
            }
        super().remove(ref)

    def tell(self, engine: Engine) -> None:
        changes, self.changes = self.changes, []
        for kind, change in changes:
            if kind in WATCHED:
                engine.see(kind, as_watched(change))


def as_watched(change: Change) -> Change:
    """What is marked as finished has left what the watches select."""
    labels = mapping_at(change.object, "metadata").get("labels")
    is_marked = isinstance(labels, dict) and labels.get(FINISHED_LABEL) == "true"
    return Change("DELETED", change.object) if is_marked else change


class Stage:
    """An engine at work over a world in which one Execution is stopped."""

    def __init__(self, *, suspended: bool = False) -> None:
        self.world = WatchedWorld()
        self.gateway = FakeGateway()
        self.engine = Engine(self.world, self.gateway, SIGNER, make_settings(), lambda: NOW)
        self.put(make_agent(suspend=suspended).to_json())
        self.put(make_execution("one").to_json())

    def put(self, obj: JsonObject) -> None:
        document: dict[str, JsonValue] = {**obj}
        document.pop("status", None)
        self.world.put(document)

    async def work(self, until: Callable[[], bool]) -> None:
        """Lets it work until that is so, and a little longer."""
        queue = asyncio.create_task(self.engine.queue("execution").run())
        async with asyncio.timeout(300):
            while not until():
                await self.turn()
        for _ in range(20):  # for what follows by itself
            await self.turn()
        queue.cancel()
        with suppress(asyncio.CancelledError):
            await queue

    async def turn(self) -> None:
        self.world.tell(self.engine)
        await asyncio.sleep(TURN)

    def start_pod(self) -> None:
        """As Job controller and kubelet do."""
        job = self.world.objects[Ref(JOB, "default", "one-1")]
        template = mapping_at(job, "spec", "template", "metadata")
        self.world.put(
            make_pod(
                "Running",
                running(),
                name="one-1-x7k2p",
                job_name="one-1",
                job_uid=uid_of(job),
                labels=texts_at(template, "labels"),
                annotations=texts_at(template, "annotations"),
            )
        )

    def pod_leaves(self) -> bool:
        pod = self.world.objects.get(Ref(POD, "default", "one-1-x7k2p"))
        return pod is not None and value_at(pod, "metadata", "deletionTimestamp") is not None

    def cancel(self) -> None:
        document = self.world.objects[RUN]
        self.world.put({**document, "spec": {**mapping_at(document, "spec"), "cancel": True}})

    @property
    def run(self) -> Execution:
        return Execution.model_validate(self.world.objects[RUN])

    def is_marked(self) -> bool:
        found = self.world.objects.get(RUN)
        return (
            found is None
            or Execution.model_validate(found).metadata.labels.get(FINISHED_LABEL) == "true"
        )


def texts_at(obj: JsonObject, name: str) -> dict[str, str]:
    return {key: str(value) for key, value in mapping_at(obj, name).items()}


async def make_waiting() -> Stage:
    stage = Stage(suspended=True)
    await stage.work(lambda: stage.run.status.phase == "Pending")
    stage.world.asked.clear()
    return stage


async def make_running() -> Stage:
    stage = Stage()
    await stage.work(lambda: Ref(JOB, "default", "one-1") in stage.world.objects)
    stage.start_pod()
    await stage.work(lambda: stage.run.status.phase == "Running")
    stage.world.asked.clear()
    return stage


async def let_the_pod_go(stage: Stage) -> None:
    """It takes its grace, then it is gone."""
    await stage.work(stage.pod_leaves)
    stage.world.remove(Ref(POD, "default", "one-1-x7k2p"))
    await stage.work(stage.is_marked)


def test_a_waiting_run_that_is_cancelled_costs_two_writes() -> None:
    async def go() -> None:
        stage = await make_waiting()
        stage.cancel()
        await stage.work(stage.is_marked)
        assert stage.run.status.phase == "Cancelled"
        assert stage.world.asked == ["status Execution", "apply Execution"]

    run(go())


def test_a_waiting_run_that_is_deleted_costs_one_read() -> None:
    async def go() -> None:
        stage = await make_waiting()
        await stage.world.delete(RUN)
        stage.world.asked.clear()
        await stage.work(lambda: RUN not in stage.world.objects)
        assert stage.world.asked == ["get Execution"]

    run(go())


STOPS = ["get Pod", "delete Pod", "delete Job"]
"""How a running one is stopped: its result is looked for first."""
IS_GONE = ["get Job", "list Pod"]


def test_a_running_run_that_is_cancelled_costs_eight_requests() -> None:
    async def go() -> None:
        stage = await make_running()
        stage.cancel()
        await let_the_pod_go(stage)
        assert (stage.run.status.phase, stage.run.is_settled) == ("Cancelled", True)
        assert stage.gateway.revoked == [(stage.run.metadata.uid, 1)]
        end = [*IS_GONE, "status Execution", "apply Execution"]
        assert stage.world.asked == [*STOPS, "status Execution", *end]

    run(go())


def test_a_running_run_that_is_deleted_costs_nine_requests() -> None:
    async def go() -> None:
        stage = await make_running()
        uid = stage.run.metadata.uid
        await stage.world.delete(RUN)
        stage.world.asked.clear()
        await let_the_pod_go(stage)
        assert RUN not in stage.world.objects
        assert stage.gateway.revoked == [(uid, 1)]
        end = [*IS_GONE, "status Execution", "apply Execution"]
        assert stage.world.asked == [*STOPS, "create Event", "status Execution", *end]

    run(go())


def test_a_stop_costs_nothing_while_its_pod_leaves_whatever_the_job_says() -> None:
    async def go() -> None:
        stage = await make_running()
        job = stage.world.objects[Ref(JOB, "default", "one-1")]
        stage.cancel()
        await stage.work(stage.pod_leaves)
        stage.world.asked.clear()
        stage.world.put(job)  # as its controller counts the pod
        await stage.work(lambda: True)
        assert stage.world.asked == []

    run(go())


def test_the_end_of_a_pod_that_leaves_is_looked_at() -> None:
    async def go() -> None:
        stage = await make_running()
        stage.cancel()
        await stage.work(stage.pod_leaves)
        stage.world.asked.clear()
        pod = stage.world.objects[Ref(POD, "default", "one-1-x7k2p")]
        stage.world.put({**pod, "status": {**mapping_at(pod, "status"), "phase": "Failed"}})
        await stage.work(lambda: True)
        assert stage.world.asked == IS_GONE

    run(go())


def test_a_job_without_a_pod_ends_the_stop_by_its_own_end() -> None:
    async def go() -> None:
        stage = Stage()
        await stage.work(lambda: Ref(JOB, "default", "one-1") in stage.world.objects)
        stage.cancel()
        await stage.work(stage.is_marked)
        assert stage.run.status.phase == "Cancelled"
        assert Ref(JOB, "default", "one-1") not in stage.world.objects

    run(go())


def test_a_stop_is_settled_with_its_end_only_by_a_ledger_that_was_asked_with_dead_keys() -> None:
    async def go() -> None:
        stage = await make_running()
        stage.gateway.answers = False
        stage.cancel()
        await stage.work(stage.pod_leaves)
        stage.world.remove(Ref(POD, "default", "one-1-x7k2p"))
        await stage.work(lambda: stage.run.is_finished)
        assert not stage.run.is_settled
        assert not stage.is_marked()
        stage.gateway.answers = True
        stage.world.put(stage.world.objects[RUN])
        await stage.work(stage.is_marked)
        assert stage.run.is_settled
        assert stage.gateway.revoked == [(stage.run.metadata.uid, 1)]

    run(go())


def test_a_pod_that_starts_is_read_by_the_name_that_the_watch_told() -> None:
    """A list costs the more, the more pods the namespace has."""

    async def go() -> None:
        stage = Stage()
        await stage.work(lambda: Ref(JOB, "default", "one-1") in stage.world.objects)
        stage.world.asked.clear()
        stage.start_pod()
        await stage.work(lambda: stage.run.status.phase == "Running")
        read = ["get Execution", "get ControllerRevision", "get Job", "get Pod"]
        assert stage.world.asked == [*read, "status Execution"]

    run(go())
