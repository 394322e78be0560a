"""Plays Job controller and kubelet through the API server: pods and their status, nothing runs."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime

from bench.loads import Ground
from heliostat_core.names import EXECUTION_LABEL, MANAGED_BY, MANAGED_BY_LABEL
from heliostat_core.worlds import JOB, POD, JsonObject, JsonValue, Ref, Selection
from support.objects import mapping_at, name_of, text_at, uid_of, value_at


class PlayedKubelet:
    """`ended` maps a run to the instant (time.monotonic) at which the end of its pod was sent."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.ended: dict[str, float] = {}
        self._started: dict[str, str] = {}

    async def start(self, run: str, job_name: str) -> None:
        """The Job's pod, with its container running."""
        namespace = self._ground.namespace
        job = await self._ground.world.get(Ref(JOB, namespace, job_name))
        assert job is not None
        assert text_at(job, "metadata", "labels", EXECUTION_LABEL) == run
        await self._ground.world.create(_pod(job))
        self._started[run] = _now()
        running: JsonObject = {"running": {"startedAt": self._started[run]}}
        await self._write(job_name, "Running", running)

    async def end(self, run: str, job_name: str) -> None:
        """The container ends with the document of a runner that is content."""
        message = json.dumps({"version": 1, "outcome": "Succeeded", "reason": "Unverified"})
        terminated: JsonObject = {
            "terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "message": message,
                "startedAt": self._started[run],
                "finishedAt": _now(),
            }
        }
        self.ended[run] = time.monotonic()
        await self._write(job_name, "Succeeded", terminated)

    async def follow(self, seconds: float = 1) -> None:
        """Every Job's pod starts, runs for so long and ends well; until cancelled."""
        async with asyncio.TaskGroup() as group:
            async for job in self._new_jobs():
                group.create_task(self._play(job, seconds))

    async def refuse(self) -> None:
        """No node takes the pod of any Job; until cancelled."""
        async with asyncio.TaskGroup() as group:
            async for job in self._new_jobs():
                group.create_task(self._refuse(job))

    async def let_go(self) -> None:
        """Pods that are deleted go at once, as when their containers obey; until cancelled."""
        world, selection = self._ground.world, Selection(namespace=self._ground.namespace)
        async with asyncio.TaskGroup() as group:
            async for change in world.watch(POD, selection):
                leaves = value_at(change.object, "metadata", "deletionTimestamp")
                if leaves and change.type != "DELETED":
                    ref = Ref(POD, self._ground.namespace, name_of(change.object))
                    group.create_task(_await(world.delete(ref, grace_seconds=0)))

    async def _new_jobs(self) -> AsyncIterator[JsonObject]:
        seen: set[str] = set()
        selection = Selection(
            namespace=self._ground.namespace, labels={MANAGED_BY_LABEL: MANAGED_BY}
        )
        async for change in self._ground.world.watch(JOB, selection):
            if change.type != "DELETED" and name_of(change.object) not in seen:
                seen.add(name_of(change.object))
                yield change.object

    async def _play(self, job: JsonObject, seconds: float) -> None:
        run, job_name = text_at(job, "metadata", "labels", EXECUTION_LABEL), name_of(job)
        await self.start(run, job_name)
        await asyncio.sleep(seconds)
        await self.end(run, job_name)

    async def _refuse(self, job: JsonObject) -> None:
        world = self._ground.world
        await world.create(_pod(job, node=None))
        status: JsonValue = {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu.",
                }
            ],
        }
        await world.patch_status(
            {
                "apiVersion": POD.api_version,
                "kind": POD.name,
                "metadata": {
                    "name": pod_name(name_of(job)),
                    "namespace": self._ground.namespace,
                },
                "status": status,
            }
        )

    async def _write(self, job_name: str, phase: str, state: JsonObject) -> None:
        status: JsonValue = {
            "phase": phase,
            "startTime": _now(),
            "containerStatuses": [
                {
                    "name": "agent",
                    "image": "heliostat-workspace:bench",
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": state,
                }
            ],
        }
        await self._ground.world.patch_status(
            {
                "apiVersion": POD.api_version,
                "kind": POD.name,
                "metadata": {"name": pod_name(job_name), "namespace": self._ground.namespace},
                "status": status,
            }
        )


def pod_name(job_name: str) -> str:
    return f"{job_name}-x7k2p"


async def _await(work: Awaitable[object]) -> None:
    await work


def _pod(job: JsonObject, node: str | None = "bench") -> JsonObject:
    template = mapping_at(job, "spec", "template")
    return {
        "apiVersion": POD.api_version,
        "kind": POD.name,
        "metadata": {
            **mapping_at(template, "metadata"),
            "name": pod_name(name_of(job)),
            "namespace": text_at(job, "metadata", "namespace"),
            "ownerReferences": [
                {
                    "apiVersion": JOB.api_version,
                    "kind": JOB.name,
                    "name": name_of(job),
                    "uid": uid_of(job),
                    "controller": True,
                }
            ],
        },
        "spec": {**mapping_at(template, "spec"), **({"nodeName": node} if node else {})},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
