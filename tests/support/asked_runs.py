"""A run that asks, its pods, its operators and people, in small steps that may come in any order.

The decisions are the operator's own; what it writes has resource versions, and each effect is a
step of its own, so that it may die between any two of them or meet a second operator. A pod's guard
does what its Secret says and nothing more: that it does it once is the operator's doing.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from heliostat_core.approvals import (
    Approval,
    ApprovalSpec,
    ApprovalState,
    Resolution,
)
from heliostat_core.approvals import Decision as Word
from heliostat_core.executions import Execution, ExecutionStatus
from heliostat_core.names import RUN_FINALIZER
from heliostat_core.resources import ObjectMeta, OwnerReference
from heliostat_core.worlds import JsonValue
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.decisions import next_status
from heliostat_operator.model.effects import (
    Answers,
    DeleteSecret,
    Effect,
    MakeApproval,
    RevokeKey,
    StartAttempt,
    StopAttempt,
    WriteApproval,
)
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.facts import NOTHING_LEFT, Facts, Leftover, overdue_seconds
from heliostat_operator.runs.lifecycle import decide
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.pods import Job, Pod
from heliostat_policy.actions import CanonicalAction, canonical_bytes, digest_of
from support.asking import ASKING, make_action, make_ask, make_asking_result, make_receipt
from support.builders.pods import (
    job_failed,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
)
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    make_slots,
    make_spec,
    make_uid,
    seconds,
)

GRACE = 3
LEASE = 15
"""Seconds after which an operator that has stood still may write no more: another one leads."""


class ConflictError(Exception):
    """It was written since it was read."""


@dataclass
class AskingPod:
    """One pod: where its session stands, and what its guard was told."""

    number: int
    told: Answers
    stage: str = "asks"
    """asks, allowed, done, told; or ended."""
    message: str = ""
    code: int = 137
    receipts: list[tuple[str, str, str]] = field(default_factory=list)
    deleted: datetime | None = None
    started: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return self.stage == "ended"


@dataclass
class InFlight:
    """An operator between its reading and its writing."""

    execution: Execution
    decision: Decision
    left: list[Effect]
    version: str
    since: datetime
    revoked: set[int] = field(default_factory=set)
    jobs: dict[int, str] = field(default_factory=dict)


class AskedRun:
    """A run whose agent wants to do some risky things, one after the other.

    `claims_late` is the fault that the tests must find: the guard is told to allow before anybody
    has claimed, and the claim is written when the receipt comes.
    """

    def __init__(self, actions: int = 2, *, claims_late: bool = False) -> None:
        self.claims_late = claims_late
        self.now = NOW
        self.settings = make_settings()
        self.spec = make_spec(**ASKING)
        attempt = make_attempt()
        self.execution = make_execution(
            status=make_condition_status(attempt), finalizers=(RUN_FINALIZER,)
        )
        self.versions = 1
        self.actions = [
            make_action(self.execution, self.spec, f"curl https://example.com/{number}")
            for number in range(actions)
        ]
        self.approvals: dict[str, Approval] = {}
        self.secrets: dict[int, Answers] = {}
        self.jobs: dict[int, str] = {}
        self.failed_jobs: set[int] = set()
        self.pods: dict[int, AskingPod] = {}
        self.revoked: set[int] = set()
        self.done: Counter[str] = Counter()
        """How often each action took place, by its digest."""
        self.unasked: list[str] = []
        """Digests of actions that took place and that no person had approved."""
        self.step = 0
        """How many of the actions the session has behind it: a line of its file each."""
        self.calls = 0
        """Rises with each new call of the session, so that its id is another one."""
        self.operators: dict[str, InFlight | None] = {"old": None, "new": None}
        self.has_slot = True
        self.gateway_answers = True
        self.node_answers = True

    # ---- operators ------------------------------------------------------------------------------

    def operate(self, name: str = "new") -> bool:
        """One small step of an operator; whether it did anything."""
        flight = self.operators[name]
        if flight is not None and self.now - flight.since > seconds(LEASE):
            self.kill_operator(name)
            flight = None
        if flight is None:
            return self._look(name)
        try:
            if flight.left:
                self._apply(flight.left.pop(0), flight)
                return True
            self._write(flight)
        except ConflictError:
            pass
        self.operators[name] = None
        return True

    def kill_operator(self, name: str = "new") -> None:
        """It dies: what it had read and not written is lost."""
        self.operators[name] = None

    def look(self, name: str = "new") -> None:
        """A whole step: read, decide, all effects, the write."""
        self.kill_operator(name)
        self.operate(name)
        while self.operators[name] is not None:
            self.operate(name)

    def _look(self, name: str) -> bool:
        execution = self.execution
        if execution.is_finished:
            return False
        decision = decide(execution, self.observe(), self.now, self.settings)
        if not decision.effects and decision.status == execution.status:
            return False
        version = execution.metadata.resource_version
        effects = list(decision.effects)
        self.operators[name] = InFlight(execution, decision, effects, version, self.now)
        return True

    def observe(self) -> Observation:
        execution = self.execution
        current = execution.current_attempt
        is_over = current is None or current.is_over
        return Observation(
            agent=make_agent(),
            frozen=self.spec,
            slots=make_slots(granted=self.has_slot),
            facts=Facts(None, None) if is_over else self._facts(),
            ledger=None,
            approval=self._approval(),
            left=self._left() if is_over else NOTHING_LEFT,
        )

    def _approval(self) -> Approval | None:
        ask = self.execution.unresolved_ask
        return self.approvals.get(ask.name) if ask else None

    def _number(self) -> int:
        current = self.execution.current_attempt
        assert current is not None
        return current.number

    def _facts(self) -> Facts:
        number = self._number()
        pod = self._pod_object(number)
        return Facts(self._job_object(number), pod, overdue_seconds=overdue_seconds(pod, self.now))

    def _left(self) -> Leftover:
        number = self._number()
        return Leftover(self.jobs.get(number), self._pod_object(number), number in self.secrets)

    def _job_object(self, number: int) -> Job | None:
        if number not in self.jobs:
            return None
        failed = (
            [job_failed("BackoffLimitExceeded", "reached")] if number in self.failed_jobs else []
        )
        return Job.model_validate(
            make_job(*failed, name=f"sales-1-{number}", uid=self.jobs[number])
        )

    def _pod_object(self, number: int) -> Pod | None:
        pod = self.pods.get(number)
        if pod is None:
            return None
        phase, state = "Running", running(pod.started or self.now)
        if pod.has_ended:
            phase = "Succeeded" if pod.code == 0 else "Failed"
            state = terminated(pod.code, message=pod.message)
        return Pod.model_validate(
            make_pod(phase, state, name=f"sales-1-{number}-pod", deleted=pod.deleted)
        )

    def _apply(self, effect: Effect, flight: InFlight) -> None:
        match effect:
            case StartAttempt():
                self._start(effect, flight)
            case RevokeKey() if self.gateway_answers:
                self.revoked.add(effect.attempt.number)
                flight.revoked.add(effect.attempt.number)
            case StopAttempt():
                self._stop(int(effect.job_name.rsplit("-", 1)[1]), effect)
            case DeleteSecret():
                self.secrets.pop(effect.attempt.number, None)
            case MakeApproval():
                self._make(effect.name, effect.spec)
            case WriteApproval():
                self._write_approval(effect)

    def _start(self, start: StartAttempt, flight: InFlight) -> None:
        number = start.attempt.number
        if number not in self.jobs and number not in self.pods:
            self.secrets.setdefault(number, start.answers)
        self.jobs.setdefault(number, make_uid(f"job/{number}"))
        flight.jobs[number] = self.jobs[number]

    def _stop(self, number: int, stop: StopAttempt) -> None:
        pod = self.pods.get(number)
        if pod is not None and stop.pod_name is not None:
            pod.deleted = pod.deleted or self.now + seconds(GRACE)
        if stop.job_uid is not None:
            self.jobs.pop(number, None)
            if pod is not None:
                pod.deleted = pod.deleted or self.now + seconds(GRACE)

    def _make(self, name: str, spec: ApprovalSpec) -> None:
        known = self.approvals.get(name)
        if known is not None:
            assert known.spec.action.digest == spec.action.digest
            return
        meta = self.execution.metadata
        owner = OwnerReference(kind="Execution", name=meta.name, uid=meta.uid)
        self.approvals[name] = Approval(
            metadata=ObjectMeta(
                name=name,
                uid=make_uid(f"approval/{name}"),
                resource_version=self._version(),
                owner_references=(owner,),
            ),
            spec=spec,
        )

    def _write_approval(self, write: WriteApproval) -> None:
        meta = write.approval.metadata
        approval = self.approvals.get(meta.name)
        if approval is None or approval.metadata.resource_version != meta.resource_version:
            raise ConflictError
        if self.claims_late and write.status.state is ApprovalState.CLAIMED:
            return
        self._put(approval.model_copy(update={"status": write.status}))

    def _put(self, approval: Approval) -> None:
        meta = approval.metadata.model_copy(update={"resource_version": self._version()})
        self.approvals[meta.name] = approval.model_copy(update={"metadata": meta})

    def _write(self, flight: InFlight) -> None:
        if self.execution.metadata.resource_version != flight.version:
            raise ConflictError
        attempts = tuple(
            each.model_copy(
                update={
                    "key_revoked": each.key_revoked or each.number in flight.revoked,
                    "job_uid": flight.jobs.get(each.number, each.job_uid),
                }
            )
            for each in flight.decision.status.attempts
        )
        status = flight.decision.status.model_copy(update={"attempts": attempts})
        if self.claims_late:
            status = self._without_claims(status)
        assert ExecutionStatus.model_validate(status.to_json()) == status
        if status == self.execution.status:
            return
        meta = self.execution.metadata.model_copy(update={"resource_version": self._version()})
        self.execution = self.execution.model_copy(update={"status": status, "metadata": meta})

    def _without_claims(self, status: ExecutionStatus) -> ExecutionStatus:
        """The faulty order: an attempt that left no receipt has never claimed anything."""
        before = {each.name: each for each in self.execution.status.asks or ()}
        asks = tuple(
            before[each.name] if each.state == "OutcomeUnknown" and each.name in before else each
            for each in status.asks or ()
        )
        return status.model_copy(update={"asks": asks or None})

    def _version(self) -> str:
        self.versions += 1
        return str(self.versions)

    # ---- the cluster ----------------------------------------------------------------------------

    def make_pods(self) -> bool:
        """The Job controller makes a pod for each Job, and the kubelet finds its Secret."""
        wanted = [
            number
            for number in self.jobs
            if number not in self.pods and number not in self.failed_jobs and number in self.secrets
        ]
        for number in wanted:
            self.pods[number] = AskingPod(number, self.secrets[number], started=self.now)
        return bool(wanted)

    def run_pod(self, number: int | None = None) -> bool:
        """One small step of the pod; whether it did anything."""
        alive = [each for each in self.pods.values() if not each.has_ended]
        if number is not None:
            alive = [each for each in alive if each.number == number]
        for pod in alive[:1]:
            getattr(self, f"_{pod.stage}")(pod)
        return bool(alive)

    def _asks(self, pod: AskingPod) -> None:
        """The hook is asked about the call that the session stands at."""
        if self.step >= len(self.actions):
            self._end(pod, 0, make_result(receipts=self._receipts(pod)))
            return
        digest, call = self.digest(self.step), self.call
        told = {each.digest: each for each in pod.told.decided if each.decision != "Deny"}
        denied = [each for each in pod.told.decided if each.decision == "Deny"]
        answer = told.get(digest)
        if any(each.digest == digest and each.tool_use_id == call for each in denied):
            self._line()
        elif answer is None or not self._holds(answer.expires):
            message = make_asking_result(make_ask(self.action, call), receipts=self._receipts(pod))
            self._end(pod, 16, message)
        elif answer.decision == "Done":
            self._line()
        elif answer.tool_use_id == call:
            pod.receipts.append((answer.uid, digest, "Committed"))
            pod.stage = "allowed"
        else:
            message = make_asking_result(make_ask(self.action, call), receipts=self._receipts(pod))
            self._end(pod, 16, message)

    def _holds(self, expires: datetime | None) -> bool:
        return expires is None or self.now < expires

    def _allowed(self, pod: AskingPod) -> None:
        """The effect."""
        digest = self.digest(self.step)
        self.done[digest] += 1
        if not self.is_approved(digest):
            self.unasked.append(digest)
        pod.stage = "done"

    def _done(self, pod: AskingPod) -> None:
        """The receipt is noted in the pod."""
        uid, digest, _ = pod.receipts[-1]
        pod.receipts[-1] = (uid, digest, "Done")
        pod.stage = "told"

    def _told(self, pod: AskingPod) -> None:
        """The session's line: it goes on."""
        self._line()
        pod.stage = "asks"

    def _line(self) -> None:
        self.step += 1
        self.calls += 1

    def _receipts(self, pod: AskingPod) -> list[JsonValue]:
        return [make_receipt(*each) for each in pod.receipts]

    def _end(self, pod: AskingPod, code: int, message: str) -> None:
        pod.stage, pod.code, pod.message = "ended", code, message

    def kill_pod(self) -> bool:
        """The machine of the pod dies, or memory is short: no word is left."""
        alive = [each for each in self.pods.values() if not each.has_ended]
        for pod in alive[:1]:
            self._end(pod, 137, "")
        return bool(alive)

    def kill_acting_pod(self) -> bool:
        """The same between the hook's word and the session's line, where it matters most."""
        acting = any(each.stage in ("allowed", "done", "told") for each in self.pods.values())
        return acting and self.kill_pod()

    def remove_pod(self) -> bool:
        """A drain: the pod is gone altogether, and its Job has counted it."""
        ended = list(self.pods)[:1]
        for number in ended:
            if self.node_answers or self.pods[number].has_ended:
                del self.pods[number]
                self.failed_jobs.add(number)
        return bool(ended)

    def pass_time(self, count: float) -> None:
        self.now += seconds(count)
        for pod in list(self.pods.values()):
            if pod.deleted is None or self.now < pod.deleted:
                continue
            if pod.has_ended or self.node_answers:
                del self.pods[pod.number]
                self.failed_jobs.add(pod.number)

    # ---- people, and the controller of asks -----------------------------------------------------

    def say(self, word: Literal["Approve", "Deny"]) -> bool:
        """A person decides on what waits."""
        for approval in self.approvals.values():
            if approval.state is ApprovalState.PENDING and not approval.spec.decisions:
                said = Word(by="ann", decision=word, digest=approval.spec.action.digest)
                spec = approval.spec.model_copy(update={"decisions": (said,)})
                self._put(approval.model_copy(update={"spec": spec}))
                return True
        return False

    def find_out(self) -> bool:
        """A person looks whether it happened."""
        for approval in self.approvals.values():
            is_open = approval.state is ApprovalState.OUTCOME_UNKNOWN
            if is_open and approval.spec.resolution is None:
                happened = self.done[approval.spec.action.digest] > 0
                said = Resolution(by="ann", outcome="Happened" if happened else "DidNotHappen")
                spec = approval.spec.model_copy(update={"resolution": said})
                self._put(approval.model_copy(update={"spec": spec}))
                return True
        return False

    def settle_asks(self) -> bool:
        """The controller of asks looks at each of them."""
        changed = False
        for approval in list(self.approvals.values()):
            status = next_status(approval, self.execution, Authority.API_SERVER, self.now)
            if status != approval.status:
                self._put(approval.model_copy(update={"status": status}))
                changed = True
        return changed

    def cancel(self) -> None:
        spec = self.execution.spec.model_copy(update={"cancel": True})
        meta = self.execution.metadata.model_copy(update={"resource_version": self._version()})
        self.execution = self.execution.model_copy(update={"spec": spec, "metadata": meta})

    # ---- what is true ---------------------------------------------------------------------------

    @property
    def action(self) -> CanonicalAction:
        """The one that the session stands at."""
        return self.actions[self.step]

    @property
    def call(self) -> str:
        return f"toolu_{self.calls}"

    def digest(self, number: int) -> str:
        return digest_of(canonical_bytes(self.actions[number]))

    def is_approved(self, digest: str) -> bool:
        """Whether a person said yes to that action, before now."""
        return any(
            each.spec.action.digest == digest
            and any(word.decision == "Approve" for word in each.spec.decisions)
            for each in self.approvals.values()
        )

    def drain(self, steps: int = 400) -> None:
        """Everything works, and people say yes, until the run has ended."""
        self.has_slot = self.gateway_answers = self.node_answers = True
        self.operators = dict.fromkeys(self.operators)
        turns: tuple[Callable[[], object], ...] = (
            self.look,
            self.make_pods,
            self.run_pod,
            self.settle_asks,
            lambda: self.say("Approve"),
            self.find_out,
            lambda: self.pass_time(2),
        )
        for _ in range(steps):
            if self.execution.is_finished:
                self.settle_asks()
                return
            for turn in turns:
                turn()
        raise AssertionError(f"the run does not end: {self.execution.status}")
