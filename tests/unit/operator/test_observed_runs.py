"""What is read of a run in each of its states, how often, and what the limiter learns from it."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from pydantic import SecretStr

from heliostat_core.agents import AgentSpec
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Cancellation, Execution
from heliostat_core.names import ATTEMPT_LABEL, EXECUTION_LABEL, EXECUTION_UID_ANNOTATION
from heliostat_core.secret_refs import ManagedRef
from heliostat_core.worlds import JsonObject, JsonValue
from heliostat_google.problems import SecretProblem, SecretReason
from heliostat_operator.builders.run_objects import build_snapshot
from heliostat_operator.gateway.ledgers import AgentSum
from heliostat_operator.model.effects import NOBODY, Charge
from heliostat_operator.runs.attempts import subject_of_events
from heliostat_operator.runs.caches import TerminatingNamespaces
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.observations import Frozen, Observation
from heliostat_operator.runs.observe import Observer
from heliostat_operator.runs.pods import Job, Pod
from heliostat_operator.secrets.resolved_secrets import ResolvedSecrets
from support.builders.pods import (
    make_condition,
    make_event,
    make_job,
    make_pod,
    running,
    terminated,
    waiting,
)
from support.builders.resources import (
    NOW,
    make_admitted,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_spec,
    make_uid,
    seconds,
)
from support.counting_world import CountingWorld
from support.fake_gateway import FakeGateway
from support.objects import uid_of

RUN_UID = make_uid("execution/default/sales-1")
JOB = make_job()
JOB_UID = uid_of(JOB)
MANAGED = {
    "secretRefs": [
        {"envName": "TOKEN", "secretManager": {"secret": "projects/acme/secrets/crm"}},
    ]
}
SPEC = make_spec(workspace=MANAGED)
VALUES = ResolvedSecrets({"TOKEN": SecretStr("value")})


REFUSED = ResolvedSecrets(problem=SecretProblem(SecretReason.REFUSED, "It is not given to you."))


class PlayedVault:
    """Gives one value, or none; counts how often it is asked."""

    count = 0
    answer = VALUES

    async def look(self, namespace: str, refs: Sequence[ManagedRef]) -> ResolvedSecrets:
        assert namespace == "default"
        assert [each.env_name for each in refs] == ["TOKEN"]
        self.count += 1
        return self.answer


class Scene:
    """An observer over a world, with hands on its clocks."""

    def __init__(self, *objects: JsonObject) -> None:
        self.world = CountingWorld()
        self.gateway = FakeGateway()
        self.vault = PlayedVault()
        self.limiter = ConcurrencyLimiter(9, 300)
        self.now: datetime = NOW
        self.terminating = TerminatingNamespaces(lambda: 0.0)
        self.observer = Observer(
            self.world,
            self.gateway,
            self.limiter,
            lambda: self.now,
            15,
            lambda: 0.0,
            self.vault,
            self.terminating,
        )
        for each in objects:
            self.world.put(each)

    async def look(
        self, execution: Execution, *, recorded: Frozen | None = None
    ) -> tuple[Observation, list[str]]:
        """What is seen, and what was asked of the world for it."""
        self.world.asked.clear()
        seen = await self.observer.observe(execution, recorded=recorded)
        return seen, list(self.world.asked)


def of_job(**fields: object) -> JsonObject:
    """A pod with all that ties it to the run's first Job."""
    made = {
        "job_uid": JOB_UID,
        "labels": {EXECUTION_LABEL: "sales-1", ATTEMPT_LABEL: "1"},
        "annotations": {EXECUTION_UID_ANNOTATION: RUN_UID},
    }
    return make_pod("Running", running(), **(made | fields))  # type: ignore[arg-type]


def snapshot(execution: Execution, spec: AgentSpec = SPEC) -> JsonObject:
    return build_snapshot(execution, spec, "agent-uid", Charge("ada"))


STARTING = make_admitted(make_attempt())
MADE = make_admitted(make_attempt(job_uid=JOB_UID))
ENDED = make_admitted(make_attempt(job_uid=JOB_UID, end=NOW))


# ---- secrets of Secret Manager -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("execution", "count"),
    [(STARTING, 1), (MADE, 0), (ENDED, 0), (make_execution(status=make_condition_status()), 0)],
    ids=["its Job is to be made", "its Job is made", "between attempts", "no attempt"],
)
async def test_values_are_asked_for_when_a_job_is_to_be_made(
    execution: Execution, count: int
) -> None:
    scene = Scene(snapshot(execution))
    seen, _ = await scene.look(execution)
    assert scene.vault.count == count
    assert (seen.vaulted == VALUES) is bool(count)
    assert (seen.frozen, seen.charge) == (SPEC, Charge("ada"))


