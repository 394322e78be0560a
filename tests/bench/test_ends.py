"""From the end of a pod to the terminal status; the benchmark plays the kubelet."""

import asyncio
from pathlib import Path

import pytest

from bench.figures import Report, percentile, spread
from bench.gateways import run_gateway
from bench.kubelets import PlayedKubelet, pod_name
from bench.loads import Ground, arrivals, at_rate, create_execution
from bench.operators import PATIENT, run_operator
from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Execution
from heliostat_core.names import attempt_name
from heliostat_core.worlds import EXECUTION, JOB, POD, JsonObject
from support.control_plane import Address
from support.objects import value_at

RATE = 10
RUNS = 200
RUN_SECONDS = 2


def has_ended(pod: JsonObject) -> bool:
    return value_at(pod, "status", "phase") == "Succeeded"


def has_succeeded(execution: JsonObject) -> bool:
    conditions = Execution.model_validate(execution).status.conditions
    return is_true(conditions, ExecutionCondition.SUCCEEDED)


@pytest.mark.timeout(180)
async def test_from_pod_exit_to_terminal_status(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    kubelet = PlayedKubelet(ground)
    world, namespace = ground.world, ground.namespace
    async with (
        run_gateway() as gateway,
        run_operator(fresh_api_server, gateway, tmp_path, **PATIENT),
        arrivals(world, JOB, namespace) as jobs,
        arrivals(world, POD, namespace, has_ended) as pods,
        arrivals(world, EXECUTION, namespace, has_succeeded) as executions,
    ):

        async def run(number: int) -> None:
            name = f"run-{number}"
            job = attempt_name(name, 1)
            await create_execution(ground, name)
            await jobs.wait_for([job], 60)
            await kubelet.start(name, job)
            await asyncio.sleep(RUN_SECONDS)  # what an agent does in its time
            await kubelet.end(name, job)

        await at_rate(RATE, RUNS, run)
        await executions.wait_for(kubelet.ended, 60)
    waits = [executions.seen[name] - sent for name, sent in kubelet.ended.items()]
    bare = [
        pods.seen[pod_name(attempt_name(name, 1))] - sent for name, sent in kubelet.ended.items()
    ]
    p99 = percentile(waits, 99)
    report.add(
        f"pod exit sent → terminal status seen, {RATE}/s",
        spread(waits),
        "p99 <= 1 s",
        p99 <= 1,
        f"the pod's own change seen by a bare watch: {spread(bare)}",
    )
