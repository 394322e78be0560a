"""Calls of Cloud Scheduler: each makes an Execution, and a repeated one makes none.

They come at least once, late, and in any order. A name that follows from the Agent and the time is
what makes them one; whether the time runs, the operator decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Header

from heliostat_api.base.texts import plain
from heliostat_api.executions.schemas import Accepted
from heliostat_api.executions.trace_spans import TriggerSpans
from heliostat_api.schedules.cloud_tokens import CloudTokens
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_core.agents import Agent
from heliostat_core.executions import AgentRef, Execution, ExecutionSpec, Trigger
from heliostat_core.names import OFFERED_ANNOTATION, child_name, scheduled_name
from heliostat_core.resources import ObjectHead
from heliostat_core.schedules.cloud_jobs import CloudCall, cloud_job_id
from heliostat_core.schedules.executions import (
    build_agents_execution,
    build_scheduled_execution,
)
from heliostat_core.worlds import AGENT, EXECUTION, AlreadyExistsError, JsonObject, Ref, World
from heliostat_telemetry.lines import add_to_lines

_KIND = "CloudScheduler"


@dataclass(frozen=True)
class CloudHeaders:
    """What Cloud Scheduler says of a call: its job, and the time that it is for."""

    job: str
    time: datetime

    @property
    def is_by_hand(self) -> bool:
        """A job fires at whole minutes; "run now" in the console calls with the time of the press,
        and has no header of its own."""
        return bool(self.time.second or self.time.microsecond)


def cloud_headers_of(
    x_cloudscheduler_jobname: Annotated[str, Header(max_length=1000)] = "",
    x_cloudscheduler_scheduletime: Annotated[str, Header(max_length=64)] = "",
) -> CloudHeaders:
    """Raises a problem with status 422."""
    try:
        time = datetime.fromisoformat(x_cloudscheduler_scheduletime)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        words = "X-CloudScheduler-ScheduleTime must be an instant: 2026-11-23T08:00:00Z."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, plain(words))
    return CloudHeaders(x_cloudscheduler_jobname.rpartition("/")[2], time.astimezone(UTC))


@dataclass(frozen=True)
class CloudCalls:
    """`tokens` is None where nothing is configured: then nobody is believed."""

    world: World
    tokens: CloudTokens | None
    triggers: TriggerSpans

    async def check(self, token: str | None) -> None:
        """Raises a problem with status 401, and ProviderAwayError."""
        if self.tokens is None or not await self.tokens.is_ours(token):
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                plain(
                    "This is for Cloud Scheduler, with a token of the account and the audience of "
                    "HELIOSTAT_API_CLOUD_SCHEDULER_ACCOUNT and _AUDIENCE."
                ),
            )

    async def take(self, call: CloudCall, headers: CloudHeaders, correlation: str) -> Accepted:
        """Makes the Execution unless it is there. Raises WorldError and a problem with 404.

        The answer, and the lines from here on, have the run's own correlation id: that of the call
        which made it; `correlation` where the run is gone again.
        """
        found = await self.world.get(Ref(AGENT, call.namespace, call.agent))
        agent = Agent.model_validate(found) if found else None
        if agent is None or agent.metadata.uid != call.uid or headers.job != cloud_job_id(call):
            raise NotFoundProblem("agent")
        run = await self._made(agent, headers, correlation)
        if run is None:
            return Accepted(correlation_id=correlation, execution=None)
        add_to_lines(correlationId=run.correlation_id)
        return Accepted(correlation_id=run.correlation_id, execution=run.metadata.uid)

    async def _made(
        self, agent: Agent, headers: CloudHeaders, correlation: str
    ) -> Execution | None:
        """The Execution of that name."""
        trigger = self.triggers.begin(correlation)
        wanted = build_run(agent, headers, correlation, trigger.annotations)
        try:
            run = Execution.model_validate(await self.world.create(wanted))
        except AlreadyExistsError:
            meta = ObjectHead.model_validate(wanted).metadata
            found = await self.world.get(Ref(EXECUTION, meta.namespace, meta.name))
            return Execution.model_validate(found) if found else None
        self.triggers.end(trigger, agent.metadata.name, correlation, run.metadata.uid)
        return run


def build_run(
    agent: Agent, headers: CloudHeaders, correlation: str, annotations: Mapping[str, str]
) -> JsonObject:
    """An offer for a time of the schedule, or a run of its own."""
    name, time = agent.metadata.name, headers.time
    if headers.is_by_hand:
        spec = ExecutionSpec(
            agent_ref=AgentRef(name=name),
            trigger=Trigger(kind="Manual", id=_KIND),
            correlation_id=correlation,
        )
        run = child_name(name, f"now-{time:%Y%m%dt%H%M%S%fz}")
        return build_agents_execution(agent, run, spec, annotations)
    offered = {**annotations, OFFERED_ANNOTATION: _KIND}
    run = scheduled_name(name, time)
    return build_scheduled_execution(agent, _KIND, run, time, offered, correlation)
