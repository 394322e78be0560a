"""The operator as a process of its own, as in its image, against an API server."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from support.control_plane import Address, running
from support.ports import free_port

READY_SECONDS = 30
SYSTEM = "heliostat-system"
# No limit is in the way, and a machine that stands still for a while ends no operator.
PATIENT = {
    "max_concurrent_executions": 100_000,
    "workspace_image": "heliostat-workspace:bench",
    "lease_seconds": 60,
}


@dataclass
class OperatorProcess:
    """A running operator and what it uses."""

    process: psutil.Process
    log: Path
    url: str
    peak_bytes: int = field(default=0)

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    async def watch_memory(self, pause: float = 0.1) -> None:
        """Keeps `peak_bytes` true until cancelled."""
        while True:
            self.peak_bytes = max(self.peak_bytes, self.resident_bytes())
            await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def run_operator(
    address: Address, gateway_url: str, folder: Path, **settings: object
) -> AsyncIterator[OperatorProcess]:
    """`settings` are those of HELIOSTAT_OPERATOR_*, in small letters. It leads when this begins."""
    # For profiling: another way to start the module, e.g. `python -m cProfile -o /tmp/profile`.
    launcher = os.environ.get("BENCH_LAUNCHER", sys.executable).split()
    async with launch_operator(launcher, address, gateway_url, folder, settings) as found:
        yield found


@contextlib.asynccontextmanager
async def launch_operator(
    launcher: Sequence[str],
    address: Address,
    gateway_url: str,
    folder: Path,
    settings: Mapping[str, object],
) -> AsyncIterator[OperatorProcess]:
    """The same, started by that command, which `-m MODULE` follows."""
    port = free_port()
    chosen = {"gateway_url": gateway_url, "namespace": SYSTEM, "port": port, **settings}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECONFIG": str(address.kubeconfig),
        **{f"HELIOSTAT_OPERATOR_{name.upper()}": str(value) for name, value in chosen.items()},
    }
    variables = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", "-i", *variables, *launcher, "-m", "heliostat_operator"]
    log = folder / "operator.log"
    with running(command, log) as process:
        found = OperatorProcess(psutil.Process(process.pid), log, f"http://127.0.0.1:{port}")
        await _wait_until_it_leads(found, process)
        yield found
        assert process.poll() is None, f"the operator ended:\n{log.read_text()[-2000:]}"


async def _wait_until_it_leads(operator: OperatorProcess, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    async with aiohttp.ClientSession() as session:
        while not await _leads(session, operator.url):
            if process.poll() is not None or time.monotonic() > deadline:
                words = operator.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the operator does not lead after {READY_SECONDS} s:\n{words}")
            await asyncio.sleep(0.1)


async def _leads(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/metrics") as answer:
            return "heliostat_operator_is_leader 1.0" in await answer.text()
    except aiohttp.ClientError:
        return False
