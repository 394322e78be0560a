"""Reads what there is of an attempt: its Job, its pod, and the Events that say why it waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import (
    ATTEMPT_LABEL,
    EXECUTION_LABEL,
    EXECUTION_UID_ANNOTATION,
    label_value,
)
from heliostat_core.worlds import EVENT, JOB, POD, SECRET, Ref, Selection, World
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.facts import (
    NOTHING_LEFT,
    Facts,
    Leftover,
    counted_seconds,
    overdue_seconds,
)
from heliostat_operator.runs.pods import EventObject, Job, Pod, choose_pod
from heliostat_operator.runs.waits import is_explained, names_missing_secret

_QUIET = timedelta(seconds=5)
_EVENTS_AGE = timedelta(seconds=20)


@dataclass(frozen=True)
class _EventsRead:
    """The Events of the object with that uid, and when they were read."""

    subject: str
    at: datetime
    events: tuple[EventObject, ...]


class AttemptObserver:
    """Reads the Job and the pod of a run's last attempt."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events_read: dict[Key, _EventsRead] = {}
        self._pods: dict[Key, str] = {}  # names that the watch told

    def see_pod(self, run: Key, name: str | None) -> None:
        """The run has a pod of that name, or one of its pods is gone."""
        if name is None:
            self._pods.pop(run, None)
        else:
            self._pods[run] = name

    def forget_execution(self, key: Key) -> None:
        """It is over or gone."""
        self._pods.pop(key, None)
        self._events_read.pop(key, None)

    async def facts(self, execution: Execution, now: datetime) -> Facts:
        attempt = execution.current_attempt
        if attempt is None or attempt.is_over or execution.is_finished:
            return Facts(job=None, pod=None)
        if execution.is_stopping:
            return await self._facts_of_stop(execution, attempt, now)
        namespace = execution.metadata.namespace
        job = await self._job(execution, attempt)
        pod = await self._pod(execution, attempt, job.metadata.uid if job else attempt.job_uid)
        events = await self._events(execution, attempt, job, pod, now)
        missing = job is not None and await self._secret_is_missing(attempt, namespace, pod, events)
        return Facts(
            job, pod, events, overdue_seconds(pod, now), counted_seconds(job, now), missing
        )

    async def leftover(self, execution: Execution) -> Leftover:
        """What is still there of the last attempt, which is over."""
        attempt = execution.current_attempt
        if attempt is None:
            return NOTHING_LEFT
        namespace = execution.metadata.namespace
        job = await self._job(execution, attempt)
        pod = await self._listed_pod(
            execution, attempt, job.metadata.uid if job else attempt.job_uid
        )
        secret = await self._world.get(Ref(SECRET, namespace, attempt.job_name))
        return Leftover(job.metadata.uid if job else None, pod, secret is not None)

    async def _facts_of_stop(self, execution: Execution, attempt: Attempt, now: datetime) -> Facts:
        """A pod that runs says all that a stop needs. One that was told to leave, as the record
        says, is looked for among all. Why a pod does not start is of no interest any more."""
        uid = attempt.job_uid
        if execution.status.cancellation is None:
            known = await self._known_pod(execution, attempt, uid)
            if known is not None:
                return Facts(job=None, pod=known)
        job = await self._job(execution, attempt)
        pod = await self._listed_pod(execution, attempt, job.metadata.uid if job else uid)
        overdue = overdue_seconds(pod, now)
        return Facts(job, pod, overdue_seconds=overdue, counted_seconds=counted_seconds(job, now))

    async def _job(self, execution: Execution, attempt: Attempt) -> Job | None:
        """The attempt's Job, but none that an earlier Execution of this name left."""
        found = await self._world.get(Ref(JOB, execution.metadata.namespace, attempt.job_name))
        job = Job.model_validate(found) if found else None
        return job if job and job.metadata.is_owned_by(execution.metadata.uid) else None

    async def _pod(self, execution: Execution, attempt: Attempt, job_uid: str | None) -> Pod | None:
        """The Job's pod; when the Job is not known, one that was made for this Execution.

        One that is known and lives is read by its name: a list costs the more, the more pods the
        namespace has. It is needed for an end, which comes no sooner than all of them are over.
        """
        known = await self._known_pod(execution, attempt, job_uid)
        return known or await self._listed_pod(execution, attempt, job_uid)

    async def _listed_pod(
        self, execution: Execution, attempt: Attempt, job_uid: str | None
    ) -> Pod | None:
        selection = Selection(
            namespace=execution.metadata.namespace,
            labels={
                EXECUTION_LABEL: label_value(execution.metadata.name),
                ATTEMPT_LABEL: str(attempt.number),
            },
        )
        pods = [Pod.model_validate(found) async for found in self._world.list(POD, selection)]
        if job_uid:
            return choose_pod(each for each in pods if each.metadata.is_owned_by(job_uid))
        uid = execution.metadata.uid
        return choose_pod(
            each for each in pods if each.metadata.annotations.get(EXECUTION_UID_ANNOTATION) == uid
        )

    async def _known_pod(
        self, execution: Execution, attempt: Attempt, job_uid: str | None
    ) -> Pod | None:
        namespace = execution.metadata.namespace
        name = attempt.pod_name or self._pods.get((namespace, execution.metadata.name))
        if name is None or job_uid is None:
            return None
        found = await self._world.get(Ref(POD, namespace, name))
        pod = Pod.model_validate(found) if found else None
        if pod is None or not pod.metadata.is_owned_by(job_uid):
            return None
        leaves = pod.is_over or pod.metadata.deletion_timestamp is not None
        return None if leaves or pod.container.terminated else pod

    async def _secret_is_missing(
        self, attempt: Attempt, namespace: str, pod: Pod | None, events: tuple[EventObject, ...]
    ) -> bool:
        """Whether the attempt's own Secret was deleted: looked at when the kubelet misses it."""
        if not names_missing_secret(pod, events, attempt.job_name):
            return False
        return await self._world.get(Ref(SECRET, namespace, attempt.job_name)) is None

    async def _events(
        self,
        execution: Execution,
        attempt: Attempt,
        job: Job | None,
        pod: Pod | None,
        now: datetime,
    ) -> tuple[EventObject, ...]:
        """Those of a pod that is slow to start and does not say why itself, or of a Job without
        one: the API server reads all Events of a namespace to answer, however few they are."""
        subject = subject_of_events(job, pod)
        if subject is None or now - attempt.created_time < _QUIET:
            return ()
        key = (execution.metadata.namespace, execution.metadata.name)
        known = self._events_read.get(key)
        if known is None or known.subject != subject or now - known.at >= _EVENTS_AGE:
            selection = Selection(namespace=key[0], fields={"involvedObject.uid": subject})
            found = [
                EventObject.model_validate(each)
                async for each in self._world.list(EVENT, selection)
            ]
            known = _EventsRead(subject, now, tuple(found))
            self._events_read[key] = known
        return known.events


def subject_of_events(job: Job | None, pod: Pod | None) -> str | None:
    """The uid of the object whose Events may say why nothing runs; None where none are needed."""
    if pod is None:
        ended = job is None or job.failure is not None or job.is_complete or job.has_counted
        return None if ended or job is None else job.metadata.uid
    started = pod.is_over or pod.container.running or pod.container.terminated
    return None if started or is_explained(pod) else pod.metadata.uid
