"""One Agent, one step: its readiness, what it did last, and which finished runs may go."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from pydantic import ValidationError

from heliostat_core.agents import Agent, LastExecution
from heliostat_core.conditions import (
    Condition,
    ExecutionCondition,
    FinishedReason,
    find_condition,
    is_true,
)
from heliostat_core.executions import SCHEDULED, Phase
from heliostat_core.names import FINISHED_LABEL, RECORDED_ANNOTATION
from heliostat_core.resources import Instant, Part
from heliostat_core.secret_refs import cluster_refs, managed_refs
from heliostat_core.worlds import (
    AGENT,
    EXECUTION,
    SECRET,
    ConflictError,
    JsonObject,
    NamespaceTerminatingError,
    NotFoundError,
    Ref,
    Selection,
    World,
)
from heliostat_operator.agents.history import Keeping, Past, expired, next_expiry
from heliostat_operator.agents.readiness import AgentObservation, compute_agent_status
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.gateway.ledgers import Gateway, GatewayUnavailableError, ModelAnswer
from heliostat_operator.model.keys import Key
from heliostat_operator.network.egress_enforcement import EgressEnforcement
from heliostat_operator.network.network_policies import NetworkPolicies
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_operator.secrets.resolved_secrets import ResolvedSecrets
from heliostat_operator.secrets.vaults import NoVault, Vault
from heliostat_operator.settings import OperatorSettings

_GATEWAY_SECONDS = 5.0
_SECRET_SECONDS = 30.0

logger = logging.getLogger(__name__)


class _RunMeta(Part):
    name: str
    uid: str
    creation_timestamp: Instant | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class _RunStatus(Part):
    phase: str | None = None
    conditions: tuple[Condition, ...] = ()
    completion_time: Instant | None = None


class _RunTrigger(Part):
    kind: str = ""
    scheduled_time: Instant | None = None


class _RunSpec(Part):
    trigger: _RunTrigger = _RunTrigger()


class _Run(Part):
    """What is read of each of ten thousand Executions; a whole one costs twice as much."""

    metadata: _RunMeta
    spec: _RunSpec = _RunSpec()
    status: _RunStatus = _RunStatus()


class AgentReconciler:
    """Keeps an Agent's status true and its history short."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        limiter: ConcurrencyLimiter,
        clock: Callable[[], datetime],
        settings: OperatorSettings,
        vault: Vault | None = None,
        triggers: TriggerReconciler | None = None,
        network: NetworkPolicies | None = None,
        authority_of: Callable[[str], Awaitable[Authority]] | None = None,
    ) -> None:
        self._vault = vault or NoVault()
        self._world = world
        self._gateway = gateway
        self._limiter = limiter
        self._clock = clock
        self._triggers = triggers
        self._resync = settings.resync_seconds
        self._network = network
        self._authority_of = authority_of
        self._recording = (
            timedelta(seconds=settings.recording_seconds) if settings.api_url else None
        )

    async def reconcile(self, key: Key) -> float | None:
        """In how many seconds to look again, or None when the Agent is gone."""
        found = await self._world.get(Ref(AGENT, *key))
        if found is None:
            self._limiter.forget_agent(key)
            return None
        agent = Agent.model_validate(found)
        self._limiter.see_agent(agent)
        now = self._clock().replace(microsecond=0)
        seen = await self._observe(agent)
        keeping = Keeping(agent.spec.history, self._recording)
        await self._clean(agent, seen, keeping, now)
        await self._write(agent, seen, now)
        soon = next_expiry(seen.past, keeping, now)
        return min(soon or self._resync, self._patience(agent, seen))

    def _patience(self, agent: Agent, seen: AgentObservation) -> float:
        """What others may have mended is looked at again before long: no watch tells of it."""
        if seen.model is None and agent.spec.runtime.command is None:
            return _GATEWAY_SECONDS
        return self._resync if seen.secret_problem is None else min(_SECRET_SECONDS, self._resync)

    async def _observe(self, agent: Agent) -> AgentObservation:
        last, past = await self._runs(agent)
        return AgentObservation(
            secrets=await self._secrets(agent),
            secret_problem=(await self._vaulted(agent)).problem,
            model=await self._model(agent.spec.model.name),
            cost_nanos=await self._cost(agent),
            active=self._limiter.active(_key_of(agent)),
            last=last,
            past=past,
            setup=self._triggers.setup_of(_key_of(agent)) if self._triggers else None,
            hold=await self._network.hold() if self._network else EgressEnforcement.NOTHING,
            authority=await self._authority(agent),
        )

    async def _authority(self, agent: Agent) -> Authority:
        """It matters to an Agent that asks, and takes a request to find out."""
        if self._authority_of is None or agent.spec.approvals is None:
            return Authority.API_SERVER
        try:
            return await self._authority_of(agent.metadata.namespace)
        except NamespaceTerminatingError:
            return Authority.API_SERVER  # nothing will be asked there any more

    async def _runs(self, agent: Agent) -> tuple[LastExecution | None, tuple[Past, ...]]:
        """The newest run, and those that are finished and released; little is kept of each."""
        selection = Selection(
            namespace=agent.metadata.namespace,
            fields={"spec.agentRef.name": agent.metadata.name},
        )
        past: list[Past] = []
        newest: tuple[datetime, LastExecution] | None = None
        async for found in self._world.list(EXECUTION, selection):
            execution = _read_run(found)
            if execution is None:
                continue
            created = execution.metadata.creation_timestamp
            if created and (newest is None or created >= newest[0]):
                newest = created, _last(execution, created)
            entry = _past(execution)
            if entry is not None and not _is_undecided(agent, execution):
                past.append(entry)
        return (newest[1] if newest else None), tuple(past)

    async def _secrets(self, agent: Agent) -> Mapping[str, frozenset[str] | None]:
        names = {ref.name for ref in cluster_refs(agent.spec.workspace.secret_refs)}
        return {name: await self._keys(agent.metadata.namespace, name) for name in sorted(names)}

    async def _vaulted(self, agent: Agent) -> ResolvedSecrets:
        refs = managed_refs(agent.spec.workspace.secret_refs)
        return await self._vault.look(agent.metadata.namespace, refs)

    async def _keys(self, namespace: str, name: str) -> frozenset[str] | None:
        found = await self._world.get(Ref(SECRET, namespace, name))
        data = found.get("data") if found else None
        if found is None:
            return None
        return frozenset(data) if isinstance(data, Mapping) else frozenset()

    async def _model(self, name: str) -> ModelAnswer | None:
        try:
            return await self._gateway.model(name)
        except GatewayUnavailableError:
            return None

    async def _cost(self, agent: Agent) -> int | None:
        try:
            meta = agent.metadata
            return (await self._gateway.agent_sum(meta.namespace, meta.name)).cost_nanos
        except GatewayUnavailableError:
            return None

    async def _clean(
        self, agent: Agent, seen: AgentObservation, keeping: Keeping, now: datetime
    ) -> None:
        for past in expired(seen.past, keeping, now):
            ref = Ref(EXECUTION, agent.metadata.namespace, past.name)
            if keeping.recording is not None and not past.is_recorded:
                logger.warning(
                    "Execution %s/%s goes without a record: the api did not make one within %d s. "
                    "Check the api",
                    ref.namespace,
                    ref.name,
                    keeping.recording.total_seconds(),
                )
            await self._world.delete(ref, uid=past.uid)

    async def _write(self, agent: Agent, seen: AgentObservation, now: datetime) -> None:
        status = compute_agent_status(agent, seen, now)
        if status == agent.status:
            return
        try:
            await self._world.patch_status(
                {
                    "apiVersion": AGENT.api_version,
                    "kind": AGENT.name,
                    "metadata": {
                        "name": agent.metadata.name,
                        "namespace": agent.metadata.namespace,
                        "resourceVersion": agent.metadata.resource_version,
                    },
                    "status": status.to_json(),
                }
            )
        except (ConflictError, NotFoundError):
            return  # it changed or went meanwhile: its event wakes us again


