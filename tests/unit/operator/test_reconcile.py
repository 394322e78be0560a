"""Whole reconciles over a world in memory: what one look at an Execution brings about."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from heliostat_core.agents import Agent
from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import EXECUTION_UID_ANNOTATION, RECORDED_ANNOTATION, RUN_FINALIZER
from heliostat_core.worlds import (
    AGENT,
    CONTROLLER_REVISION,
    EVENT,
    EVERYTHING,
    EXECUTION,
    JOB,
    POD,
    SECRET,
    JsonObject,
    JsonValue,
    Kind,
    Ref,
    Selection,
    WorldError,
)
from heliostat_operator.gateway.ledgers import AgentSum
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.runs.caches import FreshExecution, Pauses, TerminatingNamespaces
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.effect_runner import EffectRunner
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.reconciler import ExecutionReconciler
from heliostat_operator.settings import OperatorSettings
from support.builders.pods import (
    make_condition,
    make_pod,
    make_result,
    running,
    stamp,
    terminated,
    waiting,
)
from support.builders.resources import (
    NOW,
    make_agent,
    make_execution,
    make_settings,
    make_uid,
    seconds,
)
from support.counting_world import CountingWorld
from support.fake_gateway import FakeGateway
from support.memory_world import Document, MemoryWorld, meta_of, ref_of
from support.objects import mapping_at

KEY = ("default", "sales-1")
PRIVATE_PEM = new_private_key()


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


class Operator:
    """One reconciler over one world."""

    def __init__(self, world: MemoryWorld, settings: OperatorSettings | None = None) -> None:
        self.world = world
        self.settings = settings or make_settings()
        self.gateway = FakeGateway()
        self.clock = Clock()
        self.limiter = ConcurrencyLimiter(
            self.settings.max_concurrent_executions, self.settings.aging_seconds
        )
        terminating = TerminatingNamespaces(time.monotonic)
        self.reconciler = ExecutionReconciler(
            world,
            Observer(
                world,
                self.gateway,
                self.limiter,
                self.clock,
                self.settings.usage_seconds,
                terminating=terminating,
            ),
            EffectRunner(
                world,
                self.gateway,
                Signer(PRIVATE_PEM, self.clock),
                NetworkPolicies(world, self.settings),
                self.settings,
                self.clock,
            ),
            self.limiter,
            self.settings,
            self.clock,
            terminating=terminating,
        )

    async def reconcile(self, name: str = "sales-1") -> float | None:
        return await self.reconciler.reconcile(("default", name))

    def execution(self, name: str = "sales-1") -> Execution:
        return Execution.model_validate(self.world.objects[Ref(EXECUTION, "default", name)])

    def put(self, resource: Agent | Execution) -> None:
        document: dict[str, JsonValue] = {**resource.to_json()}
        document.pop("status")
        self.world.put(document)

    def start_pod(self, name: str = "sales-1-1") -> None:
        """The Job controller and the kubelet: a pod of that Job runs."""
        self.world.put(pod_of(self.job(name)))

    def job(self, name: str = "sales-1-1") -> Document:
        return self.world.objects[Ref(JOB, "default", name)]

    def change_execution(self, **fields: JsonValue) -> None:
        document = self.world.objects[Ref(EXECUTION, "default", "sales-1")]
        spec = document["spec"]
        assert isinstance(spec, dict)
        self.world.put({**document, "spec": {**spec, **fields}})


def pod_of(job: Document) -> JsonObject:
    template = job["spec"]
    assert isinstance(template, dict)
    metadata = template["template"]["metadata"]
    meta = meta_of(job)
    return make_pod(
        "Running",
        running(),
        name=f"{meta['name']}-pod",
        job_name=str(meta["name"]),
        job_uid=str(meta["uid"]),
        labels=metadata["labels"],
        annotations=metadata["annotations"],
    )


@pytest.fixture
def operator() -> Operator:
    made = Operator(MemoryWorld())
    made.put(make_agent())
    made.put(make_execution())
    return made


def names(world: MemoryWorld, kind: Kind) -> list[str]:
    return sorted(ref.name for ref in world.objects if ref.kind == kind)


async def test_one_reconcile_brings_a_new_execution_to_its_job(operator: Operator) -> None:
    await operator.reconcile()
    world = operator.world
    assert names(world, JOB) == ["sales-1-1"]
    assert names(world, SECRET) == ["sales-1-1"]
    assert names(world, CONTROLLER_REVISION) == ["sales-1-spec"]
    execution = operator.execution()
    assert execution.metadata.finalizers == (RUN_FINALIZER,)
    assert [each.job_name for each in execution.status.attempts] == ["sales-1-1"]


async def test_a_whole_run_ends_verified_and_is_let_go(operator: Operator) -> None:
    await operator.reconcile()
    operator.start_pod()
    await operator.reconcile()
    assert operator.execution().status.phase == "Running"
    end = terminated(0, message=make_result())
    operator.world.put({**pod_of(operator.job()), "status": ended(end)})
    operator.clock.now += seconds(60)
    assert await operator.reconcile() is None
    execution = operator.execution()
    assert (execution.status.phase, execution.finished_reason) == ("Succeeded", "Verified")
    assert execution.metadata.finalizers == ()
    assert operator.gateway.revoked == [(execution.metadata.uid, 1)]


async def test_a_run_that_was_over_before_it_was_seen_to_run_did_run(operator: Operator) -> None:
    await operator.reconcile()
    end = terminated(0, message=make_result(), started=NOW, finished=NOW + seconds(2))
    operator.world.put({**pod_of(operator.job()), "status": ended(end)})
    operator.clock.now += seconds(3)
    await operator.reconcile()
    status = operator.execution().status
    assert (status.start_time, status.duration_seconds) == (NOW, 2)


def ended(state: JsonObject) -> JsonObject:
    phase = "Succeeded"
    return {"phase": phase, "containerStatuses": [{"name": "agent", "state": state}]}


async def test_an_execution_made_again_under_its_name_does_not_take_the_old_ones_job(
    operator: Operator,
) -> None:
    await operator.reconcile()
    left_over = {ref: each for ref, each in operator.world.objects.items() if ref.kind != EXECUTION}
    pod = {**pod_of(operator.job()), "status": ended(terminated(0, message=make_result()))}
    operator.world.remove(Ref(EXECUTION, *KEY))
    # The garbage collector has not come by yet.
    operator.world.objects.update(left_over)
    operator.world.put(pod)
    operator.put(make_execution(uid=make_uid("made again")))
    with pytest.raises(WorldError, match=r"'sales-1-spec'.* earlier Execution"):
        await operator.reconcile()
    assert not operator.execution().is_admitted
    for ref in left_over:
        if ref.kind != AGENT:
            operator.world.objects.pop(ref, None)
    await operator.reconcile()
    execution = operator.execution()
    assert execution.status.phase == "Starting"
    # Only the old pod is left: it is not the new run's.
    operator.clock.now += seconds(10)
    await operator.reconcile()
    execution = operator.execution()
    assert execution.status.phase == "Starting"
    attempt = execution.status.attempts[0]
    assert (attempt.job_uid, attempt.pod_name) == (meta_of(operator.job())["uid"], None)


async def test_a_secret_of_somebody_else_is_neither_used_nor_deleted(operator: Operator) -> None:
    theirs: JsonObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sales-1-1", "namespace": "default"},
        "data": {},
    }
    operator.world.put(theirs)
    with pytest.raises(WorldError, match=r"'sales-1-1'.* not made for this Execution"):
        await operator.reconcile()
    assert names(operator.world, JOB) == []
    block = operator.execution().status.blocked_by[0]
    assert block.reason == "Refused"
    assert block.message.endswith("was not made for this Execution. Delete or rename it.")
    operator.change_execution(cancel=True)
    await operator.reconcile()
    assert names(operator.world, SECRET) == ["sales-1-1"]
    assert operator.execution().finished_reason == "Cancelled"


async def test_the_frozen_spec_is_that_of_the_admission_not_of_a_crash_before_it(
    operator: Operator,
) -> None:
    # A first admission got as far as the snapshot; then the status could not be written.
    operator.world.failures["patch_status"] = WorldError("no status today")
    with pytest.raises(WorldError):
        await operator.reconcile()
    assert names(operator.world, CONTROLLER_REVISION) == ["sales-1-spec"]
    operator.world.failures.clear()
    operator.put(make_agent(generation=2, prompt="Count the returns."))
    await operator.reconcile()
    frozen = operator.world.objects[Ref(CONTROLLER_REVISION, "default", "sales-1-spec")]["data"]
    assert isinstance(frozen, dict)
    assert frozen["spec"]["prompt"] == "Count the returns."


async def test_a_stop_finds_the_pod_of_a_job_that_was_never_recorded(operator: Operator) -> None:
    await operator.reconcile()
    operator.start_pod()
    # As after a crash between the Job and the status, and one between its deletion and the status.
    forget_job_uid(operator.world)
    operator.world.objects.pop(Ref(JOB, "default", "sales-1-1"))
    operator.change_execution(cancel=True)
    await operator.reconcile()
    pod = meta_of(operator.world.objects[Ref(POD, "default", "sales-1-1-pod")])
    assert pod["deletionGracePeriodSeconds"] == 3
    assert not operator.execution().is_finished
    operator.world.remove(Ref(POD, "default", "sales-1-1-pod"))
    await operator.reconcile()
    assert operator.execution().finished_reason == "Cancelled"


def forget_job_uid(world: MemoryWorld) -> None:
    document = world.objects[Ref(EXECUTION, *KEY)]
    status = document["status"]
    assert isinstance(status, dict)
    for attempt in status["attempts"]:
        attempt.pop("jobUid", None)


async def test_a_cancelled_run_keeps_what_was_known_of_its_attempt(operator: Operator) -> None:
    await operator.reconcile()
    operator.start_pod()
    operator.change_execution(cancel=True)
    operator.clock.now += seconds(50)
    await operator.reconcile()
    operator.world.remove(Ref(POD, "default", "sales-1-1-pod"))
    await operator.reconcile()
    attempt = operator.execution().status.attempts[0]
    assert (attempt.pod_name, attempt.node_name) == ("sales-1-1-pod", "node-1")
    assert (attempt.start_time, attempt.end_time) == (NOW, NOW + seconds(50))
    assert operator.execution().status.duration_seconds == 50


async def test_a_frozen_spec_that_somebody_deleted_ends_the_run_and_its_pod(
    operator: Operator,
) -> None:
    await operator.reconcile()
    operator.start_pod()
    operator.world.remove(Ref(CONTROLLER_REVISION, "default", "sales-1-spec"))
    await operator.reconcile()
    pod = meta_of(operator.world.objects[Ref(POD, "default", "sales-1-1-pod")])
    assert pod["deletionGracePeriodSeconds"] == 3
    operator.world.remove(Ref(POD, "default", "sales-1-1-pod"))
    await operator.reconcile()
    assert operator.execution().status.phase == "Failed"
    assert "not whole" in operator.execution().status.conditions[0].message


# what a start costs, and that nothing was saved at the wrong end


START = [
    "get Agent",
    "apply Execution",
    "create ControllerRevision",
    "status Execution",
    "create Secret",
    "create Job",
]


@pytest.fixture
def counted() -> tuple[Operator, CountingWorld]:
    world = CountingWorld()
    made = Operator(world)
    made.put(make_agent())
    made.put(make_execution())
    return made, world


def as_it_arrived(operator: Operator, at: float = 0.0) -> FreshExecution:
    return FreshExecution(operator.execution(), at)


async def test_a_start_makes_no_request_that_it_can_do_without(
    counted: tuple[Operator, CountingWorld],
) -> None:
    operator, world = counted
    await operator.reconciler.reconcile(KEY, as_it_arrived(operator))
    assert world.asked == START


async def test_a_pod_that_runs_costs_one_status_write_with_all_names(
    counted: tuple[Operator, CountingWorld],
) -> None:
    operator, world = counted
    await operator.reconcile()
    world.asked.clear()
    waiting_pod = pod_of(operator.job())
    world.put({**waiting_pod, "status": {"phase": "Pending"}})
    assert await operator.reconcile() == 10.0
    assert "status Execution" not in world.asked
    operator.start_pod()
    await operator.reconcile()
    assert world.asked.count("status Execution") == 1
    attempt = operator.execution().status.attempts[0]
    names = (attempt.job_uid, attempt.pod_name, attempt.node_name)
    assert names == (meta_of(operator.job())["uid"], "sales-1-1-pod", "node-1")


async def test_names_are_written_by_themselves_when_the_pod_does_not_start(
    operator: Operator,
) -> None:
    assert await operator.reconcile() == 10.0
    assert operator.execution().status.attempts[0].job_uid is None
    operator.clock.now += seconds(10)
    await operator.reconcile()
    assert operator.execution().status.attempts[0].job_uid == meta_of(operator.job())["uid"]


async def test_an_execution_that_changed_since_it_arrived_is_read(
    counted: tuple[Operator, CountingWorld],
) -> None:
    operator, world = counted
    stale = as_it_arrived(operator)
    operator.change_execution(cancel=True)
    assert await operator.reconciler.reconcile(KEY, stale) == 0
    assert not [each for each in world.asked if each.startswith(("create", "status"))]
    await operator.reconcile()
    assert operator.execution().finished_reason == "Cancelled"
    assert names(world, JOB) == []


async def test_an_execution_that_went_since_it_arrived_is_forgotten(operator: Operator) -> None:
    gone = as_it_arrived(operator)
    operator.world.remove(Ref(EXECUTION, *KEY))
    assert await operator.reconciler.reconcile(KEY, gone) == 0
    assert await operator.reconcile() is None
    assert KEY not in operator.limiter
    assert names(operator.world, JOB) == []


async def test_a_job_deleted_before_its_uid_was_written_is_not_made_again(
    operator: Operator,
) -> None:
    await operator.reconcile()
    assert operator.execution().status.attempts[0].job_uid is None
    first = meta_of(operator.job())["uid"]
    operator.world.remove(Ref(JOB, "default", "sales-1-1"))
    await operator.reconcile()
    attempt = operator.execution().status.attempts[0]
    assert (attempt.job_uid, attempt.cause) == (first, "infrastructure")
    assert "sales-1-1" not in names(operator.world, JOB)


@pytest.mark.parametrize("ours", [True, False], ids=["our own pod", "an earlier run's pod"])
async def test_the_next_operator_tells_by_the_pod_that_an_unwritten_job_was_made(
    operator: Operator, ours: bool
) -> None:
    await operator.reconcile()
    pod = pod_of(operator.job())
    operator.world.objects.pop(Ref(JOB, "default", "sales-1-1"))
    if not ours:
        meta_of(dict(pod))["annotations"] = {EXECUTION_UID_ANNOTATION: make_uid("earlier")}
    operator.world.put(pod)
    successor = Operator(operator.world)
    await successor.reconcile()
    assert names(operator.world, JOB) == ([] if ours else ["sales-1-1"])
    attempt = operator.execution().status.attempts[0]
    assert attempt.pod_name == ("sales-1-1-pod" if ours else None)


async def test_a_run_made_again_under_its_name_gets_a_job_of_its_own(operator: Operator) -> None:
    # What is remembered of the first one's Job must not stand in the second one's record.
    await operator.reconcile()
    first = meta_of(operator.job())["uid"]
    operator.world.remove(Ref(EXECUTION, *KEY))
    operator.put(make_execution(uid=make_uid("made again")))
    await operator.reconcile()
    operator.clock.now += seconds(10)
    await operator.reconcile()
    attempt = operator.execution().status.attempts[0]
    assert attempt.job_uid == meta_of(operator.job())["uid"] != first


PAUSE = AgentSum(paused=True, reason="execution e cost $9.", since=NOW)


async def test_an_execution_of_a_paused_agent_waits_and_starts_when_it_is_resumed(
    operator: Operator,
) -> None:
    operator.gateway.pauses["default/sales"] = PAUSE
    delay = await operator.reconcile()
    (block,) = operator.execution().status.blocked_by
    assert (block.reason, delay) == (BlockedReason.AGENT_PAUSED, 30)
    assert block.message == (
        f"The gateway refuses the model calls of Agent 'sales' since {NOW.isoformat()}: "
        "execution e cost $9. Look at that run; an admin lets the Agent go on with POST "
        "/admin/agents/default/sales/resume on the gateway."
    )
    assert names(operator.world, JOB) == []
    del operator.gateway.pauses["default/sales"]
    operator.clock.now += seconds(15)
    await operator.reconcile()
    assert names(operator.world, JOB) == ["sales-1-1"]


async def test_who_resumes_an_agent_of_several_gateways_is_named(operator: Operator) -> None:
    request = "POST /admin/agents/default/sales/resume of the ledger's writer (the Service w)"
    operator.gateway.pauses["default/sales"] = PAUSE.model_copy(update={"resume_with": request})
    await operator.reconcile()
    (block,) = operator.execution().status.blocked_by
    assert block.message.endswith(f"an admin lets the Agent go on with {request}.")


async def test_a_gateway_that_does_not_answer_pauses_nobody(operator: Operator) -> None:
    operator.gateway.pauses["default/sales"] = PAUSE
    operator.gateway.answers = False
    await operator.reconcile()
    assert names(operator.world, JOB) == ["sales-1-1"]


async def test_a_pause_is_asked_for_now_and_then_only() -> None:
    gateway, passed = FakeGateway(), 0
    pauses = Pauses(gateway, lambda: NOW + seconds(passed))
    agent = ("default", "sales")
    assert await pauses.of(agent) is None
    gateway.pauses["default/sales"] = PAUSE
    passed = 14
    assert await pauses.of(agent) is None
    passed = 15
    assert await pauses.of(agent) == PAUSE
    gateway.answers = False
    passed = 29
    assert await pauses.of(agent) == PAUSE
    passed = 30
    assert await pauses.of(agent) is None


class SlowStart(MemoryWorld):
    """Counts the lists of Events, which cost the API server more the more there are."""

    event_lists = 0

    def list(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[JsonObject]:
        if kind == EVENT:
            assert list(selection.fields or {}) == ["involvedObject.uid"]
            self.event_lists += 1
        return super().list(kind, selection)


async def slow_start(state: JsonObject) -> tuple[Operator, SlowStart]:
    """An operator that has waited 10 seconds for a pod in that state."""
    world = SlowStart()
    operator = Operator(world)
    operator.put(make_agent())
    operator.put(make_execution())
    await operator.reconcile()
    pod = pod_of(operator.job())
    status: JsonObject = {
        "phase": "Pending",
        "containerStatuses": [{"name": "agent", "state": state}],
    }
    world.put({**pod, "status": status})
    operator.clock.now += seconds(10)
    return operator, world


def put_event(world: MemoryWorld, uid: JsonValue, message: str) -> None:
    world.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"event-{len(world.objects)}", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "uid": uid},
            "type": "Warning",
            "reason": "FailedMount",
            "message": message,
        }
    )


async def test_events_are_those_of_this_very_pod_and_are_read_seldom() -> None:
    operator, world = await slow_start(waiting("ContainerCreating"))
    uid = meta_of(world.objects[Ref(POD, "default", "sales-1-1-pod")])["uid"]
    put_event(world, "another", "mount failed: exit status 1")
    put_event(world, uid, "mount failed: exit status 32")
    for _ in range(5):
        await operator.reconcile()
        [block] = operator.execution().status.blocked_by
        assert block.reason == "VolumeFailed"
        assert "exit status 32" in block.message
    assert world.event_lists == 1
    operator.clock.now += seconds(30)
    await operator.reconcile()
    assert world.event_lists == 2


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (waiting("ImagePullBackOff", "not found"), "ImagePullFailed"),
        (waiting("CreateContainerConfigError", 'secret "crm" not found'), "ContainerConfigError"),
        (running(), None),
    ],
    ids=["its image", "its configuration", "it runs"],
)
async def test_a_pod_that_says_itself_why_it_waits_costs_no_event(
    state: JsonObject, reason: str | None
) -> None:
    operator, world = await slow_start(state)
    await operator.reconcile()
    blocks = operator.execution().status.blocked_by
    assert [each.reason for each in blocks] == ([reason] if reason else [])
    assert world.event_lists == 0


async def test_a_pod_that_nothing_schedules_costs_no_event() -> None:
    operator, world = await slow_start(waiting("ContainerCreating"))
    pod = world.objects[Ref(POD, "default", "sales-1-1-pod")]
    condition = make_condition("PodScheduled", "False", "Unschedulable", "0/1 nodes")
    world.put({**pod, "status": {"phase": "Pending", "conditions": [condition]}})
    await operator.reconcile()
    assert operator.execution().status.blocked_by[0].reason == "Unschedulable"
    assert world.event_lists == 0


def run_document(world: MemoryWorld, ref: Ref) -> JsonValue:
    return mapping_at(world.objects[ref], "data")["run.json"]


async def test_a_secret_that_was_deleted_before_its_pod_began_is_made_again() -> None:
    operator, world = await slow_start(waiting("ContainerCreating"))
    ref = Ref(SECRET, "default", "sales-1-1")
    before, job = run_document(world, ref), meta_of(operator.job())["uid"]
    uid = meta_of(world.objects[Ref(POD, "default", "sales-1-1-pod")])["uid"]
    words = 'MountVolume.SetUp failed for volume "run" : secret "sales-1-1" not found'
    put_event(world, uid, words)
    world.remove(ref)
    await operator.reconcile()
    assert run_document(world, ref) == before
    assert operator.execution().status.blocked_by[0].reason == "Starting"
    made = meta_of(world.objects[ref])["uid"]
    await operator.reconcile()  # the kubelet's words stay for an hour
    assert meta_of(world.objects[ref])["uid"] == made
    assert (names(world, JOB), meta_of(operator.job())["uid"]) == (["sales-1-1"], job)
    assert len(operator.execution().status.attempts) == 1


async def test_a_secret_whose_job_is_gone_is_not_made_again() -> None:
    """Its Job would be made again, too, beside a pod that still waits."""
    operator, world = await slow_start(
        waiting("CreateContainerConfigError", 'secret "sales-1-1" not found')
    )
    world.objects.pop(Ref(JOB, "default", "sales-1-1"))
    world.remove(Ref(SECRET, "default", "sales-1-1"))
    await operator.reconcile()
    assert names(world, JOB) == names(world, SECRET) == []


# ---- sidecars ------------------------------------------------------------------------------------


def with_sidecar(operator: Operator, document: str, code: int = 0) -> JsonObject:
    """The pod after the agent has ended; a container named before it goes on."""
    containers: list[JsonValue] = [
        {"name": "a-mesh", "state": running()},
        {"name": "agent", "state": terminated(code, message=document)},
    ]
    status: JsonObject = {"phase": "Running", "containerStatuses": containers}
    return {**pod_of(operator.job()), "status": status}


async def run_with_sidecar(
    settings: OperatorSettings, document: str, code: int = 0, *, retries: int = 0
) -> Operator:
    operator = Operator(MemoryWorld(), settings)
    operator.put(make_agent(retry={"limit": retries, "backoffSeconds": [30]}))
    operator.put(make_execution())
    await operator.reconcile()
    operator.start_pod()
    await operator.reconcile()
    operator.world.put(with_sidecar(operator, document, code))
    return operator


def is_leaving(operator: Operator) -> bool:
    pod = meta_of(operator.world.objects[Ref(POD, "default", "sales-1-1-pod")])
    return "deletionTimestamp" in pod and names(operator.world, JOB) == []


@pytest.mark.parametrize("is_reachable", [True, False], ids=["", "the gateway is away"])
async def test_a_sidecar_that_goes_on_keeps_neither_run_nor_job(is_reachable: bool) -> None:
    operator = await run_with_sidecar(make_settings(), make_result())
    operator.gateway.answers = is_reachable
    await operator.reconcile()
    execution = operator.execution()
    assert execution.finished_reason == "Verified"
    assert execution.status.attempts[0].job_deleted
    assert is_leaving(operator)


async def test_the_log_of_a_pod_with_a_sidecar_stays_until_the_api_has_the_transcript() -> None:
    operator = await run_with_sidecar(make_settings(api_url="http://api.test"), make_result())
    await operator.reconcile()
    assert operator.execution().finished_reason == "Verified"
    assert not is_leaving(operator)
    document = operator.world.objects[Ref(EXECUTION, *KEY)]
    meta_of(document)["annotations"] = {RECORDED_ANNOTATION: "now"}
    operator.world.put(document)
    await operator.reconcile()
    assert is_leaving(operator)
    assert meta_of(operator.world.objects[Ref(EXECUTION, *KEY)])["finalizers"] == ()


async def test_an_api_that_never_records_keeps_no_pod_for_ever() -> None:
    operator = await run_with_sidecar(make_settings(api_url="http://api.test"), make_result())
    delay = await operator.reconcile()
    assert not is_leaving(operator)
    assert delay is not None
    assert 60 < delay <= 180
    operator.clock.now += seconds(delay)
    await operator.reconcile()
    assert is_leaving(operator)


async def test_a_job_that_is_suspended_while_it_runs_makes_no_second_pod() -> None:
    """Whoever suspends it (Kueue) has its pod deleted, and lets it go on some day."""
    told = make_result("Failed", "Terminated", "infrastructure")
    operator = await run_with_sidecar(make_settings(), told)
    status: JsonObject = {
        "phase": "Running",
        "containerStatuses": [{"name": "agent", "state": terminated(143, message=told)}],
    }
    pod = {**pod_of(operator.job()), "status": status}
    meta_of(pod)["deletionTimestamp"] = stamp(NOW)
    operator.world.put(pod)
    suspended = make_condition("Suspended")
    operator.world.put({**operator.job(), "status": {"conditions": [suspended]}})
    await operator.reconcile()
    [first] = operator.execution().status.attempts
    assert (first.reason, first.job_deleted) == ("PodDeleted", True)
    assert names(operator.world, JOB) == []
    operator.clock.now += seconds(60)
    await operator.reconcile()
    assert names(operator.world, JOB) == ["sales-1-2"]


async def test_a_deleted_run_waits_for_no_api() -> None:
    operator = await run_with_sidecar(make_settings(api_url="http://api.test"), make_result())
    await operator.reconcile()
    assert not is_leaving(operator)
    await operator.world.delete(Ref(EXECUTION, *KEY))
    await operator.reconcile()
    assert names(operator.world, EXECUTION) == names(operator.world, JOB) == []


async def test_a_sidecar_of_a_failed_attempt_is_gone_before_the_next_one() -> None:
    failed = make_result("Failed", "AgentError", "agent")
    operator = await run_with_sidecar(make_settings(), failed, 10, retries=1)
    await operator.reconcile()
    assert not operator.execution().is_finished
    assert is_leaving(operator)
    operator.clock.now += seconds(31)
    await operator.reconcile()
    assert names(operator.world, JOB) == ["sales-1-2"]


async def test_a_pod_that_ends_by_itself_keeps_its_job(operator: Operator) -> None:
    await operator.reconcile()
    operator.start_pod()
    end = ended(terminated(0, message=make_result()))
    operator.world.put({**pod_of(operator.job()), "status": end})
    await operator.reconcile()
    assert operator.execution().finished_reason == "Verified"
    assert not operator.execution().status.attempts[0].job_deleted
    assert names(operator.world, JOB) == ["sales-1-1"]


# ---- what other systems got wrong (docs/cases.md) ------------------------------------------------


@pytest.mark.parametrize("is_reachable", [True, False], ids=["settled", "the gateway is away"])
async def test_a_finished_run_whose_job_was_deleted_never_runs_again(
    operator: Operator, is_reachable: bool
) -> None:
    await operator.reconcile()
    operator.start_pod()
    end = ended(terminated(0, message=make_result()))
    operator.world.put({**pod_of(operator.job()), "status": end})
    operator.gateway.answers = is_reachable
    await operator.reconcile()
    operator.world.remove(Ref(JOB, "default", "sales-1-1"))
    operator.world.objects.pop(Ref(POD, "default", "sales-1-1-pod"), None)
    restarted = Operator(operator.world)
    restarted.clock.now += seconds(3600)
    for manifest in (make_agent(), make_execution()):  # kubectl apply of the same files
        document = manifest.to_json()
        found = operator.world.objects[ref_of(document)]
        operator.world.put({**found, "spec": document["spec"]})
    for _ in range(3):
        await restarted.reconcile()
    assert names(operator.world, JOB) == names(operator.world, POD) == []
    assert restarted.execution().status.phase == "Succeeded"
    assert len(restarted.execution().status.attempts) == 1


class ContendedWorld(MemoryWorld):
    """Somebody else changes an Execution just before every third write of the operator."""

    writes = 0

    def _interfere(self, obj: JsonObject) -> None:
        self.writes += 1
        found = self.objects.get(ref_of(obj))
        if obj["kind"] == EXECUTION.name and found is not None and self.writes % 3 == 0:
            meta = meta_of(found)
            meta["annotations"] = {"acme.example/looked-at": str(self.writes)}
            self._store(ref_of(obj), found)

    async def apply(self, obj: JsonObject) -> JsonObject:
        self._interfere(obj)
        return await super().apply(obj)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self._interfere(obj)
        return await super().patch_status(obj)

    def end_pods(self) -> None:
        """Every pod that was told to leave has left, as its kubelet sees to."""
        for ref, document in list(self.objects.items()):
            if ref.kind == POD and "deletionTimestamp" in meta_of(document):
                self.remove(ref)


async def test_five_hundred_deletions_amid_updates_leave_no_finalizer() -> None:
    for begin in range(20):  # small worlds: this one looks through all of its objects each time
        await delete_amid_updates(begin, runs=25)


async def delete_amid_updates(begin: int, runs: int) -> None:
    """Runs in every state between unseen and let go are deleted and come to their end."""
    world = ContendedWorld()
    world.writes = begin
    operator = Operator(world)
    waiting = [f"sales-{number}" for number in range(runs)]
    for number, name in enumerate(waiting):
        operator.put(make_agent(f"agent-{number}"))
        operator.put(make_execution(name, agent=f"agent-{number}"))
        if number % 5 == 0:
            continue  # not seen yet
        assert any([await operator.reconcile(name) for _ in range(3)]), "it gets through"
        if number % 5 > 1:
            operator.start_pod(f"{name}-1")
        if number % 5 > 2:
            status = ended(terminated(0, message=make_result()))
            world.put({**pod_of(operator.job(f"{name}-1")), "status": status})
        if number % 5 != 3:  # else its end is not seen yet
            await operator.reconcile(name)
    assert len(names(world, POD)) == runs * 3 // 5
    for name in waiting:
        await world.delete(Ref(EXECUTION, "default", name))
    for _ in range(20):
        waiting = [name for name in waiting if await operator.reconcile(name) is not None]
        world.end_pods()
        operator.clock.now += seconds(10)
    assert (names(world, EXECUTION), names(world, JOB), names(world, POD)) == ([], [], [])


@pytest.mark.parametrize("is_there", [True, False], ids=["its pod is over", "its pod is gone"])
async def test_a_run_on_a_drained_node_is_not_called_running(
    operator: Operator, is_there: bool
) -> None:
    await operator.reconcile()
    operator.start_pod()
    await operator.reconcile()
    assert operator.execution().status.phase == "Running"
    pod = Ref(POD, "default", "sales-1-1-pod")
    if is_there:
        told = terminated(143, message=make_result("Failed", "Terminated", "infrastructure"))
        target = make_condition("DisruptionTarget", reason="EvictionByEvictionAPI")
        over: JsonObject = {**ended(told), "phase": "Failed", "conditions": [target]}
        operator.world.put({**pod_of(operator.job()), "status": over})
    else:
        operator.world.remove(pod)
        failure = make_condition(
            "Failed", reason="PodFailurePolicy", message="Pod has condition DisruptionTarget"
        )
        operator.world.put({**operator.job(), "status": {"failed": 1, "conditions": [failure]}})
    await operator.reconcile()
    status = operator.execution().status
    assert status.phase != "Running"
    assert [each.reason for each in status.attempts] == ["Evicted"]
    assert status.blocked_by[0].estimated_time == status.next_attempt_time
    operator.clock.now += seconds(60)
    await operator.reconcile()
    assert names(operator.world, JOB)[-1] == "sales-1-2"
