"""A namespace that is being deleted: nothing further is tried in it, and its runs go soon.

There is no namespace controller here: the test deletes what that would, in an unkind order.
"""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bench.gateways import run_gateway
from bench.loads import Ground, at_once, create_execution, make_ground, open_world
from heliostat_core.conditions import BlockedReason
from heliostat_core.executions import Execution
from heliostat_core.worlds import EXECUTION, JOB, Kind, Ref, Selection
from support.control_plane import Address
from support.objects import name_of
from support.operator_process import running_operator

RUNS = 60
DEADLINE_SECONDS = 120


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


async def names(ground: Ground, kind: Kind) -> list[str]:
    selection = Selection(namespace=ground.namespace)
    return [name_of(each) async for each in ground.world.list(kind, selection)]


async def runs(ground: Ground) -> list[Execution]:
    selection = Selection(namespace=ground.namespace)
    found = ground.world.list(EXECUTION, selection)
    return [Execution.model_validate(each) async for each in found]


async def delete_all(ground: Ground, kind: Kind) -> None:
    left = await names(ground, kind)

    async def delete(number: int) -> None:
        await ground.world.delete(Ref(kind, ground.namespace, left[number]))

    await at_once(len(left), delete)


async def wait_for_runs(
    ground: Ground, what: str, holds: Callable[[list[Execution]], bool]
) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds(found := await runs(ground)):
        blocks = [block.reason for each in found for block in each.status.blocked_by]
        assert time.monotonic() < deadline, f"{what}: {len(found)} runs, {blocks[:5]}"
        await asyncio.sleep(0.3)


def were_made(found: list[Execution]) -> bool:
    attempts = [each.current_attempt for each in found]
    return len(found) == RUNS and all(each and each.job_uid for each in attempts)


def are_left_alone(found: list[Execution]) -> bool:
    reasons = {each.status.blocked_by[0].reason if each.status.blocked_by else "" for each in found}
    return reasons == {BlockedReason.NAMESPACE_TERMINATING}


async def test_nothing_further_is_tried_and_its_runs_go(
    installed: Installed, tmp_path: Path
) -> None:
    log = tmp_path / "operator.log"
    async with (
        run_gateway() as gateway,
        await open_world(installed.server.kubeconfig) as world,
    ):
        ground = await make_ground(world, installed.server)
        with running_operator(
            installed.kubeconfig, "a", log, HELIOSTAT_OPERATOR_GATEWAY_URL=gateway
        ) as operator:
            await at_once(RUNS, lambda number: create_execution(ground, f"run-{number}"))
            await wait_for_runs(ground, "Jobs", were_made)
            kubectl = installed.server.kubectl
            await asyncio.to_thread(kubectl, "delete", "ns", ground.namespace, "--wait=false")
            await delete_all(ground, JOB)
            await wait_for_runs(ground, "what can't go on", are_left_alone)
            assert "forbidden" not in operator.words
            began = time.monotonic()
            await delete_all(ground, EXECUTION)
            await wait_for_runs(ground, "all gone", lambda found: not found)
            print(f"{RUNS} were gone after {time.monotonic() - began:.1f} s")  # noqa: T201
            assert await names(ground, JOB) == []
            assert "forbidden" not in operator.words
            assert await asyncio.to_thread(operator.end, signal.SIGTERM) == 0
