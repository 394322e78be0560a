"""What is measured: a gateway with everything on, beside the upstream that it stands before."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.gateway.load import Figures, Load
from integration.gateway.gateway_process import GatewayProcess
from support.ports import free_port
from support.redis_server import RedisServer
from tools.machine import ROOT

READY_SECONDS = 60
MODELS = {"/v1/messages": "claude-opus-5-5", "/v1/chat/completions": "gpt-6.1-terra"}
PYTHON = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"}


@dataclass(frozen=True)
class Target:
    """Where a load goes."""

    port: int
    headers: Mapping[str, str]


def request_of(path: str, *, stream: bool, slow: bool) -> str:
    """A request of about a kilobyte; `slow` asks the upstream for a stream of ten seconds."""
    words = "answer-slow " if slow else "answer "
    return json.dumps(
        {
            "model": MODELS[path],
            "max_tokens": 1000,
            "stream": stream,
            "messages": [{"role": "user", "content": words * 100}],
        }
    )


def put_load(
    target: Target,
    path: str,
    *,
    connections: int,
    requests: int,
    rate: float = 0,
    stream: bool = False,
    slow: bool = False,
) -> Figures:
    """The figures of a load, put by a process of its own."""
    load = Load(
        target.port,
        path,
        dict(target.headers),
        request_of(path, stream=stream, slow=slow),
        connections,
        requests,
        rate,
    )
    with tempfile.NamedTemporaryFile() as told:
        command = [sys.executable, "-m", "bench.gateway.load", json.dumps(vars(load)), told.name]
        subprocess.run(command, env=PYTHON, check=True)
        return Figures(**json.loads(Path(told.name).read_text()))


@contextlib.contextmanager
def run_upstream() -> Iterator[Target]:
    """The bare provider."""
    port = free_port()
    with running([sys.executable, "-m", "bench.gateway.upstream", str(port)], PYTHON) as process:
        wait_for(f"http://127.0.0.1:{port}/", process, any_answer=True)
        yield Target(port, {})


@dataclass
class Rig:
    """A gateway in front of the upstream."""

    gateway: GatewayProcess
    upstream: Target
    ready_seconds: float

    @property
    def target(self) -> Target:
        return Target(self.gateway.port, {"authorization": f"Bearer {self.gateway.key('bench')}"})

    def memory(self) -> int:
        """Bytes of the gateway's resident set."""
        assert self.gateway.process is not None
        return int(psutil.Process(self.gateway.process.pid).memory_info().rss)

    def cpu(self) -> float:
        """Seconds of CPU that the gateway has used."""
        assert self.gateway.process is not None
        return cpu_of(self.gateway.process)


@dataclass(frozen=True)
class BareProxy:
    """The neighbour that does nothing but pass requests on."""

    target: Target
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def run_bare_proxy(upstream: Target) -> Iterator[BareProxy]:
    """In front of the same upstream."""
    port = free_port()
    command = [sys.executable, "-m", "bench.gateway.bare_proxy", str(port), str(upstream.port)]
    with running(command, PYTHON) as process:
        wait_for(f"http://127.0.0.1:{port}/", process, any_answer=True)
        yield BareProxy(Target(port, {}), process)


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU that a process has used."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def run_rig(folder: Path, redis: RedisServer, upstream: Target) -> Iterator[Rig]:
    """Redis, the ledger's writer and one gateway with key check, caps, breakers and metrics on."""
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    base = f"http://127.0.0.1:{upstream.port}"
    shared = {"REDIS_URL": redis.url}
    writer_port = free_port()
    writer = {
        **os.environ,
        **shared,
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_PORT": str(writer_port),
        "HELIOSTAT_GATEWAY_KEYS_DIR": str(folder / "keys"),
        "HELIOSTAT_GATEWAY_DATA_DIR": str(folder / "written"),
    }
    with running([sys.executable, "-m", "heliostat_gateway.writer"], writer) as process:
        wait_for(f"http://127.0.0.1:{writer_port}/healthz", process)
        began = time.perf_counter()
        gateway.start(
            **shared,
            ANTHROPIC_API_KEY="sk-bench",
            OPENAI_API_KEY="sk-bench",
            HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=base,
            HELIOSTAT_GATEWAY_OPENAI_BASE_URL=f"{base}/v1",
        )
        try:
            yield Rig(gateway, upstream, time.perf_counter() - began)
        finally:
            gateway.stop()


@contextlib.contextmanager
def running(
    command: list[str], environment: Mapping[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended afterwards."""
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        process = subprocess.Popen(command, env=dict(environment), stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(
    url: str,
    process: subprocess.Popen[bytes],
    *,
    any_answer: bool = False,
    seconds: float = READY_SECONDS,
) -> None:
    """Returns when `url` answers 200 (or at all)."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError as error:
            refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
            if any_answer and not refused:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{url} does not answer")
        time.sleep(0.02)