async def test_a_secret_that_is_missing_needs_its_values_again() -> None:
    pod = of_job()
    waits = {**pod, "status": {"phase": "Pending"}}
    event = make_event("FailedMount", 'secret "sales-1-1" not found')
    about: JsonObject = {
        **event,
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "event", "namespace": "default"},
        "involvedObject": {"uid": uid_of(pod)},
    }
    scene = Scene(snapshot(MADE), JOB, waits, about)
    seen, _ = await scene.look(MADE)
    assert (seen.facts.secret_is_missing, scene.vault.count) == (False, 0)  # no Event is read yet
    scene.now += seconds(5)
    seen, _ = await scene.look(MADE)
    assert (seen.facts.secret_is_missing, scene.vault.count) == (True, 1)


async def test_an_agent_without_such_secrets_costs_no_question() -> None:
    scene = Scene(snapshot(STARTING, make_spec()))
    await scene.look(STARTING)
    assert scene.vault.count == 0


# ---- the step after the record -------------------------------------------------------------------


async def test_of_an_attempt_that_was_just_recorded_nothing_is_read() -> None:
    scene = Scene(snapshot(STARTING), JOB, of_job())
    seen, asked = await scene.look(STARTING, recorded=Frozen(SPEC, Charge("bob")))
    assert asked == []
    assert (seen.frozen, seen.charge, seen.vaulted) == (SPEC, Charge("bob"), VALUES)
    assert (seen.agent, seen.ledger, seen.facts.job, seen.facts.pod) == (None, None, None, None)
    assert seen.slots.granted
    assert not seen.terminating
    scene.terminating.note("default")
    seen, _ = await scene.look(STARTING, recorded=Frozen(SPEC, NOBODY))
    assert seen.terminating


# ---- what the limiter learns ---------------------------------------------------------------------


def put_agent(scene: Scene, **spec: object) -> None:
    document: dict[str, JsonValue] = {**make_agent(**spec).to_json()}  # type: ignore[arg-type]
    document.pop("status")
    scene.world.put(document)


async def test_a_run_of_a_paused_agent_takes_no_slot() -> None:
    scene = Scene()
    put_agent(scene)
    scene.gateway.pauses["default/sales"] = AgentSum(paused=True, reason="It spends too fast.")
    seen, asked = await scene.look(make_execution())
    assert seen.pause is not None
    assert (seen.slots.granted, asked) == (False, ["get Agent"])
    scene.gateway.pauses.clear()
    scene.now += seconds(15)
    seen, _ = await scene.look(make_execution())
    assert (seen.pause, seen.slots.granted) == (None, True)


async def test_an_agent_that_is_found_to_be_gone_starts_nothing() -> None:
    scene = Scene()
    put_agent(scene)
    scene.limiter.see_execution(make_execution())
    await scene.observer.agent(make_execution())
    assert scene.limiter.granted() == {("default", "sales-1")}
    scene.world.objects.clear()
    assert await scene.observer.agent(make_execution()) is None
    assert scene.limiter.granted() == set()


async def test_a_run_in_a_namespace_that_is_deleted_takes_no_slot() -> None:
    scene = Scene()
    put_agent(scene)
    scene.terminating.note("default")
    seen, _ = await scene.look(make_execution())
    assert (seen.slots.granted, seen.terminating) == (False, True)


async def test_a_run_whose_secret_cannot_be_had_takes_no_slot() -> None:
    scene = Scene()
    put_agent(scene, workspace=MANAGED)
    scene.vault.answer = REFUSED
    seen, _ = await scene.look(make_execution())
    assert not seen.slots.granted
    scene.vault.answer = VALUES
    seen, _ = await scene.look(make_execution())
    assert seen.slots.granted


@pytest.mark.parametrize(("after", "granted"), [(299, False), (300, True)])
async def test_a_further_attempt_takes_no_slot_before_its_time(after: float, granted: bool) -> None:
    status = ENDED.status.model_copy(update={"next_attempt_time": NOW + seconds(300)})
    waits = ENDED.model_copy(update={"status": status})
    scene = Scene(snapshot(waits))
    scene.limiter.see_agent(make_agent())
    scene.now += seconds(after)
    seen, _ = await scene.look(waits)
    assert seen.slots.granted is granted
    scene.terminating.note("default")
    seen, _ = await scene.look(waits)
    assert not seen.slots.granted


