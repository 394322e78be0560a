"""The trigger CronJob: Kubernetes' own timer fires, and a small pod makes the Execution."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.conditions import TriggeredReason
from heliostat_core.names import CRON_NAME, cron_job_name
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    CILIUM_POLICY,
    CRON_JOB,
    ENDPOINT_SLICE,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    UNSERVED,
    ForbiddenError,
    InvalidError,
    Ref,
    Selection,
    World,
)
from heliostat_operator.builders.cron_jobs import (
    CRON_LABELS,
    build_cron_cilium_policy,
    build_cron_job,
    build_cron_policy,
    build_cron_rights,
)
from heliostat_operator.model.api_addresses import Addresses, read_addresses
from heliostat_operator.model.keys import Key
from heliostat_operator.schedules.triggers import Setup, Wanted
from heliostat_operator.settings import OperatorSettings

SHARED = (NETWORK_POLICY, ROLE_BINDING, ROLE, SERVICE_ACCOUNT)
"""What the pods of all CronJobs of a namespace share, in the order in which it goes."""


class CronJobs:
    """One CronJob an Agent, owned by it; and what its pods need, once a namespace."""

    is_at_hand = True

    def __init__(
        self, world: World, settings: OperatorSettings, clock: Callable[[], datetime]
    ) -> None:
        self._world = world
        self._image = settings.image
        self._clock = clock
        self._resync = timedelta(seconds=settings.resync_seconds)
        self._prepared: dict[str, datetime] = {}
        self._kept: set[Key] = set()
        self._absent: set[Key] = set()

    async def keep(self, wanted: Wanted) -> Setup:
        meta = wanted.agent.metadata
        job = build_cron_job(
            wanted.agent, wanted.schedule, wanted.timer, self._image, suspend=wanted.suspend
        )
        key = (meta.namespace, meta.name)
        self._absent.discard(key)
        self._kept.add(key)
        try:
            await self._prepare(meta.namespace)
            await self._world.apply(job)
        except (InvalidError, ForbiddenError) as error:
            return Setup("False", TriggeredReason.REFUSED, str(error)[:1024])
        words = f"CronJob {cron_job_name(meta.name)}: {wanted.timer.cron}, {wanted.timer.time_zone}"
        return Setup("True", TriggeredReason.SET_UP, words)

    async def remove(self, key: Key, agent: Agent | None) -> Setup | None:
        """The garbage collection takes that of an Agent that is gone."""
        if agent is None:
            self._absent.discard(key)
        elif key not in self._absent:
            await self._world.delete(Ref(CRON_JOB, key[0], cron_job_name(key[1])))
            self._absent.add(key)
        if key in self._kept:
            self._kept.remove(key)
            await self._tidy(key[0])
        return None

    async def _prepare(self, namespace: str) -> None:
        known = self._prepared.get(namespace)
        if known is not None and self._clock() - known < self._resync:
            return
        for each in build_cron_rights(namespace):
            await self._world.apply(each)
        server = await self._server()
        await self._world.apply(build_cron_policy(namespace, server))
        with suppress(*UNSERVED):
            await self._world.apply(build_cron_cilium_policy(namespace, server))
        self._prepared[namespace] = self._clock()

    async def _tidy(self, namespace: str) -> None:
        """The last CronJob of a namespace went."""
        if any(each[0] == namespace for each in self._kept):
            return
        self._prepared.pop(namespace, None)
        await remove_shared(self._world, namespace)

    async def _server(self) -> Addresses:
        """The API server's Service, and what is behind it: networks differ in which they see."""
        service = await self._world.get(Ref(SERVICE, "default", "kubernetes"))
        endpoints = await self._world.get(Ref(ENDPOINT_SLICE, "default", "kubernetes"))
        return read_addresses(service, endpoints)


async def remove_shared(world: World, namespace: str) -> None:
    """What the pods of CronJobs needed there."""
    with suppress(*UNSERVED):
        await world.delete(Ref(CILIUM_POLICY, namespace, CRON_NAME))
    for kind in SHARED:
        await world.delete(Ref(kind, namespace, CRON_NAME))


async def remove_all(world: World) -> None:
    """Before an uninstall: no pod is to make Executions that nobody looks at."""
    namespaces: set[str] = set()
    async for found in world.list(CRON_JOB, Selection(labels=CRON_LABELS)):
        meta = ObjectHead.model_validate(found).metadata
        await world.delete(Ref(CRON_JOB, meta.namespace, meta.name), uid=meta.uid)
        namespaces.add(meta.namespace)
    for namespace in sorted(namespaces):
        await remove_shared(world, namespace)
