"""Jobs as local process trees: the Job controller of the embedded world, with its kubelet.

A Job gets one pod for its life (`backoffLimit` 0), a pod one supervisor.
"""

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.kubelet import Kubelet
from heliostat_cli.embedded.objects import instant_text, is_terminating
from heliostat_cli.embedded.pods import (
    build_pod,
    finished_job_status,
    is_finished,
    is_over,
    pod_name,
    started_job_status,
)
from heliostat_cli.embedded.processes import marked
from heliostat_cli.embedded.statuses import report
from heliostat_cli.embedded.watches import wait_at_most
from heliostat_core.reading import number, text
from heliostat_core.worlds import (
    JOB,
    POD,
    VOLUME_CLAIM,
    AlreadyExistsError,
    ConflictError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    UnavailableError,
    World,
)

TICK_SECONDS = 0.05  # how late the state of a supervisor may be seen
_RETRY_SECONDS = 0.5


class JobController:
    """Runs the Jobs of a world below a state folder. One at a time for each folder."""

    def __init__(
        self,
        world: World,
        folder: StateFolder,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._world = world
        self._folder = folder
        self._clock = clock
        self._kubelet = Kubelet(world, folder)
        self._jobs: dict[str, JsonObject] = {}  # by uid, as watched
        self._pods: dict[str, JsonObject] = {}
        self._claims: dict[str, JsonObject] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Supervisors go on without us."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(JOB, self._jobs))
            group.create_task(self._watch(POD, self._pods))
            group.create_task(self._watch(VOLUME_CLAIM, self._claims))
            group.create_task(self._step_forever())

    async def _watch(self, kind: Kind, seen: dict[str, JsonObject]) -> None:
        while True:
            with suppress(UnavailableError):
                async for change in self._world.watch(kind):
                    uid = text(change.object, "metadata", "uid")
                    if change.type == "DELETED":
                        seen.pop(uid, None)
                    else:
                        seen[uid] = change.object
                    self._wake.set()
            seen.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _step_forever(self) -> None:
        """Everything after each change, and now and then in case one was missed; between these
        only what supervisors write."""
        looked = -_RETRY_SECONDS
        while True:
            if self._wake.is_set() or time.monotonic() > looked + _RETRY_SECONDS:
                self._wake.clear()
                looked = time.monotonic()
                for job in tuple(self._jobs.values()):
                    await _attempt(self._step(job))
                await _attempt(self._clean())
            for pod in tuple(self._pods.values()):
                if _is_busy(pod):
                    await _attempt(self._kubelet.step(pod))
            self._kubelet.reap()
            is_busy = any(map(_is_busy, self._pods.values()))
            await wait_at_most(self._wake, TICK_SECONDS if is_busy else _RETRY_SECONDS)

    async def _step(self, job: JsonObject) -> None:
        if is_finished(job) or is_terminating(job):
            return
        now = instant_text(self._clock())
        pod = await self._world.get(Ref(POD, text(job, "metadata", "namespace"), pod_name(job)))
        if pod is not None and is_over(pod):
            status = finished_job_status(job, pod, now)
        elif pod is None and number(job, "status", "active"):
            status = finished_job_status(job, None, now)  # its one pod is gone
        else:
            if pod is None:
                await self._make_pod(job)
            status = started_job_status(job, now, 1)
        await report(self._world, job, status)

    async def _make_pod(self, job: JsonObject) -> None:
        with suppress(AlreadyExistsError):
            await self._world.create(build_pod(job, platform.node() or "localhost"))

    async def _clean(self) -> None:
        """Remove what pods and claims left that are gone. The folders are listed first: who has
        a folder has been an object before."""
        if leftover := _names(self._folder.pods) - self._pods.keys():
            living = await self._uids(POD)
            await self._kubelet.remove_orphans(leftover - living)
        if leftover := _names(self._folder.claims) - self._claims.keys():
            for uid in leftover - await self._uids(VOLUME_CLAIM):
                if not marked(self._folder.claim(uid)):
                    shutil.rmtree(self._folder.claim(uid), ignore_errors=True)

    async def _uids(self, kind: Kind) -> set[str]:
        return {text(each, "metadata", "uid") async for each in self._world.list(kind)}


def _is_busy(pod: JsonObject) -> bool:
    return not is_over(pod) or is_terminating(pod)


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


async def _attempt(step: Awaitable[None]) -> None:
    """What changes or lacks under our hands is no fault: the next step sees it."""
    with suppress(NotFoundError, ConflictError, UnavailableError):
        await step
