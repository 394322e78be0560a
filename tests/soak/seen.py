"""What watches saw of every run: plain facts, gathered change by change, for the judge."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import EXECUTION_UID_ANNOTATION, FINISHED_LABEL
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import EXECUTION, JOB, POD, Change, Kind
from heliostat_operator.runs.pods import Pod


@dataclass(frozen=True)
class End:
    """A terminal state as it was written."""

    phase: str
    reason: str
    time: datetime | None


@dataclass
class Run:
    """One Execution that was made, and what became of it."""

    name: str
    uid: str
    story: str
    ends: list[End] = field(default_factory=list)
    reopened: bool = False
    """It was seen unfinished after it had finished."""
    is_settled: bool = False
    is_released: bool = False
    is_gone: bool = False
    attempts: tuple[Attempt, ...] = ()
    cost_micros: int = 0
    jobs: dict[str, set[str]] = field(default_factory=dict)
    """Uids of the Jobs of a name."""
    pods: dict[str, set[str]] = field(default_factory=dict)
    """Uids of those pods of a Job, by its uid, whose container ran."""
    succeeded: set[str] = field(default_factory=set)
    """Uids of pods that ended well."""
    taken: set[str] = field(default_factory=set)
    """Uids of pods that we deleted or evicted while they ran."""
    live: dict[str, str] = field(default_factory=dict)
    """Pods that live now, with the Job of each."""
    most_jobs_live: int = 0
    """How many of its attempts had a pod that lived, at one time."""

    @property
    def is_done(self) -> bool:
        """Nothing more is expected of it."""
        return self.is_gone or (bool(self.ends) and self.is_settled and self.is_released)

    def see_execution(self, execution: Execution) -> None:
        if execution.is_finished:
            status = execution.status
            end = End(status.phase or "", execution.finished_reason, status.completion_time)
            if end not in self.ends:
                self.ends.append(end)
        elif self.ends:
            self.reopened = True
        self.is_settled = execution.is_settled
        self.is_released = execution.metadata.labels.get(FINISHED_LABEL) == "true"
        self.attempts = execution.status.attempts
        self.cost_micros = execution.status.cost_micros

    def see_pod(self, pod: Pod, job_uid: str) -> None:
        uid, container = pod.metadata.uid, pod.container
        if container.running or container.terminated:
            self.pods.setdefault(job_uid, set()).add(uid)
        if pod.status.phase == "Succeeded":
            self.succeeded.add(uid)
        if pod.is_over:
            self.live.pop(uid, None)
        else:
            self.live[uid] = job_uid
        self.most_jobs_live = max(self.most_jobs_live, len(set(self.live.values())))


class Seen:
    """All runs by uid. A watch that begins anew brings changes again; that changes nothing."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.done: set[str] = set()
        self._of_pods: dict[str, Run] = {}

    def made(self, name: str, uid: str, story: str) -> None:
        """A run that was created; the watch may have brought it before the answer came."""
        self.runs.setdefault(uid, Run(name, uid, story))

    def see(self, kind: Kind, change: Change) -> None:
        head = ObjectHead.model_validate(change.object)
        if kind == EXECUTION:
            self._see_execution(change)
        elif kind == JOB:
            for owner in head.metadata.owner_references:
                if owner.uid in self.runs:
                    names = self.runs[owner.uid].jobs.setdefault(head.metadata.name, set())
                    names.add(head.metadata.uid)
        elif kind == POD:
            self._see_pod(head, change)

    def _see_execution(self, change: Change) -> None:
        """What a watch leaves of an object that went unseen has no spec."""
        head = ObjectHead.model_validate(change.object).metadata
        run = self.runs.get(head.uid)
        if "spec" in change.object:
            execution = Execution.model_validate(change.object)
            if run is None:
                run = Run(head.name, head.uid, execution.spec.agent_ref.name)
                self.runs[head.uid] = run
            run.see_execution(execution)
        if run is not None and change.type == "DELETED":
            run.is_gone = True
        if run is not None and run.is_done:
            self.done.add(run.uid)

    def _see_pod(self, head: ObjectHead, change: Change) -> None:
        """What a watch leaves of a pod that went unseen has no annotations."""
        meta = head.metadata
        if change.type == "DELETED":
            run = self._of_pods.pop(meta.uid, None)
            if run is not None:
                run.live.pop(meta.uid, None)
            return
        run = self.runs.get(meta.annotations.get(EXECUTION_UID_ANNOTATION, ""))
        if run is not None and meta.owner_references:
            self._of_pods[meta.uid] = run
            run.see_pod(Pod.model_validate(change.object), meta.owner_references[0].uid)

    def forget_live_pods(self) -> None:
        """A watch begins anew: what it brings is all that lives."""
        for run in self.runs.values():
            run.live.clear()

    def compare(self, known: Collection[str], existing: Collection[str]) -> None:
        """Of those that were known before somebody listed what exists: the others have gone."""
        for uid in known:
            if uid not in existing:
                self.runs[uid].is_gone = True
                self.done.add(uid)
