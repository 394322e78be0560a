"""The gatherer: reads what a decision needs and nothing else."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import (
    ATTEMPT_LABEL,
    EXECUTION_LABEL,
    EXECUTION_UID_ANNOTATION,
    label_value,
    snapshot_name,
)
from heliostat_core.secret_refs import managed_refs
from heliostat_core.worlds import (
    AGENT,
    CONTROLLER_REVISION,
    EVENT,
    JOB,
    POD,
    SECRET,
    Ref,
    Selection,
    World,
)
from heliostat_operator.builders.run_objects import read_charge, read_snapshot
from heliostat_operator.controllers.base import Context
from heliostat_operator.gateway.ledgers import AgentSum, Gateway, GatewayUnavailableError, LedgerSum
from heliostat_operator.model.effects import NOBODY
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.admission import is_held_by_schedule
from heliostat_operator.runs.caches import Pauses, TerminatingNamespaces
from heliostat_operator.runs.concurrency import ConcurrencyLimiter, limiter_of
from heliostat_operator.runs.facts import Facts, counted_seconds, overdue_seconds
from heliostat_operator.runs.observations import Frozen, Observation
from heliostat_operator.runs.pods import EventObject, Job, Pod, choose_pod
from heliostat_operator.runs.waits import is_explained, names_missing_secret
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets
from heliostat_operator.secrets.vaults import NoVault, Vault

_QUIET = timedelta(seconds=5)
_AGENT_SECONDS = 1.0
_EVENTS_AGE = timedelta(seconds=20)


@dataclass(frozen=True)
class _AgentRead:
    """An Agent, and when its reading began (monotonic seconds)."""

    agent: Agent
    began: float

    def serves(self, arrived: float, now: float) -> bool:
        return self.began >= arrived and now - self.began < _AGENT_SECONDS


@dataclass(frozen=True)
class _EventsRead:
    """The Events of the object with that uid, and when they were read."""

    subject: str
    at: datetime
    events: tuple[EventObject, ...]


class Observer:
    """Reads one Execution's surroundings from the world and the gateway."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        limiter: ConcurrencyLimiter,
        clock: Callable[[], datetime],
        usage_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        vault: Vault | None = None,
        terminating: TerminatingNamespaces | None = None,
    ) -> None:
        self._terminating = terminating or TerminatingNamespaces(monotonic)
        self._vault = vault or NoVault()
        self._world = world
        self._gateway = gateway
        self._limiter = limiter
        self._clock = clock
        self._usage = timedelta(seconds=usage_seconds)
        self._monotonic = monotonic
        self._asked: dict[Key, datetime] = {}  # when the gateway was asked what a live run cost
        self._agents: dict[Key, _AgentRead] = {}
        self._events_read: dict[Key, _EventsRead] = {}
        self._pods: dict[Key, str] = {}  # names that the watch told
        self._pauses = Pauses(gateway, clock)

    async def observe(
        self,
        execution: Execution,
        *,
        arrived: float | None = None,
        recorded: Frozen | None = None,
    ) -> Observation:
        """What a decision needs.

        `arrived` is when the watch brought the Execution, None when it was read. `recorded` is what
        was frozen when the step before, in this same look, recorded the attempt: nothing of it can
        exist yet, and whatever does, against all expectation, stops its creation.
        """
        now = self._clock()
        admitted = execution.is_admitted
        starts = not (admitted or execution.is_finished or execution.is_stopping)
        agent = await self.agent(execution, arrived) if starts else None
        pause = await self._pause(agent)
        key = (execution.metadata.namespace, execution.metadata.name)
        vaulted = await self._vaulted(execution, agent.spec if agent else None)
        terminating = self._terminating.holds(key[0])
        if agent is not None:
            held = is_held_by_schedule(execution, agent, now) or vaulted.problem is not None
            self._limiter.block(key, blocked=held or terminating)
        elif admitted:
            blocked = terminating or _waits_for_its_time(execution, now)
            self._limiter.block(key, blocked=blocked)
        if recorded is not None:
            slots = self._limiter.slot_status(execution)
            return Observation(
                None,
                recorded.spec,
                slots,
                Facts(job=None, pod=None),
                ledger=None,
                charge=recorded.charge,
                vaulted=await self._vaulted(execution, recorded.spec),
                terminating=terminating,
            )
        frozen = await self._frozen(execution) if admitted and not execution.is_stopping else None
        facts = await self._facts(execution, now)
        if frozen is not None and (_is_to_start(execution) or facts.secret_is_missing):
            vaulted = await self._vaulted(execution, frozen.spec)
        return Observation(
            agent=agent,
            frozen=frozen.spec if frozen else None,
            slots=self._limiter.slot_status(execution),
            facts=facts,
            ledger=await self._ledger(execution, facts, now),
            pause=pause,
            charge=frozen.charge if frozen else NOBODY,
            vaulted=vaulted,
            terminating=terminating,
        )

    async def agent(self, execution: Execution, arrived: float | None = None) -> Agent | None:
        """The Agent as it is now; the limiter learns it before slots are counted.

        What was read for another Execution serves too when that was after this one had arrived:
        whoever changes an Agent and then makes an Execution gets what he changed. No longer than a
        second, and not once the watch has told of a change.
        """
        namespace, name = execution.metadata.namespace, execution.spec.agent_ref.name
        key = (namespace, name)
        began = self._monotonic()
        known = self._agents.get(key)
        if known and arrived is not None and known.serves(arrived, began):
            return known.agent
        found = await self._world.get(Ref(AGENT, namespace, name))
        if found is None:
            self.forget_agent(key)
            self._limiter.forget_agent(key)
            return None
        agent = Agent.model_validate(found)
        self._agents[key] = _AgentRead(agent, began)
        self._limiter.see_agent(agent)
        return agent

    def forget_agent(self, key: Key) -> None:
        """It changed: the next look reads it."""
        self._agents.pop(key, None)

    def see_pod(self, run: Key, name: str | None) -> None:
        """The run has a pod of that name, or one of its pods is gone."""
        if name is None:
            self._pods.pop(run, None)
        else:
            self._pods[run] = name

    def forget_execution(self, key: Key) -> None:
        """It is over or gone."""
        self._pods.pop(key, None)
        self._asked.pop(key, None)
        self._events_read.pop(key, None)

    async def _pause(self, agent: Agent | None) -> AgentSum | None:
        """What the gateway says of a paused Agent. The limiter learns it before it counts slots."""
        if agent is None:
            return None
        key = (agent.metadata.namespace, agent.metadata.name)
        pause = await self._pauses.of(key)
        self._limiter.see_pause(key, paused=pause is not None)
        return pause

    async def _vaulted(self, execution: Execution, spec: AgentSpec | None) -> ResolvedSecrets:
        refs = managed_refs(spec.workspace.secret_refs) if spec else ()
        return await self._vault.look(execution.metadata.namespace, refs) if refs else NOTHING

    async def _frozen(self, execution: Execution) -> Frozen | None:
        if execution.is_finished:
            return None
        ref = Ref(
            CONTROLLER_REVISION,
            execution.metadata.namespace,
            snapshot_name(execution.metadata.name),
        )
        found = await self._world.get(ref)
        return Frozen(read_snapshot(found), read_charge(found)) if found else None

    async def _facts(self, execution: Execution, now: datetime) -> Facts:
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

    async def _ledger(self, execution: Execution, facts: Facts, now: datetime) -> LedgerSum | None:
        """Asked when a run has ended and is not settled, or is about to be called over because
        nothing is left of what was stopped; and now and then while it runs."""
        if not execution.status.attempts or execution.is_settled:
            return None
        if not execution.is_finished and not _made_a_job(execution):
            return None  # nothing was spent, and the first Job need not wait for the answer
        key = (execution.metadata.namespace, execution.metadata.name)
        if execution.is_finished:
            self.forget_execution(key)
        else:
            asked, is_left = self._asked.get(key), facts.pod is not None or facts.job is not None
            ends = execution.status.cancellation is not None and not is_left
            if asked and now - asked < self._usage and not ends:
                return None
            self._asked[key] = now
        try:
            return await self._gateway.execution_sum(execution.metadata.uid)
        except GatewayUnavailableError:
            return None


