"""A small world of plain data around one Execution: Job controller, kubelet, gateway and time.

It plays what a cluster does to one run, so that `decide` can be led through any history. Every
broken promise of the operator is an AssertionError at the moment when it happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.conditions import ExecutionCondition
from heliostat_core.executions import Attempt, Execution, ExecutionStatus
from heliostat_core.names import FINISHED_LABEL, RUN_FINALIZER
from heliostat_core.worlds import JsonObject
from heliostat_operator.gateway.ledgers import AttemptSum, LedgerSum
from heliostat_operator.model.effects import (
    Effect,
    HoldExecution,
    ReleaseExecution,
    RevokeKey,
    SnapshotAgent,
    StartAttempt,
    StopAttempt,
)
from heliostat_operator.runs.caches import PendingJobUids
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import LimitUse, Observation
from heliostat_operator.runs.pods import Job, Pod
from heliostat_operator.runs.status import names_due
from heliostat_operator.settings import OperatorSettings
from support.builders.pods import (
    job_failed,
    make_condition,
    make_job,
    make_pod,
    running,
    terminated,
)
from support.builders.resources import (
    NOW,
    make_execution,
    make_settings,
    make_slots,
    make_uid,
    seconds,
)

DEFAULT_GRACE = 30


@dataclass
class PlayedJob:
    number: int
    uid: str
    conditions: list[JsonObject] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return bool(self.conditions)


@dataclass
class PlayedPod:
    """`state` is the container's; an ended pod has a phase of Succeeded or Failed."""

    number: int
    phase: str = "Pending"
    state: JsonObject | None = None
    reason: str = ""
    conditions: list[JsonObject] = field(default_factory=list)
    deleted: datetime | None = None
    started: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.phase in ("Succeeded", "Failed")


