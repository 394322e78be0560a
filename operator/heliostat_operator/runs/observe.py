"""The gatherer: reads what a decision needs and nothing else."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.executions import Execution
from heliostat_core.names import snapshot_name
from heliostat_core.secret_refs import managed_refs
from heliostat_core.worlds import AGENT, CONTROLLER_REVISION, Ref, World
from heliostat_operator.builders.run_objects import read_charge, read_snapshot
from heliostat_operator.controllers.base import Context
from heliostat_operator.gateway.actions import ActionClient
from heliostat_operator.gateway.ledgers import AgentSum, Gateway, GatewayUnavailableError, LedgerSum
from heliostat_operator.model.effects import NOBODY
from heliostat_operator.model.keys import Key
from heliostat_operator.runs.admission import is_held_by_schedule
from heliostat_operator.runs.ask_observer import AskObserver
from heliostat_operator.runs.attempts import AttemptObserver
from heliostat_operator.runs.caches import Pauses, TerminatingNamespaces
from heliostat_operator.runs.concurrency import ConcurrencyLimiter, limiter_of
from heliostat_operator.runs.facts import Facts
from heliostat_operator.runs.observations import Frozen, Observation
from heliostat_operator.runs.slots import is_resuming
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets
from heliostat_operator.secrets.vaults import NoVault, Vault

_AGENT_SECONDS = 1.0


@dataclass(frozen=True)
class _AgentRead:
    """An Agent, and when its reading began (monotonic seconds)."""

    agent: Agent
    began: float

    def serves(self, arrived: float, now: float) -> bool:
        return self.began >= arrived and now - self.began < _AGENT_SECONDS


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
        actions: ActionClient | None = None,
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
        self._attempts = AttemptObserver(world)
        self._asks = AskObserver(world, self._attempts, actions)
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
        resumes = not execution.is_stopping and is_resuming(execution)
        agent = await self.agent(execution, arrived) if starts or resumes else None
        pause = await self._pause(agent)
        key = (execution.metadata.namespace, execution.metadata.name)
        vaulted = await self._vaulted(execution, agent.spec if agent and starts else None)
        terminating = self._terminating.holds(key[0])
        if starts and agent is not None:
            held = is_held_by_schedule(execution, agent, now) or vaulted.problem is not None
            self._limiter.block(key, blocked=held or terminating)
        elif admitted:
            blocked = terminating or _waits_for_its_time(execution, now)
            self._limiter.block(key, blocked=blocked)
        if recorded is not None:
            slots = self._limiter.slot_status(execution)
            approval, _ = await self._asks.look(execution)
            return Observation(
                None,
                recorded.spec,
                slots,
                Facts(job=None, pod=None),
                ledger=None,
                charge=recorded.charge,
                vaulted=await self._vaulted(execution, recorded.spec),
                terminating=terminating,
                approval=approval,
            )
        frozen = await self._frozen(execution) if admitted and not execution.is_stopping else None
        facts = await self._attempts.facts(execution, now)
        if frozen is not None and (_is_to_start(execution) or facts.secret_is_missing or resumes):
            vaulted = await self._vaulted(execution, frozen.spec)
        if resumes:  # what is held back takes no slot
            self._limiter.block(key, blocked=terminating or vaulted.problem is not None)
        approval, left = await self._asks.look(execution)
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
            approval=approval,
            left=left,
            action=await self._asks.action(execution, facts, now),
            open_asks=self._limiter.parked((key[0], execution.spec.agent_ref.name)),
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
        self._attempts.see_pod(run, name)

    def forget_execution(self, key: Key) -> None:
        """It is over or gone."""
        self._attempts.forget_execution(key)
        self._asked.pop(key, None)

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
            actions=context.find(ActionClient),
        ),
    )