# ---- Job and pod ---------------------------------------------------------------------------------

LEFT = make_job(owner_uid=make_uid("an earlier one"))


@pytest.mark.parametrize(
    ("execution", "objects", "job", "pod"),
    [
        (MADE, [JOB, of_job()], True, True),
        (MADE, [LEFT], False, False),
        (MADE, [of_job()], False, True),
        (MADE, [JOB, of_job(job_uid="another")], True, False),
        (STARTING, [of_job()], False, True),
        (STARTING, [of_job(annotations={EXECUTION_UID_ANNOTATION: "another"})], False, False),
        (STARTING, [JOB, of_job(job_uid="another")], True, False),
        (MADE, [JOB, of_job(labels={EXECUTION_LABEL: "sales-1", ATTEMPT_LABEL: "2"})], True, False),
        (ENDED, [JOB, of_job()], False, False),
    ],
    ids=[
        "both",
        "what an earlier run of the name left",
        "its Job is gone",
        "a pod of another Job",
        "a pod of this run, whose Job no one knows",
        "a pod of another run, whose Job no one knows",
        "the Job is known, and the pod is another's",
        "a pod of another attempt",
        "the attempt is over",
    ],
)
async def test_only_what_was_made_for_this_attempt_is_seen(
    execution: Execution, objects: list[JsonObject], job: bool, pod: bool
) -> None:
    scene = Scene(*objects)
    seen, _ = await scene.look(execution)
    assert (seen.facts.job is not None, seen.facts.pod is not None) == (job, pod)


NAMED = make_admitted(make_attempt(job_uid=JOB_UID, pod_name="sales-1-1-x7k2p"))


@pytest.mark.parametrize(
    ("pod", "is_listed"),
    [
        (of_job(), False),
        (of_job(deleted=NOW), True),
        (of_job(job_uid="another"), True),
        ({**of_job(), "status": {"phase": "Succeeded"}}, True),
        (
            {
                **of_job(),
                "status": {
                    "phase": "Running",
                    "containerStatuses": [{"name": "agent", "state": terminated(0)}],
                },
            },
            True,
        ),
        (None, True),
    ],
    ids=[
        "it runs",
        "it leaves",
        "another Job's",
        "it is over",
        "its container ended",
        "it is gone",
    ],
)
async def test_all_pods_are_asked_for_when_the_known_one_ends(
    pod: JsonObject | None, is_listed: bool
) -> None:
    """An attempt is over no sooner than all of its pods are."""
    scene = Scene(JOB, *([pod] if pod else []))
    _, asked = await scene.look(NAMED)
    assert ("list Pod" in asked) is is_listed


async def test_a_pod_that_the_watch_told_is_read_by_its_name_until_it_is_gone() -> None:
    scene = Scene(JOB, of_job())
    key = ("default", "sales-1")
    scene.observer.see_pod(key, "sales-1-1-x7k2p")
    _, asked = await scene.look(MADE)
    assert "list Pod" not in asked
    scene.observer.see_pod(key, None)
    _, asked = await scene.look(MADE)
    assert "list Pod" in asked
    scene.observer.see_pod(key, "sales-1-1-x7k2p")
    scene.observer.forget_execution(key)
    _, asked = await scene.look(MADE)
    assert "list Pod" in asked


CANCELLATION = Cancellation(time=NOW, reason=FinishedReason.CANCELLED)


def stopping(*, noticed: bool) -> Execution:
    changes = {"cancellation": CANCELLATION if noticed else None}
    status = NAMED.status.model_copy(update=changes)
    return make_execution(status=status, cancel=True)


@pytest.mark.parametrize(
    ("noticed", "asked"), [(False, ["get Pod"]), (True, ["get Job", "list Pod"])]
)
async def test_a_stop_reads_what_it_deletes_and_then_whether_anything_is_left(
    noticed: bool, asked: list[str]
) -> None:
    scene = Scene(JOB, of_job(), snapshot(NAMED))
    seen, was_asked = await scene.look(stopping(noticed=noticed))
    assert was_asked == asked
    assert seen.facts.pod is not None
    assert (seen.facts.job is not None) is noticed


