"""The embedded world in tests: Jobs, and waiting for what becomes of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.jobs import JobController
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.reading import text
from heliostat_core.worlds import JsonObject, JsonValue, Kind, Ref

DEADLINE_SECONDS = 120  # for a whole run on a machine that does much else
WAIT_SECONDS = 0.02  # between two looks at a condition


def make_job(
    program: str, *, name: str = "run-1", grace: int = 5, **container: JsonValue
) -> JsonObject:
    """A Job whose one container runs a Python program in an ephemeral workspace."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": {"heliostat.dev/execution": "run"}},
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": grace,
                    "containers": [
                        {
                            "name": "agent",
                            "image": "none",
                            "workingDir": "/workspace",
                            "command": [sys.executable, "-c", program],
                            "volumeMounts": [{"name": "workspace", "mountPath": "/workspace"}],
                            **container,
                        }
                    ],
                    "volumes": [{"name": "workspace", "emptyDir": {}}],
                },
            },
        },
    }


@asynccontextmanager
async def running_jobs(world: EmbeddedWorld, folder: StateFolder) -> AsyncIterator[None]:
    """A JobController, as long as the block runs."""
    task = asyncio.create_task(JobController(world, folder).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Until a condition holds; the test fails after the deadline."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not is_so():
                await asyncio.sleep(WAIT_SECONDS)
    except TimeoutError:
        pytest.fail(f"waited in vain until {what}")


async def wait_for_object(
    world: EmbeddedWorld, ref: Ref, is_so: Callable[[JsonObject], bool], what: str
) -> JsonObject:
    """The object once it is as wanted."""
    found: JsonObject | None = None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for change in world.watch(ref.kind):
                if text(change.object, "metadata", "name") == ref.name:
                    found = change.object
                    if change.type != "DELETED" and is_so(change.object):
                        return change.object
    except TimeoutError:
        pytest.fail(f"waited in vain until {what}; it is {found}")
    raise AssertionError("a watch has no end")


async def wait_until_gone(world: EmbeddedWorld, kind: Kind, what: str) -> None:
    """Until there is no object of that kind."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while [each async for each in world.list(kind)]:
                await asyncio.sleep(WAIT_SECONDS)
    except TimeoutError:
        pytest.fail(f"waited in vain until {what}")