def _key_of(agent: Agent) -> Key:
    return agent.metadata.namespace, agent.metadata.name


def _read_run(found: JsonObject) -> _Run | None:
    """One Execution that can't be read hides neither the Agent's status nor the other runs."""
    try:
        return _Run.model_validate(found)
    except ValidationError as error:
        logger.warning("an Execution that can't be read is left out: %s", error)
        return None


def _last(execution: _Run, created: datetime) -> LastExecution:
    return LastExecution(
        name=execution.metadata.name,
        phase=execution.status.phase or Phase.PENDING,
        time=execution.status.completion_time or created,
    )


def _is_undecided(agent: Agent, execution: _Run) -> bool:
    """Whether the schedule's state does not tell of this run yet, or not how it ended: without the
    Execution its time would end a second time, or its failure not count."""
    state, trigger = agent.status.schedule, execution.spec.trigger
    if state is None or trigger.kind != SCHEDULED or trigger.scheduled_time is None:
        return False
    is_open = any(
        each.execution_name == execution.metadata.name and each.result is None
        for each in state.recent
    )
    return is_open or trigger.scheduled_time > state.decided_time


def _past(execution: _Run) -> Past | None:
    """Only what nobody needs any more: finished, settled, released."""
    completed = execution.status.completion_time
    released = execution.metadata.labels.get(FINISHED_LABEL) == "true"
    conditions = execution.status.conditions
    ended = find_condition(conditions, ExecutionCondition.SUCCEEDED)
    if ended is None or ended.status == "Unknown" or completed is None or not released:
        return None
    if not is_true(conditions, ExecutionCondition.SETTLED):
        return None
    return Past(
        name=execution.metadata.name,
        uid=execution.metadata.uid,
        succeeded=is_true(conditions, ExecutionCondition.SUCCEEDED),
        completed=completed,
        is_recorded=RECORDED_ANNOTATION in execution.metadata.annotations,
        was_skipped=ended.reason == FinishedReason.SKIPPED,
    )
