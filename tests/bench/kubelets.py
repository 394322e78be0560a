"""Plays Job controller and kubelet through the API server: pods and their status, nothing runs."""

import json
import time
from datetime import UTC, datetime

from bench.loads import Ground
from heliostat_core.names import EXECUTION_LABEL
from heliostat_core.worlds import JOB, POD, JsonObject, JsonValue, Ref
from support.objects import mapping_at, name_of, text_at, uid_of


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


def _pod(job: JsonObject) -> JsonObject:
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
        "spec": {**mapping_at(template, "spec"), "nodeName": "bench"},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
