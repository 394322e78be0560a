"""The operator dies at a call that it makes to a real world, and the next one carries on; or
the answer to the call is lost, and it carries on itself.

Each landing tries some calls of each verb and kind, `make test-all` every call. Job controller and
kubelet are played by the test, under a field manager of their own.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from operator import itemgetter
from pathlib import Path

import pytest

from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import EXECUTION_LABEL, FINISHED_LABEL
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    CONTROLLER_REVISION,
    EVENT,
    EXECUTION,
    JOB,
    POD,
    SECRET,
    JsonObject,
    JsonValue,
    Kind,
    Ref,
    Selection,
    UnavailableError,
    World,
)
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.engine import utc_now
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.keys import Key
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.runs.caches import FreshExecutions
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.effect_runner import EffectRunner
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.pods import Pod
from heliostat_operator.runs.reconciler import ExecutionReconciler
from support.builders.pods import make_result, running, terminated
from support.builders.resources import make_settings
from support.control_plane import Address
from support.fake_gateway import FakeGateway
from support.faults import CrashError, CrashingWorld
from support.objects import make_agent, make_execution
from support.sampling import rows_of_landing
from support.worlds import make_namespace

PRIVATE_PEM = new_private_key()
MOST_ROUNDS = 80
AT_ONCE = 8
NEVER = 10_000
SHARE = 0.1  # of the calls of each verb and kind
ADMITTED = 12  # the calls up to here are those of every story


@dataclass
class Clock:
    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.offset


@dataclass(frozen=True)
class Ground:
    """A world as the operator has it, the same as everybody else has it, and a namespace a run."""

    operator: World
    others: World
    make_namespace: Callable[[], str]


Open = Callable[[], AbstractAsyncContextManager[Ground]]


@pytest.fixture(params=["cluster", "embedded"])
def open_ground(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "embedded":
        return lambda: embedded(tmp_path)
    address = request.getfixturevalue("api_server_with_crds")
    assert isinstance(address, Address)
    return lambda: cluster(address)


@asynccontextmanager
async def cluster(address: Address) -> AsyncIterator[Ground]:
    config = address.kubeconfig
    async with (
        await KubernetesWorld.connect(kubeconfig=config) as operator,
        await KubernetesWorld.connect(kubeconfig=config, field_manager="others") as others,
    ):
        namespace = make_namespace(address)
        yield Ground(operator, others, lambda: namespace)


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Ground]:
    world = EmbeddedWorld(Store(folder / "world.sqlite"))
    names = (f"t-{number}" for number in count())
    yield Ground(world, world.as_manager("others"), lambda: next(names))


class Operator:
    """One process of the operator: what it remembers goes with it."""

    def __init__(self, world: World, gateway: FakeGateway, clock: Clock) -> None:
        settings = make_settings()
        limiter = ConcurrencyLimiter(settings.max_concurrent_executions, settings.aging_seconds)
        signer = Signer(PRIVATE_PEM, clock)
        self.reconciler = ExecutionReconciler(
            world,
            Observer(world, gateway, limiter, clock, settings.usage_seconds),
            EffectRunner(world, gateway, signer, NetworkPolicies(world, settings), settings, clock),
            limiter,
            settings,
            clock,
        )


class Cluster:
    """Job controller, kubelet and the people of one Execution: a step each time it is asked."""

    def __init__(self, ground: Ground, name: str, story: str) -> None:
        self.world, self.name, self.story = ground.others, name, story
        self.namespace = ground.make_namespace()
        self.jobs: dict[str, str] = {}
        self.graces: list[int | None] = []

    async def step(self) -> None:
        for job in await self.children(JOB):
            await self.follow(job)
        for pod in await self.children(POD):
            await self.end(Pod.model_validate(pod))

    async def children(self, kind: Kind) -> list[JsonObject]:
        selection = Selection(self.namespace, {EXECUTION_LABEL: self.name})
        return [each async for each in self.world.list(kind, selection)]

    async def execution(self) -> Execution | None:
        found = await self.world.get(Ref(EXECUTION, self.namespace, self.name))
        return Execution.model_validate(found) if found else None

    async def is_marked(self) -> bool:
        found = await self.execution()
        return found is not None and found.metadata.labels.get(FINISHED_LABEL) == "true"

    async def follow(self, job: JsonObject) -> None:
        meta = ObjectHead.model_validate(job).metadata
        assert self.jobs.setdefault(meta.name, meta.uid) == meta.uid, "a second Job of an attempt"
        ref = Ref(POD, self.namespace, f"{meta.name}-pod")
        found = await self.world.get(ref)
        if found is None:
            await self.world.create(pod_of(job, ref))
            return
        pod = Pod.model_validate(found)
        if pod.metadata.deletion_timestamp is not None or pod.is_over:
            return
        if pod.container.running is None:
            await self.set_status(ref, "Running", running(utc_now()))
        elif self.story == "retry":
            await self.finish(ref, first=meta.name == f"{self.name}-1")
        else:
            await self.stop()

    async def finish(self, ref: Ref, *, first: bool) -> None:
        """The first attempt loses its provider, the second succeeds."""
        if first:
            document = make_result("Failed", "ProviderFailed", "infrastructure", "529.")
            await self.set_status(ref, "Failed", terminated(15, message=document))
        else:
            await self.set_status(ref, "Succeeded", terminated(0, message=make_result()))

    async def stop(self) -> None:
        if self.story == "delete":
            await self.world.delete(Ref(EXECUTION, self.namespace, self.name))
        else:
            await self.world.apply(make_execution(self.namespace, self.name, cancel=True))

    async def end(self, pod: Pod) -> None:
        """The kubelet ends what is being deleted."""
        if pod.metadata.deletion_timestamp is not None:
            self.graces.append(pod.metadata.deletion_grace_period_seconds)
            ref = Ref(POD, self.namespace, pod.metadata.name)
            await self.world.delete(ref, grace_seconds=0)

    async def set_status(self, ref: Ref, phase: str, state: JsonObject) -> None:
        container: JsonObject = {
            "name": "agent",
            "image": "x",
            "imageID": "x",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        await self.world.patch_status(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": ref.name, "namespace": ref.namespace},
                "status": {"phase": phase, "containerStatuses": [container]},
            }
        )


def pod_of(job: JsonObject, ref: Ref) -> JsonObject:
    """What the Job controller makes of the template."""
    meta = ObjectHead.model_validate(job).metadata
    spec = job["spec"]
    assert isinstance(spec, dict)
    template = spec["template"]
    labels: dict[str, JsonValue] = {**template["metadata"]["labels"]}
    labels["batch.kubernetes.io/job-name"] = meta.name
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": labels,
            "annotations": template["metadata"]["annotations"],
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": meta.name,
                    "uid": meta.uid,
                    "controller": True,
                }
            ],
        },
        "spec": {**template["spec"], "nodeName": "played"},
    }


@dataclass
class Outcome:
    failed: bool
    calls: list[str]
    cluster: Cluster
    gateway: FakeGateway
    execution: Execution | None
    uid: str


async def live_through(ground: Ground, story: str, crash_at: int, *, lost: bool) -> Outcome:
    """One Execution from its creation to its end; its first operator dies at that call."""
    name = f"{story}-{crash_at}-{'lost' if lost else 'dead'}"
    cluster, gateway, clock = Cluster(ground, name, story), FakeGateway(), Clock()
    await ground.others.apply(make_agent(cluster.namespace))
    made = await ground.others.create(make_execution(cluster.namespace, name))
    uid = ObjectHead.model_validate(made).metadata.uid
    faulty = CrashingWorld(ground.operator, crash_at, answer_lost=lost)
    operator = Operator(faulty, gateway, clock)
    arrivals = FreshExecutions(time.monotonic)
    key = (cluster.namespace, name)
    for _ in range(MOST_ROUNDS):
        try:
            await bring(arrivals, key, cluster)
            wait = await operator.reconciler.reconcile(key, arrivals.take(key))
        except CrashError:
            operator = Operator(ground.operator, gateway, clock)
            wait = None if await cluster.is_marked() else 0.0  # the next one lists no marked run
        except UnavailableError:
            continue
        if wait is None:
            execution = await cluster.execution()
            return Outcome(faulty.has_failed, faulty.made, cluster, gateway, execution, uid)
        await cluster.step()
        clock.offset += timedelta(seconds=min(wait, 2.0))
    raise AssertionError(f"{name} never ends: {await cluster.execution()}")


async def bring(arrivals: FreshExecutions, key: Key, cluster: Cluster) -> None:
    """What a watch does; the operator does without a reading where it may."""
    execution = await cluster.execution()
    if execution is not None:
        arrivals.bring(key, execution)


async def crash_at_calls(
    ground: Ground, story: str, *, lost: bool, first: int = 1
) -> list[Outcome]:
    """One run without a crash, then one for each of its calls that is tried; several at once."""
    outcomes = [await live_through(ground, story, NEVER, lost=lost)]
    calls = list(enumerate(outcomes[0].calls, start=1))[first - 1 :]
    name = f"crashes of the operator, {story}, {'lost' if lost else 'dead'}"
    tried = [number for number, _ in rows_of_landing(name, calls, itemgetter(1), SHARE)]
    while tried:
        batch, tried = tried[:AT_ONCE], tried[AT_ONCE:]
        runs = (live_through(ground, story, each, lost=lost) for each in batch)
        outcomes += await asyncio.gather(*runs)
    return outcomes


@pytest.mark.timeout(900)  # thousands of calls, on a machine that may be busy
@pytest.mark.parametrize("lost", [False, True], ids=["it dies", "the answer is lost"])
async def test_a_run_with_a_lost_attempt_is_neither_lost_nor_doubled(
    open_ground: Open, lost: bool
) -> None:
    async with open_ground() as ground:
        outcomes = await crash_at_calls(ground, "retry", lost=lost)
        for each in outcomes:
            await check_the_run(each)
        assert sum(each.failed for each in outcomes) > AT_ONCE


async def check_the_run(outcome: Outcome) -> None:
    execution, cluster = outcome.execution, outcome.cluster
    assert execution is not None
    assert (execution.status.phase, execution.finished_reason) == ("Succeeded", "Verified")
    assert execution.is_settled
    assert execution.metadata.finalizers == ()
    assert execution.metadata.labels[FINISHED_LABEL] == "true"
    attempts = execution.status.attempts
    assert [(each.reason, each.cause) for each in attempts] == [
        ("ProviderFailed", "infrastructure"),
        ("Verified", None),
    ]
    names = [f"{cluster.name}-1", f"{cluster.name}-2"]
    assert cluster.jobs == {each.job_name: each.job_uid for each in attempts}
    assert outcome.gateway.revoked == [(outcome.uid, 1), (outcome.uid, 2)]
    await check_children(outcome, JOB, names)
    await check_children(outcome, SECRET, names)
    await check_children(outcome, CONTROLLER_REVISION, [f"{cluster.name}-spec"])


async def check_children(outcome: Outcome, kind: Kind, names: list[str]) -> None:
    heads = [ObjectHead.model_validate(each) for each in await outcome.cluster.children(kind)]
    assert sorted(each.metadata.name for each in heads) == names
    assert all(each.metadata.is_owned_by(outcome.uid) for each in heads)


@pytest.mark.timeout(900)  # thousands of calls, on a machine that may be busy
@pytest.mark.parametrize("lost", [False, True], ids=["it dies", "the answer is lost"])
async def test_a_cancelled_run_leaves_nothing_that_runs(open_ground: Open, lost: bool) -> None:
    async with open_ground() as ground:
        for each in await crash_at_calls(ground, "cancel", lost=lost, first=ADMITTED):
            await check_the_stop(each)
            assert each.execution is not None
            assert each.execution.finished_reason == "Cancelled"
            cancellation = each.execution.status.cancellation
            assert cancellation is not None
            assert cancellation.by == "others"


@pytest.mark.timeout(900)  # thousands of calls, on a machine that may be busy
@pytest.mark.parametrize("lost", [False, True], ids=["it dies", "the answer is lost"])
async def test_a_deleted_run_leaves_a_word_on_the_agent(open_ground: Open, lost: bool) -> None:
    async with open_ground() as ground:
        for each in await crash_at_calls(ground, "delete", lost=lost, first=ADMITTED):
            await check_the_stop(each)
            assert each.execution is None
            where = Selection(each.cluster.namespace)
            events = [event async for event in ground.others.list(EVENT, where)]
            told = [str(event["message"]) for event in events]
            assert [words for words in told if repr(each.cluster.name) in words] == [
                f"Execution {each.cluster.name!r} was deleted while it ran: its key was revoked, "
                "its pod deleted."
            ]


async def check_the_stop(outcome: Outcome) -> None:
    cluster = outcome.cluster
    assert outcome.gateway.revoked == [(outcome.uid, 1)]
    assert await cluster.children(JOB) == []
    assert await cluster.children(POD) == []
    assert cluster.graces
    assert all(grace is not None and grace <= 3 for grace in cluster.graces)
