"""What the operator holds in memory when an Agent has ten thousand finished runs."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.figures import Report
from bench.gateways import run_gateway
from bench.loads import Ground, arrivals, at_once, at_rate, beside, create_execution
from bench.operators import PATIENT, run_operator
from heliostat_core.names import FINISHED_LABEL, attempt_name
from heliostat_core.worlds import (
    EXECUTION,
    JOB,
    JsonObject,
    JsonValue,
    Ref,
    Selection,
    UnavailableError,
)
from support.control_plane import Address
from support.objects import make_execution, value_at
from tools.machine import ROOT

FINISHED = 10_000
CHURN = 50
RATE = 5
TARGET_MIB = 250


@pytest.mark.timeout(300)
async def test_ten_thousand_finished_executions(
    fresh_api_server: Address, ground: Ground, tmp_path: Path, report: Report
) -> None:
    async with run_gateway() as gateway:
        async with run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator:
            empty = operator.resident_bytes()
        with whole_objects_are_created(fresh_api_server):
            seconds = await at_once(FINISHED, lambda number: make_finished(ground, number))
        assert await count_finished(ground) == FINISHED
        async with (
            run_operator(fresh_api_server, gateway, tmp_path, **PATIENT) as operator,
            beside(operator.watch_memory()),
            arrivals(ground.world, JOB, ground.namespace) as jobs,
        ):
            names = [f"run-{number}" for number in range(CHURN)]
            await at_rate(RATE, CHURN, lambda number: create_execution(ground, names[number]))
            await jobs.wait_for((attempt_name(name, 1) for name in names), 60)
            now, peak = operator.resident_bytes(), operator.peak_bytes
    report.add(
        f"operator's memory, {FINISHED} finished, {RATE}/s beside",
        f"peak {in_mib(peak)}, then {in_mib(now)}",
        f"<= {TARGET_MIB} MiB",
        peak <= TARGET_MIB << 20,
        f"the same operator with none: {in_mib(empty)}; made in {seconds:.0f} s",
    )


async def count_finished(ground: Ground) -> int:
    """Those with a status, once the API server serves the definition as it was."""
    selection = Selection(namespace=ground.namespace, labels={FINISHED_LABEL: "true"})
    async with asyncio.timeout(60):
        while True:
            try:
                found = [each async for each in ground.world.list(EXECUTION, selection)]
            except UnavailableError:
                continue
            return sum(value_at(each, "status", "phase") == "Succeeded" for each in found)


def in_mib(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"


@contextmanager
def whole_objects_are_created(address: Address) -> Iterator[None]:
    """While the definition has no status subresource, a create keeps the status: half the time."""
    name = "executions.heliostat.dev"
    change = [{"op": "remove", "path": "/spec/versions/0/subresources/status"}]
    address.kubectl("patch", "crd", name, "--type=json", "-p", json.dumps(change))
    yield
    address.kubectl("apply", "--server-side", "--force-conflicts", "-k", ROOT / "manifests/crds")


async def make_finished(ground: Ground, number: int) -> None:
    """As the operator leaves it: marked, settled, with one attempt and 1 KiB of result."""
    name = f"old-{number}"
    labels = {"heliostat.dev/agent": "sales", FINISHED_LABEL: "true"}
    execution = make_execution(ground.namespace, name, metadata={"labels": labels})
    made = await ground.world.create({**execution, "status": finished_status(name)})
    while value_at(made, "status", "phase") is None:  # the definition has not arrived everywhere
        await ground.world.delete(Ref(EXECUTION, ground.namespace, name))
        made = await ground.world.create({**execution, "status": finished_status(name)})


def finished_status(name: str) -> JsonObject:
    ended = datetime.now(UTC).replace(microsecond=0)
    times = {
        "created": _text(ended - timedelta(seconds=70)),
        "started": _text(ended - timedelta(seconds=60)),
        "ended": _text(ended),
    }
    conditions: list[JsonValue] = [
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": times["ended"],
        }
        for type_, status, reason in (
            ("Admitted", "True", "Admitted"),
            ("Running", "False", "NotRunning"),
            ("Succeeded", "True", "Unverified"),
            ("Settled", "True", "Settled"),
        )
    ]
    attempt: JsonObject = {
        "number": 1,
        "jobName": attempt_name(name, 1),
        "jobUid": "0b0e7a52-7f0f-4dd0-a5b5-0f6fd3b5a001",
        "podName": f"{attempt_name(name, 1)}-x7k2p",
        "nodeName": "bench",
        "createdTime": times["created"],
        "startTime": times["started"],
        "endTime": times["ended"],
        "keyExpiresTime": _text(ended + timedelta(days=1)),
        "keyRevoked": True,
        "exitCode": 0,
        "reason": "Unverified",
    }
    return {
        "observedGeneration": 1,
        "phase": "Succeeded",
        "conditions": conditions,
        "attempts": [attempt],
        "startTime": times["started"],
        "completionTime": times["ended"],
        "durationSeconds": 60,
        "costMicros": 1234,
        "result": {"text": "The totals are in report.md. " * 36, "truncated": False},
    }


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
