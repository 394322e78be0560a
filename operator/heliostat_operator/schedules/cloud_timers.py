"""The trigger CloudScheduler: Google's timer calls the api, which makes the Execution."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.conditions import TriggeredReason
from heliostat_core.names import CLOUD_FINALIZER
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.schedules.cloud_jobs import CLOUD_PATH, CloudCall, cloud_job_id
from heliostat_core.worlds import (
    AGENT,
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    World,
)
from heliostat_google.timer_jobs import TimerJob, TimerJobError, TimerJobs
from heliostat_operator.builders.cron_jobs import build_caller_rights
from heliostat_operator.builders.events import build_left_job_event
from heliostat_operator.model.keys import Key
from heliostat_operator.schedules.triggers import Setup, Wanted
from heliostat_operator.settings import OperatorSettings

LET_GO = timedelta(minutes=10)
"""So long the deletion of an Agent waits for a Google that does not answer."""

logger = logging.getLogger(__name__)


class CloudTimers:
    """One job an Agent, outside of the cluster: a finalizer sees to it that it goes.

    `jobs` is None where nothing is configured.
    """

    def __init__(
        self,
        world: World,
        jobs: TimerJobs | None,
        settings: OperatorSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._world = world
        self._jobs = jobs
        self._settings = settings
        self._clock = clock

    @property
    def is_at_hand(self) -> bool:
        return self._jobs is not None

    async def keep(self, wanted: Wanted) -> Setup:
        """See Trigger."""
        if self._jobs is None:
            return Setup("False", TriggeredReason.NOT_CONFIGURED, _NOT_CONFIGURED)
        job = build_timer_job(wanted, self._settings)
        try:
            await self._hold(wanted.agent.metadata, hold=True)
            namespace = wanted.agent.metadata.namespace
            for each in build_caller_rights(namespace, self._settings.namespace):
                await self._world.apply(each)
            await self._jobs.keep(job)
        except (InvalidError, ForbiddenError) as error:
            return Setup("False", TriggeredReason.REFUSED, str(error)[:1024])
        except TimerJobError as error:
            return _failed(error)
        words = f"Job {job.name}: {job.timer.cron}, {job.timer.time_zone}"
        return Setup("True", TriggeredReason.SET_UP, words[:1024])

    async def remove(self, key: Key, agent: Agent | None) -> Setup | None:  # noqa: ARG002
        """See Trigger. It is known by the finalizer whether there is a job."""
        if agent is None or CLOUD_FINALIZER not in agent.metadata.finalizers:
            return None
        name = job_name(agent.metadata, self._settings)
        try:
            if self._jobs is None:
                raise TimerJobError(_NOT_CONFIGURED, may_pass=False)
            await self._jobs.remove(name)
        except TimerJobError as error:
            if not self._is_over(agent):
                return _failed(error)
            await self._leave(agent, name, error)
        await self._hold(agent.metadata, hold=False)
        return None

    async def remove_all(self) -> None:
        """Before an uninstall: no Agent is to wait for an operator that is gone."""
        with suppress(NotFoundError):  # the definition itself is gone, and all Agents with it
            async for found in self._world.list(AGENT):
                meta = ObjectHead.model_validate(found).metadata
                if CLOUD_FINALIZER in meta.finalizers:
                    await self._give_up(meta)

    async def _give_up(self, meta: ObjectMeta) -> None:
        name = job_name(meta, self._settings)
        try:
            if self._jobs is not None:
                await self._jobs.remove(name)
        except TimerJobError as error:
            logger.warning("job %s of Cloud Scheduler is left behind: %s", name, error)
        await self._hold(meta, hold=False)

    def _is_over(self, agent: Agent) -> bool:
        """Whether nobody waits any longer."""
        deleted = agent.metadata.deletion_timestamp
        if deleted is None:
            return self._jobs is None
        return self._jobs is None or self._clock() - deleted > LET_GO

    async def _leave(self, agent: Agent, name: str, error: TimerJobError) -> None:
        """Its calls find no Agent of that uid, so they start nothing."""
        logger.warning("job %s of Cloud Scheduler is left behind: %s", name, error)
        with suppress(AlreadyExistsError):
            await self._world.create(build_left_job_event(agent, name, str(error), self._clock()))

    async def _hold(self, meta: ObjectMeta, *, hold: bool) -> None:
        if hold == (CLOUD_FINALIZER in meta.finalizers):
            return
        with suppress(ConflictError, NotFoundError):  # it went in this moment
            await self._world.apply(
                {
                    "apiVersion": AGENT.api_version,
                    "kind": AGENT.name,
                    "metadata": {
                        "name": meta.name,
                        "namespace": meta.namespace,
                        "uid": meta.uid,
                        "finalizers": [CLOUD_FINALIZER] if hold else [],
                    },
                }
            )


_NOT_CONFIGURED = (
    "Cloud Scheduler is not configured: set HELIOSTAT_OPERATOR_CLOUD_SCHEDULER_LOCATION, _TARGET "
    "and _ACCOUNT, or take the trigger CronJob. Until then the operator's timer starts the runs."
)


def _failed(error: TimerJobError) -> Setup:
    reason = TriggeredReason.UNREACHABLE if error.may_pass else TriggeredReason.REFUSED
    return Setup("False", reason, str(error)[:1024])


def job_name(meta: ObjectMeta, settings: OperatorSettings) -> str:
    """`projects/P/locations/L/jobs/J`."""
    return f"{settings.cloud_scheduler_location}/jobs/{cloud_job_id(_call_of(meta))}"


def build_timer_job(wanted: Wanted, settings: OperatorSettings) -> TimerJob:
    meta = wanted.agent.metadata
    return TimerJob(
        name=job_name(meta, settings),
        description=f"Heliostat: Agent {meta.name} in {meta.namespace}"[:500],
        timer=wanted.timer,
        url=f"{settings.cloud_scheduler_target}{CLOUD_PATH}",
        body=_call_of(meta).model_dump_json(by_alias=True).encode(),
        account=settings.cloud_scheduler_account,
        audience=settings.cloud_scheduler_audience or settings.cloud_scheduler_target,
        is_paused=wanted.suspend,
    )


def _call_of(meta: ObjectMeta) -> CloudCall:
    return CloudCall(namespace=meta.namespace, agent=meta.name, uid=meta.uid)