async def test_what_is_stopped_is_looked_for_where_its_pod_is_not_known() -> None:
    scene = Scene(JOB)
    seen, asked = await scene.look(stopping(noticed=False))
    assert asked == ["get Pod", "get Job", "list Pod"]
    assert (seen.facts.job is not None, seen.facts.pod) == (True, None)


# ---- Events --------------------------------------------------------------------------------------

FAILED = make_condition("Failed")
COUNTED: JsonObject = {**JOB, "status": {"failed": 1}}


@pytest.mark.parametrize(
    ("job", "pod", "subject"),
    [
        (None, None, None),
        (JOB, None, "job"),
        (make_job(FAILED), None, None),
        (make_job(make_condition("Complete")), None, None),
        (COUNTED, None, None),
        (JOB, make_pod(), "pod"),
        (None, make_pod(), "pod"),
        (JOB, make_pod("Running", running()), None),
        (JOB, make_pod("Running", terminated(0)), None),
        (JOB, make_pod("Failed"), None),
        (JOB, make_pod("Pending", waiting("ImagePullBackOff", "not found")), None),
        (JOB, make_pod("Pending", waiting("ContainerCreating")), "pod"),
    ],
)
def test_events_are_read_only_of_what_does_not_say_itself_why_it_waits(
    job: JsonObject | None, pod: JsonObject | None, subject: str | None
) -> None:
    seen_job = Job.model_validate(job) if job else None
    seen_pod = Pod.model_validate(pod) if pod else None
    uids = {"job": uid_of(JOB), "pod": uid_of(make_pod()), None: None}
    assert subject_of_events(seen_job, seen_pod) == uids[subject]


async def test_events_are_read_of_a_slow_start_alone_and_every_20_seconds() -> None:
    scene = Scene(JOB)
    lists: dict[float, bool] = {}
    for after in (0, 4.9, 5, 24.9, 25, 30):
        scene.now = NOW + seconds(after)
        _, asked = await scene.look(MADE)
        lists[after] = "list Event" in asked
    assert lists == {0: False, 4.9: False, 5: True, 24.9: False, 25: True, 30: False}


async def test_events_of_another_object_are_read_at_once() -> None:
    """First the Job has no pod, then the pod does not start."""
    scene = Scene(JOB)
    scene.now += seconds(5)
    await scene.look(MADE)
    scene.world.put({**of_job(), "status": {"phase": "Pending"}})
    _, asked = await scene.look(MADE)
    assert "list Event" in asked
    _, asked = await scene.look(MADE)
    assert "list Event" not in asked
    scene.observer.forget_execution(("default", "sales-1"))
    _, asked = await scene.look(MADE)
    assert "list Event" in asked


# ---- money ---------------------------------------------------------------------------------------


def finished(*, settled: bool) -> Execution:
    status = make_condition_status(
        make_attempt(end=NOW),
        succeeded="True",
        reason="Verified",
        settled="True" if settled else "False",
    )
    return make_execution(status=status)


@pytest.mark.parametrize(
    ("execution", "objects", "is_asked"),
    [
        (make_execution(status=make_condition_status()), [], False),
        (STARTING, [], False),
        (MADE, [JOB], True),
        (finished(settled=False), [], True),
        (finished(settled=True), [], False),
    ],
    ids=["no attempt", "no Job yet", "it runs", "it ended", "it is settled"],
)
async def test_the_ledger_is_asked_of_what_may_have_spent_something(
    execution: Execution, objects: list[JsonObject], is_asked: bool
) -> None:
    seen, _ = await Scene(*objects).look(execution)
    assert (seen.ledger is not None) is is_asked


async def test_the_ledger_is_asked_now_and_then_and_always_before_an_end() -> None:
    scene = Scene(JOB, of_job())
    asked: dict[float, bool] = {}
    for after in (0, 14.9, 15, 16):
        scene.now = NOW + seconds(after)
        seen, _ = await scene.look(MADE)
        asked[after] = seen.ledger is not None
    assert asked == {0: True, 14.9: False, 15: True, 16: False}
    seen, _ = await scene.look(stopping(noticed=True))
    assert seen.ledger is None  # its pod is still there
    scene.world.objects.clear()
    for noticed in (False, True):  # nothing is left of it
        seen, _ = await scene.look(stopping(noticed=noticed))
        assert (seen.ledger is not None) is noticed


async def test_a_gateway_that_is_away_leaves_the_money_open() -> None:
    scene = Scene(JOB)
    scene.gateway.answers = False
    seen, _ = await scene.look(MADE)
    assert seen.ledger is None
