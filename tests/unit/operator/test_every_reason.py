"""Each reason that core documents is one that the engine writes: what a reason promises
is led to, and no text of a test counts for it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pytest

from heliostat_core.conditions import (
    AdmittedReason,
    AwaitingReason,
    BlockedReason,
    Documented,
    FinishedReason,
    ReadyReason,
    RunningReason,
    SettledReason,
    TickReason,
    TriggeredReason,
)
from heliostat_core.names import OFFERED_ANNOTATION, scheduled_name
from heliostat_core.secret_refs import ManagedRef
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    JOB,
    InvalidError,
    JsonObject,
    JsonValue,
    NamespaceTerminatingError,
    Ref,
)
from heliostat_google.problems import SecretProblem, SecretReason
from heliostat_google.timer_jobs import TimerJob, TimerJobError
from heliostat_operator.gateway.ledgers import AgentSum, LedgerSum, ModelAnswer
from heliostat_operator.schedules.cloud_timers import CloudTimers
from heliostat_operator.schedules.cron_jobs import CronJobs
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_operator.secrets.resolved_secrets import ResolvedSecrets
from heliostat_operator.settings import OperatorSettings
from heliostat_runner.reasons import ENDINGS, Reason
from support.asking import apply_asking, approval_of, ask, say
from support.builders.pods import (
    make_condition,
    make_pod,
    make_result,
    running,
    stamp,
    terminated,
    waiting,
)
from support.builders.resources import NOW, make_settings, seconds
from support.fake_gateway import FakeGateway
from support.lived_runs import REASONS, Ground, label
from support.manual_loop import run

Play = Callable[[Ground], Awaitable[None]]
NEVER = "0 0 30 2 *"
HOURLY: Mapping[str, object] = {"frequency": "hourly", "trigger": "Builtin"}
_SECRET = {"secret": "projects/acme/secrets/crm"}
MANAGED = {"secretRefs": [{"envName": "TOKEN", "secretManager": _SECRET}]}


@dataclass
class Story:
    """What is played, and the reasons that the engine has to write for it."""

    reasons: tuple[Documented, ...]
    play: Play
    ground: Callable[[], Ground] = field(default=Ground)

    def __str__(self) -> str:
        return " ".join(map(label, self.reasons))


# ---- runs ----------------------------------------------------------------------------------------


async def begin(ground: Ground, **spec: object) -> None:
    ground.agent("sales", 0, **spec)
    ground.run()


async def with_pod(ground: Ground, pod: JsonObject, **spec: object) -> None:
    """A run whose first attempt has this pod."""
    await begin(ground, **spec)
    await ground.pod(make_pod("Running", running(ground.now())))
    await ground.until(RunningReason.CONTAINER_RUNNING)
    await ground.pod(pod)


async def with_document(ground: Ground, reason: Reason) -> None:
    """A run whose runner ends so."""
    ending = ENDINGS[reason]
    outcome = "Failed" if ending.cause else "Succeeded"
    document = make_result(outcome, reason.value, ending.cause.value if ending.cause else None)
    phase = "Succeeded" if ending.cause is None else "Failed"
    await with_pod(ground, make_pod(phase, terminated(ending.exit_code, message=document)))


def ended(code: int, reason: str = "", message: str = "", **pod: object) -> Play:
    state = terminated(code, reason, message)
    return partial(with_pod, pod=make_pod("Failed", state, **pod))  # type: ignore[arg-type]


def disrupted(reason: str) -> Play:
    condition = make_condition("DisruptionTarget", reason=reason, message=f"{reason}.")
    return ended(143, conditions=[condition])


async def pod_is_lost(ground: Ground) -> None:
    await begin(ground)
    await ground.pod(make_pod("Running", running(ground.now())))
    await ground.until(RunningReason.CONTAINER_RUNNING)
    job = Ref(EXECUTION, "default", "sales-1")
    assert job in ground.world.objects
    for ref in [each for each in ground.world.objects if each.kind.name in ("Job", "Pod")]:
        ground.world.remove(ref)


async def infrastructure_breaks_all(ground: Ground) -> None:
    await begin(ground)
    for number in range(1, 12):
        lost = make_pod("Failed", reason="NodeLost", message="The node is gone.")
        await ground.pod(lost, f"sales-1-{number}")


async def cancel(ground: Ground) -> None:
    await begin(ground, suspend=True)
    await ground.until(BlockedReason.AGENT_SUSPENDED)
    ground.change(cancel=True)


async def stop(ground: Ground) -> None:
    await begin(ground)
    await ground.pod(make_pod("Running", running(ground.now())))
    ground.change(cancel=True)


async def delete(ground: Ground) -> None:
    await begin(ground)
    await ground.pod(make_pod("Running", running(ground.now())))
    await ground.until(RunningReason.CONTAINER_RUNNING)
    await ground.world.delete(Ref(EXECUTION, "default", "sales-1"))


async def runs_too_long(ground: Ground) -> None:
    await begin(ground, limits={"timeoutSeconds": 60})
    await ground.pod(make_pod("Running", running(ground.now())))


async def agent_is_deleted(ground: Ground) -> None:
    await begin(ground, suspend=True)
    await ground.until(BlockedReason.AGENT_SUSPENDED)
    ground.world.remove(Ref(AGENT, "default", "sales"))


async def deadline_passes(ground: Ground) -> None:
    ground.agent(suspend=True)
    ground.run(deadlineTime=stamp(NOW + seconds(90)))
    await ground.until(BlockedReason.AGENT_SUSPENDED)


async def schedule_leaves_it_out(ground: Ground) -> None:
    ground.agent(schedule={"frequency": "hourly", "suspend": True})
    offer(ground)


async def schedule_has_not_decided(ground: Ground) -> None:
    ground.agent(schedule={"frequency": "hourly", "jitterSeconds": 3000})
    await ground.wait(lambda: ground.now() >= NOW + seconds(3600), "the time of the schedule")
    offer(ground, NOW + seconds(3600))


def offer(ground: Ground, time: datetime = NOW) -> None:
    """As the pod of a CronJob makes it for a time of the schedule."""
    trigger = {"kind": "Schedule", "id": "CronJob", "scheduledTime": time}
    name = scheduled_name("sales", time)
    ground.run(name, {OFFERED_ANNOTATION: "CronJob"}, trigger=trigger)


def scheduled_run(ground: Ground) -> None:
    """A run of the schedule that was made before."""
    trigger = {"kind": "Schedule", "id": "Builtin", "scheduledTime": NOW - seconds(60)}
    ground.run("sales-before", trigger=trigger)


# ---- asks ----------------------------------------------------------------------------------------


async def asks_for(ground: Ground, **approvals: JsonValue) -> str:
    """A run that asks for an action; its digest."""
    spec = apply_asking(ground, approvals)
    ground.run()
    return await ask(ground, spec=spec)


async def run_asks(ground: Ground) -> None:
    await asks_for(ground)


async def run_asks_in_vain(ground: Ground) -> None:
    await asks_for(ground, expireSeconds=60)


async def outcome_is_lost(ground: Ground) -> None:
    approval = await approval_of(ground, await asks_for(ground, expireSeconds=3600))
    say(ground.world, approval.metadata.name, "Approve")
    await ground.pod(make_pod("Running", running(ground.now())), "sales-1-2")
    await ground.pod(make_pod("Failed", terminated(137)), "sales-1-2")


async def run_asks_without_end(ground: Ground) -> None:
    apply_asking(ground)
    ground.run()
    for attempt in range(1, 22):
        digest = await ask(ground, attempt, f"curl https://example.com/{attempt}")
        if attempt <= 20:
            approval = await approval_of(ground, digest)
            say(ground.world, approval.metadata.name, "Deny")


# ---- waits ---------------------------------------------------------------------------------------


def waits_with(pod: JsonObject) -> Play:
    async def play(ground: Ground) -> None:
        await begin(ground)
        await ground.pod(pod)

    return play


async def volume_fails(ground: Ground) -> None:
    await begin(ground)
    await ground.pod(make_pod("Pending", waiting("ContainerCreating")))
    ground.event("Pod", "FailedMount", "mount failed: exit status 32")


async def pod_is_refused(ground: Ground) -> None:
    await begin(ground)
    await ground.until(BlockedReason.STARTING)
    ground.event("Job", "FailedCreate", "pods are forbidden: exceeded quota")


async def objects_are_refused(ground: Ground) -> None:
    ground.world.failures["create"] = InvalidError("a policy refuses it")
    await begin(ground)


async def namespace_is_deleted(ground: Ground) -> None:
    ground.world.failures["create"] = NamespaceTerminatingError("it is being terminated")
    await begin(ground)


async def job_is_suspended(ground: Ground) -> None:
    await begin(ground)
    job = ground.world.objects[Ref(JOB, "default", await ground.job())]
    ground.world.put({**job, "status": {"conditions": [make_condition("Suspended")]}})


async def agent_is_paused(ground: Ground) -> None:
    pause = AgentSum(paused=True, reason="It cost far more than is ordinary.", since=NOW)
    ground.gateway.pauses["default/sales"] = pause
    await begin(ground)


async def two_runs(ground: Ground, agent: str = "sales") -> None:
    ground.agent(maxConcurrentExecutions=1 if agent == "sales" else 10)
    ground.agent("other")
    ground.run("one")
    ground.run("two", agent=agent)


async def gateway_goes(ground: Ground, limit: int = 1) -> None:
    await begin(ground, retry={"limit": limit})
    await ground.pod(make_pod("Running", running(ground.now())))
    ground.gateway.answers = False
    failed = make_result("Failed", "AgentError", "agent")
    await ground.pod(make_pod("Failed", terminated(10, message=failed)))


async def calls_are_open(ground: Ground) -> None:
    await begin(ground)
    [uid] = [
        str(each["metadata"]["uid"])  # type: ignore[index,call-overload]
        for ref, each in ground.world.objects.items()
        if ref.kind == EXECUTION
    ]
    ground.gateway.sums[uid] = LedgerSum(settled=False, requests=1)
    await ground.pod(make_pod("Succeeded", terminated(0, message=make_result())))


async def blackout_holds(ground: Ground) -> None:
    blackout = {"startTime": stamp(NOW - seconds(60)), "endTime": stamp(NOW + seconds(9000))}
    ground.agent(schedule={**HOURLY, "blackouts": [blackout]})
    scheduled_run(ground)


async def schedule_pauses(ground: Ground) -> None:
    ground.agent(schedule={**HOURLY, "pauseAfterFailures": 1})
    failed = make_result("Failed", "AgentError", "agent")
    await ground.pod(make_pod("Failed", terminated(10, message=failed)), await ground.job())
    await ground.until(TickReason.PAUSED)
    scheduled_run(ground)


# ---- Agents --------------------------------------------------------------------------------------


class Problem:
    """A Secret Manager that has no secret."""

    def __init__(self, reason: SecretReason) -> None:
        self._problem = SecretProblem(reason, "It can't be had.")

    async def look(self, namespace: str, refs: Sequence[ManagedRef]) -> ResolvedSecrets:
        assert (namespace, len(refs)) == ("default", 1)
        return ResolvedSecrets(problem=self._problem)


class NoModels(FakeGateway):
    async def model(self, name: str) -> ModelAnswer:
        return ModelAnswer(served=False, provider="", reason="UnknownModel", message=f"No {name}.")


async def no_models(ground: Ground) -> None:
    ground.agent()


def ground_without_models() -> Ground:
    ground = Ground()
    ground.gateway = NoModels()
    return ground


async def gateway_is_away(ground: Ground) -> None:
    ground.gateway.answers = False
    ground.agent()


class Timers:
    """A Cloud Scheduler that fails, or one that does what it is asked."""

    def __init__(self, error: TimerJobError | None = None) -> None:
        self._error = error

    async def keep(self, job: TimerJob) -> None:
        assert job.name
        if self._error is not None:
            raise self._error

    async def remove(self, name: str) -> None:
        assert name


def ground_with_triggers(timers: Timers | None = None) -> Ground:
    settings = cloud_settings()

    def triggers(ground: Ground) -> Sequence[object]:
        cron = CronJobs(ground.world, settings, ground.now)
        cloud = CloudTimers(ground.world, timers, settings, ground.now)
        kinds = {"CronJob": cron, "CloudScheduler": cloud}
        return [TriggerReconciler(ground.world, kinds, ground.now)]  # type: ignore[arg-type]

    return Ground(settings, parts=triggers)


def cloud_settings() -> OperatorSettings:
    return OperatorSettings(
        gateway_url="http://gateway.test:8081",
        cloud_scheduler_location="projects/acme/locations/here",
        cloud_scheduler_target="https://agents.example",
        cloud_scheduler_account="timer@acme.iam.gserviceaccount.com",
    )


async def has_trigger(ground: Ground, trigger: str) -> None:
    ground.agent(schedule={"frequency": "hourly", "trigger": trigger})


# ---- ticks ---------------------------------------------------------------------------------------


async def ticks(
    ground: Ground, created: float = 0, suspends: bool = False, **schedule: object
) -> None:
    given = {key: each for key, each in {**HOURLY, **schedule}.items() if each is not None}
    # No pod of it need start: each would else fail after an hour.
    ground.agent(created=created, suspend=suspends, schedule=given, startTimeoutSeconds=604_800)


async def run_waits_for_run(ground: Ground) -> None:
    await ticks(ground, overlap="QueueOne")
    job = await ground.job()
    await one_hour(ground)
    await ground.pod(make_pod("Succeeded", terminated(0, message=make_result())), job)


async def one_hour(ground: Ground) -> None:
    """The next time comes while a run goes on."""
    until = ground.now() + seconds(3700)
    await ground.wait(lambda: ground.now() > until, "the next time")


async def times_change(ground: Ground) -> None:
    await ticks(ground, overlap="QueueOne")
    await ground.job()
    await one_hour(ground)
    await ticks(ground, overlap="QueueOne", frequency="daily")


async def tick_is_refused(ground: Ground) -> None:
    ground.world.failures["create"] = InvalidError("a policy refuses it")
    await ticks(ground)


async def only_run(ground: Ground) -> None:
    ground.run()


async def prompt_is_too_long(ground: Ground) -> None:
    ground.agent(prompt="x" * 65_000)
    ground.run(input="\x01" * 250_000)


RUN_STORIES = (
    *(
        Story((FinishedReason(each.value),), partial(with_document, reason=each))
        for each in Reason
        if each is not Reason.AWAITING_APPROVAL  # what is asked for has stories of its own
    ),
    Story(
        (FinishedReason.AWAITING_APPROVAL, AwaitingReason.ASKED, BlockedReason.AWAITING_APPROVAL),
        run_asks,
    ),
    Story((FinishedReason.APPROVAL_EXPIRED, AwaitingReason.ANSWERED), run_asks_in_vain),
    Story((FinishedReason.OUTCOME_UNKNOWN, AwaitingReason.OUTCOME_UNKNOWN), outcome_is_lost),
    Story((FinishedReason.ASK_LIMIT,), run_asks_without_end),
    Story((FinishedReason.ASK_INVALID,), partial(with_document, reason=Reason.AWAITING_APPROVAL)),
    Story(
        (
            *(FinishedReason.ACTIVE, AdmittedReason.ADMITTED, SettledReason.SETTLED),
            *(RunningReason.CONTAINER_RUNNING, RunningReason.NOT_RUNNING),
        ),
        partial(with_document, reason=Reason.VERIFIED),
    ),
    Story((FinishedReason.EVICTED,), disrupted("EvictionByEvictionAPI")),
    Story((FinishedReason.PREEMPTED,), disrupted("PreemptionByScheduler")),
    Story((FinishedReason.NODE_LOST,), disrupted("DeletionByTaintManager")),
    Story(
        (FinishedReason.POD_DELETED,),
        ended(143, deleted=NOW + seconds(9000)),
        partial(Ground, keeps_pods=True),
    ),
    Story((FinishedReason.POD_LOST,), pod_is_lost),
    Story((FinishedReason.OUT_OF_MEMORY,), ended(137, "OOMKilled")),
    Story(
        (FinishedReason.OUT_OF_STORAGE,),
        partial(
            with_pod,
            pod=make_pod(
                "Failed",
                terminated(143, message=make_result("Failed", "Terminated", "infrastructure")),
                reason="Evicted",
                message="Pod ephemeral local storage usage exceeds the total limit of 1Mi. ",
            ),
        ),
    ),
    Story(
        (FinishedReason.INIT_CONTAINER_FAILED,),
        waits_with(
            make_pod("Failed", waiting("PodInitializing"), init={"mesh": terminated(3)}),
        ),
    ),
    Story((FinishedReason.KILLED,), ended(137)),
    Story((FinishedReason.START_FAILED,), ended(128, "StartError", "exec format error")),
    Story((FinishedReason.EXITED,), ended(7)),
    Story((FinishedReason.NO_RESULT,), partial(with_pod, pod=make_pod("Succeeded", terminated(0)))),
    Story((FinishedReason.CANCELLED,), cancel),
    Story((FinishedReason.DELETED,), delete),
    Story((FinishedReason.SKIPPED,), schedule_leaves_it_out, ground_with_triggers),
    Story((FinishedReason.TIMED_OUT,), runs_too_long),
    Story((FinishedReason.START_TIMED_OUT,), partial(begin, startTimeoutSeconds=60)),
    Story((FinishedReason.AGENT_DELETED,), agent_is_deleted),
    Story((FinishedReason.DEADLINE_PASSED,), deadline_passes),
    Story((FinishedReason.PROMPT_INVALID,), partial(begin, prompt="Count ${parameters.what}.")),
    Story((FinishedReason.INFRASTRUCTURE_LIMIT, BlockedReason.BACKOFF), infrastructure_breaks_all),
)


WAIT_STORIES = (
    Story((FinishedReason.PROMPT_TOO_LONG,), prompt_is_too_long),
    Story((BlockedReason.AGENT_NOT_FOUND,), only_run),
    Story((BlockedReason.NOT_DUE,), schedule_has_not_decided, ground_with_triggers),
    Story((BlockedReason.AGENT_PAUSED,), agent_is_paused),
    Story((BlockedReason.SCHEDULE_PAUSED, TickReason.PAUSED), schedule_pauses),
    Story((BlockedReason.BLACKOUT, TickReason.BLACKOUT), blackout_holds),
    *(
        Story(
            (BlockedReason(each.value), ReadyReason(each.value)),
            partial(begin, workspace=MANAGED),
            partial(Ground, vault=Problem(each)),
        )
        for each in SecretReason
    ),
    Story((BlockedReason.GATEWAY_UNREACHABLE,), gateway_goes),
    Story((BlockedReason.AGENT_CONCURRENCY,), two_runs),
    Story(
        (BlockedReason.NAMESPACE_CONCURRENCY,),
        partial(two_runs, agent="other"),
        partial(Ground, make_settings(max_concurrent_executions=2)),
    ),
    Story((BlockedReason.NAMESPACE_TERMINATING,), namespace_is_deleted),
    Story((BlockedReason.JOB_SUSPENDED,), job_is_suspended),
    Story(
        (BlockedReason.TOTAL_CONCURRENCY,),
        partial(two_runs, agent="other"),
        partial(Ground, make_settings(max_concurrent_executions=1)),
    ),
    Story(
        (BlockedReason.CONFIGURATION,),
        partial(with_document, reason=Reason.KEY_REFUSED),
    ),
    Story(
        (BlockedReason.IMAGE_PULL_FAILED,),
        waits_with(make_pod("Pending", waiting("ErrImagePull", "not found"))),
    ),
    Story(
        (BlockedReason.UNSCHEDULABLE,),
        waits_with(
            make_pod(
                node="",
                conditions=[make_condition("PodScheduled", "False", "Unschedulable", "0/1 nodes.")],
            )
        ),
    ),
    Story(
        (BlockedReason.CONFIG_ERROR,),
        waits_with(make_pod("Pending", waiting("CreateContainerConfigError", "no secret"))),
    ),
    Story(
        (BlockedReason.INIT_CONTAINER_FAILED,),
        waits_with(
            make_pod(
                "Pending",
                waiting("PodInitializing"),
                init={"mesh": waiting("CrashLoopBackOff", "back-off 10s")},
            )
        ),
    ),
    Story((BlockedReason.VOLUME_FAILED,), volume_fails),
    Story((BlockedReason.POD_NOT_CREATED,), pod_is_refused),
    Story((BlockedReason.REFUSED,), objects_are_refused),
    Story((BlockedReason.STARTING,), begin),
    Story((BlockedReason.AGENT_SUSPENDED,), partial(begin, suspend=True)),
    Story((BlockedReason.STOPPING,), stop, partial(Ground, keeps_pods=True)),
    Story((SettledReason.OPEN_CALLS,), calls_are_open),
    Story((SettledReason.GATEWAY_UNREACHABLE,), partial(gateway_goes, limit=0)),
)


async def asks(ground: Ground, is_scheduled: bool = False, **approvals: object) -> None:
    ground.agent(approvals=approvals, schedule=HOURLY if is_scheduled else None)


WRONG_RULE = {"decision": "Ask", "tool": "WebFetch", "match": ["Bash"]}
AGENT_STORIES = (
    Story((ReadyReason.POLICY_INVALID,), partial(asks, rules=[WRONG_RULE])),
    Story((ReadyReason.UNATTENDED_UNDECIDED,), partial(asks, is_scheduled=True)),
    Story((ReadyReason.NO_SECOND_APPROVER,), partial(asks, quorum=2)),
    Story((ReadyReason.READY,), no_models),
    Story((ReadyReason.MODEL_UNAVAILABLE,), no_models, ground_without_models),
    Story((ReadyReason.GATEWAY_UNREACHABLE,), gateway_is_away),
    Story((ReadyReason.SCHEDULE_INVALID,), partial(ticks, frequency=None, cron=NEVER)),
    Story(
        (ReadyReason.TRIGGER_MISSING, TriggeredReason.NOT_CONFIGURED),
        partial(has_trigger, trigger="CloudScheduler"),
        ground_with_triggers,
    ),
    Story(
        (TriggeredReason.SET_UP, TickReason.FILLED),
        partial(has_trigger, trigger="CronJob"),
        ground_with_triggers,
    ),
    *(
        Story(
            (reason,),
            partial(has_trigger, trigger="CloudScheduler"),
            partial(ground_with_triggers, Timers(TimerJobError("No.", may_pass=may_pass))),
        )
        for reason, may_pass in (
            (TriggeredReason.UNREACHABLE, True),
            (TriggeredReason.REFUSED, False),
        )
    ),
    Story((TickReason.ON_TIME,), ticks),
    Story((TickReason.CAUGHT_UP,), partial(ticks, created=7000, catchUp="All")),
    Story((TickReason.WAITED,), run_waits_for_run),
    Story((TickReason.SUSPENDED,), partial(ticks, suspend=True)),
    Story((TickReason.AGENT_SUSPENDED,), partial(ticks, suspends=True)),
    Story((TickReason.OVERLAP,), ticks),
    Story((TickReason.CHANGED,), times_change),
    Story((TickReason.NOT_CAUGHT_UP,), partial(ticks, created=7000, catchUp="None")),
    Story((TickReason.DEADLINE_PASSED,), partial(ticks, created=7000, startingDeadlineSeconds=60)),
    Story((TickReason.REFUSED,), tick_is_refused),
)
STORIES = (*RUN_STORIES, *WAIT_STORIES, *AGENT_STORIES)


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_the_engine_writes(story: Story) -> None:
    async def live() -> None:
        ground = story.ground()
        async with ground.living():
            await story.play(ground)
            await ground.until(*story.reasons)

    run(live())


def test_each_reason_has_its_story() -> None:
    told = {label(each) for story in STORIES for each in story.reasons}
    assert {label(each) for reasons in REASONS for each in reasons} == told