class Simulation:
    """One Execution and everything around it."""

    def __init__(self, settings: OperatorSettings | None = None) -> None:
        self.settings = settings or make_settings()
        self.now = NOW
        self.agent: Agent | None = None
        self.execution: Execution | None = make_execution(uid=make_uid("simulated"))
        self.snapshot: AgentSpec | None = None
        self.jobs: dict[int, PlayedJob] = {}
        self.pods: dict[int, PlayedPod] = {}
        self.has_slot = True
        self.gateway_answers = True
        self.node_answers = True
        self.ledger_settled = True
        self.cost_nanos = 0
        self.revoked: set[int] = set()
        self.started: list[int] = []
        self.is_forgotten = False
        self.pending_uids = PendingJobUids()
        self.started_here: set[int] = set()

    # ---- the operator ---------------------------------------------------------------------------

    def reconcile(self, applied: int | None = None) -> float | None:
        """One step; with `applied`, the operator dies after so many effects."""
        execution = self.execution
        if execution is None or self.is_forgotten:
            return None
        execution = self.pending_uids.recall(execution)
        seen = self.observe(execution)
        decision = decide(execution, seen, self.now, self.settings)
        self.check_decision(execution, decision)
        effects = decision.effects if applied is None else decision.effects[:applied]
        revoked, jobs = self.apply(effects)
        if applied is not None:
            self.restart()
            return None
        if self.execution is not None:
            self.write(self.execution, decision.status, revoked, jobs)
        return 0 if revoked and decision.again_after is not None else decision.again_after

    def restart(self) -> None:
        """A new operator lists what is not marked as finished; of the rest it never hears. What
        the old one remembered is gone with it."""
        self.pending_uids = PendingJobUids()
        self.started_here.clear()
        marks = self.execution.metadata.labels if self.execution else {}
        self.is_forgotten = marks.get(FINISHED_LABEL) == "true"

    def observe(self, execution: Execution) -> Observation:
        """What heliostat_operator.runs.observe gathers, from plain data."""
        admitted, finished = execution.is_admitted, execution.is_finished
        return Observation(
            agent=None if admitted or finished else self.agent,
            frozen=self.snapshot if admitted and not finished else None,
            slots=make_slots(granted=self.has_slot, agent=LimitUse(int(not self.has_slot), 1)),
            facts=self.facts(execution),
            ledger=self.ledger(execution),
        )

    def facts(self, execution: Execution) -> Facts:
        attempt = execution.current_attempt
        if attempt is None or attempt.is_over or execution.is_finished:
            return Facts(job=None, pod=None)
        job, pod = self.jobs.get(attempt.number), self.pods.get(attempt.number)
        return Facts(
            job=self.job_object(job) if job else None,
            pod=self.pod_object(pod) if pod else None,
        )

    def is_silent(self, pod: PlayedPod | None) -> bool:
        return (
            pod is not None
            and pod.deleted is not None
            and self.now - pod.deleted > seconds(DEFAULT_GRACE + 30)
        )

    def job_object(self, job: PlayedJob) -> Job:
        return Job.model_validate(
            make_job(*job.conditions, name=f"sales-1-{job.number}", uid=job.uid)
        )

    def pod_object(self, pod: PlayedPod) -> Pod:
        return Pod.model_validate(
            make_pod(
                pod.phase,
                pod.state,
                name=f"sales-1-{pod.number}-pod",
                reason=pod.reason,
                conditions=pod.conditions,
                deleted=pod.deleted,
            )
        )

    def ledger(self, execution: Execution) -> LedgerSum | None:
        if not execution.status.attempts or execution.is_settled or not self.gateway_answers:
            return None
        number = execution.status.attempts[-1].number
        return LedgerSum(
            cost_nanos=self.cost_nanos,
            settled=self.ledger_settled,
            requests=1 if self.cost_nanos else 0,
            provider="scripted",
            model="scripted/demo",
            attempts=(AttemptSum(attempt=number, cost_nanos=self.cost_nanos),),
        )

    def apply(self, effects: Sequence[Effect]) -> tuple[set[int], dict[int, str]]:
        revoked: set[int] = set()
        jobs: dict[int, str] = {}
        for effect in effects:
            match effect:
                case HoldExecution():
                    self.mark(RUN_FINALIZER)
                case ReleaseExecution():
                    self.release()
                case SnapshotAgent():
                    self.snapshot = effect.spec
                case StartAttempt():
                    jobs[effect.attempt.number] = self.start(effect)
                case RevokeKey() if self.gateway_answers:
                    self.revoked.add(effect.attempt.number)
                    revoked.add(effect.attempt.number)
                case StopAttempt():
                    self.stop(effect)
                case _:
                    pass
        return revoked, jobs

    def mark(self, *finalizers: str, **labels: str) -> None:
        assert self.execution is not None
        meta = self.execution.metadata
        changed = meta.model_copy(update={"finalizers": finalizers, "labels": labels})
        self.execution = self.execution.model_copy(update={"metadata": changed})

    def release(self) -> None:
        execution = self.execution
        assert execution is not None
        for attempt in execution.status.attempts:
            assert self.is_dead(attempt), f"released with a live key of attempt {attempt.number}"
        alive = [pod for pod in self.pods.values() if not pod.is_over and not self.is_stuck(pod)]
        assert not alive, f"released while {alive} runs"
        assert execution.is_finished, "released before its end"
        self.mark(**{FINISHED_LABEL: "true"})
        if execution.metadata.deletion_timestamp is not None:
            self.vanish()

    def is_dead(self, attempt: Attempt) -> bool:
        return attempt.number in self.revoked or self.now >= attempt.key_expires_time

    def is_stuck(self, pod: PlayedPod) -> bool:
        """On a silent node: nobody can end it, and its key is dead."""
        return not self.node_answers and pod.deleted is not None

    def vanish(self) -> None:
        """The Execution is gone; the garbage collector follows."""
        self.execution = None
        self.jobs.clear()
        self.pods.clear()

    def start(self, effect: StartAttempt) -> str:
        number = effect.attempt.number
        if number in self.jobs:
            return self.jobs[number].uid
        assert self.execution is not None
        earlier = [each for each in self.execution.status.attempts if each.number < number]
        live = [each.number for each in earlier if not self.is_dead(each)]
        assert not live, f"attempt {number} starts while the keys of {live} live"
        assert effect.frozen == self.snapshot, "an attempt runs another spec than the frozen one"
        assert number not in self.started_here, f"one operator starts attempt {number} twice"
        self.started_here.add(number)
        self.started.append(number)
        self.jobs[number] = PlayedJob(number, make_uid(f"job/{number}/{len(self.started)}"))
        self.check_one_lives()
        return self.jobs[number].uid

    def stop(self, effect: StopAttempt) -> None:
        number = int(effect.job_name.rsplit("-", 1)[1])
        pod = self.pods.get(number)
        if pod is not None and effect.pod_name is not None:
            assert effect.grace_seconds <= 3
            self.delete_pod(pod, effect.grace_seconds)
        if effect.job_uid is not None:
            self.delete_job(number)

    def write(
        self,
        execution: Execution,
        status: ExecutionStatus,
        revoked: set[int],
        jobs: dict[int, str],
    ) -> None:
        attempts = tuple(
            each.model_copy(
                update={
                    "key_revoked": each.key_revoked or each.number in revoked,
                    "job_uid": jobs.get(each.number, each.job_uid),
                }
            )
            for each in status.attempts
        )
        status = status.model_copy(update={"attempts": attempts})
        # What the API server would refuse would never be written, and the run would hang.
        assert ExecutionStatus.model_validate(status.to_json()) == status
        due = names_due(execution.status, status)
        if status != execution.status and due is not None and self.now < due:
            self.pending_uids.keep(execution, status)
            return
        self.execution = execution.model_copy(update={"status": status})

    # ---- promises -------------------------------------------------------------------------------

    def check_decision(self, execution: Execution, decision: Decision) -> None:
        self.check_terminal(execution, decision)
        self.check_attempts(decision.status)
        if decision.again_after is None:
            assert execution.is_finished, "an unfinished run that nothing looks at again"

    def check_terminal(self, execution: Execution, decision: Decision) -> None:
        if execution.is_finished:
            assert settled_view(decision.status) == settled_view(execution.status)
            assert not any(isinstance(each, StartAttempt) for each in decision.effects)

    def check_attempts(self, status: ExecutionStatus) -> None:
        causes = [each.cause for each in status.attempts]
        limit = self.snapshot.retry.limit if self.snapshot else 0
        assert causes.count("agent") <= limit + 1
        assert causes.count("infrastructure") <= 11
        numbers = [each.number for each in status.attempts]
        assert numbers == list(range(1, len(numbers) + 1))
        assert all(each.is_over for each in status.attempts[:-1])

    def check_one_lives(self) -> None:
        stuck = {pod.number for pod in self.pods.values() if self.is_stuck(pod)}
        jobs = {job.number for job in self.jobs.values() if not job.is_over}
        pods = {pod.number for pod in self.pods.values() if not pod.is_over}
        ended = {pod.number for pod in self.pods.values() if pod.is_over}
        live = (jobs - ended) | pods
        assert len(live - stuck) <= 1, f"attempts {live} live at once"

    # ---- the cluster ----------------------------------------------------------------------------

    def pass_time(self, count: float) -> None:
        self.now += seconds(count)
        for pod in list(self.pods.values()):
            self.finish_deletion(pod)

    def make_pods(self) -> None:
        """The Job controller makes a pod for each Job that never had one."""
        for job in self.jobs.values():
            if not job.is_over and job.number not in self.pods:
                self.pods[job.number] = PlayedPod(job.number)

    def record_ends(self) -> None:
        """The Job controller keeps how a pod ended."""
        for pod in self.pods.values():
            job = self.jobs.get(pod.number)
            if job is not None and not job.is_over and pod.is_over:
                job.conditions.append(job_record(pod))

    def start_pods(self) -> None:
        for pod in self.pods.values():
            if pod.phase == "Pending" and pod.deleted is None:
                pod.phase, pod.state, pod.started = "Running", running(self.now), self.now

    def end_pod(self, ended: PlayedPod) -> None:
        """The container ends as `ended` tells, with its times."""
        for pod in self.pods.values():
            if pod.phase == "Running" and pod.started is not None:
                pod.phase, pod.reason = ended.phase, ended.reason
                pod.conditions = list(ended.conditions)
                pod.state = with_times(ended.state, pod.started, self.now)

    def delete_pod(self, pod: PlayedPod, grace: int = DEFAULT_GRACE) -> None:
        if pod.deleted is None:
            pod.deleted = self.now + seconds(grace)
        else:
            pod.deleted = min(pod.deleted, self.now + seconds(grace))
        if pod.phase == "Pending" or pod.is_over:
            self.remove_pod(pod)

    def finish_deletion(self, pod: PlayedPod) -> None:
        if pod.deleted is not None and self.node_answers and self.now >= pod.deleted:
            if pod.phase == "Running":
                pod.phase = "Failed"
                pod.state = terminated(143, finished=self.now)
            self.record_ends()
            self.remove_pod(pod)

    def remove_pod(self, pod: PlayedPod) -> None:
        """The pod leaves the API; its Job, when there is one, counts it as failed."""
        self.pods.pop(pod.number, None)
        job = self.jobs.get(pod.number)
        if job is not None and not job.is_over:
            job.conditions.append(
                job_failed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
            )

    def delete_job(self, number: int) -> None:
        if self.jobs.pop(number, None) is not None and number in self.pods:
            self.delete_pod(self.pods[number])

    def delete_execution(self) -> None:
        execution = self.execution
        if execution is None or execution.metadata.deletion_timestamp is not None:
            return
        meta = execution.metadata.model_copy(update={"deletion_timestamp": self.now})
        self.execution = execution.model_copy(update={"metadata": meta})
        if not meta.finalizers:
            alive = [pod for pod in self.pods.values() if not pod.is_over]
            assert not alive or self.is_stuck(alive[0]), "a running Execution has no finalizer"
            self.vanish()

    def cancel(self) -> None:
        if self.execution is not None:
            spec = self.execution.spec.model_copy(update={"cancel": True})
            self.execution = self.execution.model_copy(update={"spec": spec})