def subject_of_events(job: Job | None, pod: Pod | None) -> str | None:
    """The uid of the object whose Events may say why nothing runs; None where none are needed."""
    if pod is None:
        ended = job is None or job.failure is not None or job.is_complete or job.has_counted
        return None if ended or job is None else job.metadata.uid
    started = pod.is_over or pod.container.running or pod.container.terminated
    return None if started or is_explained(pod) else pod.metadata.uid


def _waits_for_its_time(execution: Execution, now: datetime) -> bool:
    """Whether a further attempt is not due yet: it needs no slot before."""
    due = execution.status.next_attempt_time
    return due is not None and now < due


def _is_to_start(execution: Execution) -> bool:
    """Whether the next step may make a Job, which needs the values of its secrets."""
    attempt = execution.current_attempt
    return attempt is not None and not attempt.is_over and attempt.job_uid is None


def _made_a_job(execution: Execution) -> bool:
    return any(each.job_uid for each in execution.status.attempts)


def terminating_of(context: Context) -> TerminatingNamespaces:
    """The one record of namespaces that are being deleted."""
    return context.shared(TerminatingNamespaces, lambda: TerminatingNamespaces(time.monotonic))


def observer_of(context: Context) -> Observer:
    """The one observer of all controllers."""
    return context.shared(
        Observer,
        lambda: Observer(
            context.world,
            context.gateway,
            limiter_of(context),
            context.clock,
            context.settings.usage_seconds,
            vault=context.vault,
            terminating=terminating_of(context),
        ),
    )