def job_record(pod: PlayedPod) -> JsonObject:
    """What podFailurePolicy writes about a pod's end."""
    name = f"default/sales-1-{pod.number}-pod"
    if any(each["type"] == "DisruptionTarget" for each in pod.conditions):
        return job_failed(
            "PodFailurePolicy",
            f"Pod {name} has condition DisruptionTarget matching FailJob rule at index 0",
        )
    if pod.phase == "Succeeded":
        return make_condition("Complete", reason="CompletionsReached")
    container = Pod.model_validate(make_pod(pod.phase, pod.state)).container.terminated
    if container is None:
        return job_failed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    return job_failed(
        "PodFailurePolicy",
        f"Container agent for pod {name} failed with exit code {container.exit_code} matching "
        "FailJob rule at index 1",
    )


def with_times(
    state: JsonObject | None, started: datetime, finished: datetime
) -> JsonObject | None:
    end = state.get("terminated") if state else None
    if not isinstance(end, dict):
        return state
    times = terminated(0, started=started, finished=finished)["terminated"]
    assert isinstance(times, dict)
    return {
        "terminated": {
            **end,
            "startedAt": times["startedAt"],
            "finishedAt": times["finishedAt"],
        }
    }


def settled_view(status: ExecutionStatus) -> ExecutionStatus:
    """A finished status without what settlement and a dead key may still change."""
    attempts = tuple(
        each.model_copy(update={"cost_micros": 0, "key_revoked": True}) for each in status.attempts
    )
    conditions = tuple(
        each.model_copy(update={"observed_generation": 0})
        for each in status.conditions
        if each.type != ExecutionCondition.SETTLED
    )
    return replace_status(status, attempts, conditions)


def replace_status(
    status: ExecutionStatus, attempts: tuple[Attempt, ...], conditions: Sequence[object]
) -> ExecutionStatus:
    return status.model_copy(
        update={
            "attempts": attempts,
            "conditions": tuple(conditions),
            "observed_generation": 0,
            "cost_micros": 0,
            "usage": None,
            "model": None,
        }
    )
