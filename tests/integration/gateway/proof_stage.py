"""The processes of the proof: Redis, the writer, two gateways, the scripted server."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from support.fake_provider import FakeProviders, run_fake_providers
from support.ports import free_port
from support.redis_server import RedisServer

from .gateway_process import READY_SECONDS, GatewayProcess

DEADLINE_SECONDS = 60
# Of each provider's keys: the variable at the gateway, the name on the bill, the secret.
KEYS = (
    ("ANTHROPIC_API_KEY", "m1", "sk-m-1"),
    ("ANTHROPIC_API_KEY_2", "m2", "sk-m-2"),
    ("OPENAI_API_KEY", "c1", "sk-c-1"),
    ("GEMINI_API_KEY", "g1", "sk-g-1"),
)


@dataclass
class Stage:
    """Everything that runs, and the settings that a gateway is started again with."""

    folder: Path
    redis: RedisServer
    providers: FakeProviders
    writer_port: int
    gateways: list[GatewayProcess] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> Path:
        """The writer's file."""
        return self.folder / "rows" / "ledger.sqlite"

    @property
    def urls(self) -> tuple[str, str]:
        """Of the gateways."""
        return self.gateways[0].url, self.gateways[1].url

    def start_gateways(self) -> None:
        """Both at once."""
        gateways = [self._new_gateway(name) for name in ("one", "two")]
        with ThreadPoolExecutor() as threads:
            for started in [threads.submit(each.start, **self.settings) for each in gateways]:
                started.result()

    def _new_gateway(self, name: str) -> GatewayProcess:
        folder = self.folder / name
        folder.mkdir()
        gateway = GatewayProcess(folder)
        if self.gateways:
            gateway.private = self.gateways[0].private
        gateway.write_public_key()
        self.gateways.append(gateway)
        return gateway

    async def kill_gateway(self, index: int) -> None:
        """`kill -9`."""
        await asyncio.to_thread(self.gateways[index].kill)

    async def start_gateway(self, index: int) -> None:
        """Again, over the same folder; returns when it is ready."""
        await asyncio.to_thread(lambda: self.gateways[index].start(**self.settings))

    async def until_ledger(self, index: int, local: bool) -> None:
        """Waits until a gateway is cut off from Redis, or has found it again."""
        wanted = f"heliostat_gateway_ledger_local {float(local)}".encode()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while wanted not in await self.gateways[index].get("/metrics"):
                await asyncio.sleep(0.05)


@contextmanager
def run_stage(folder: Path, redis: RedisServer, **settings: str) -> Iterator[Stage]:
    """All of it over `folder`, which holds `scenarios/` and `routes.yaml`."""
    keys = tuple(f"{name}={secret}" for _, name, secret in KEYS)
    with run_fake_providers(folder, scenarios=folder / "scenarios", api_keys=keys) as providers:
        stage = Stage(folder, redis, providers, free_port())
        stage.settings = {
            "REDIS_URL": redis.url,
            "HELIOSTAT_GATEWAY_ROUTES_FILE": str(folder / "routes.yaml"),
            "HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL": providers.messages_url,
            "HELIOSTAT_GATEWAY_OPENAI_BASE_URL": providers.chat_url,
            "HELIOSTAT_GATEWAY_GEMINI_BASE_URL": providers.gemini_url,
            **{variable: secret for variable, _, secret in KEYS},
            **settings,
        }
        writer = _start_writer(stage)
        try:
            stage.start_gateways()
            yield stage
        finally:
            for gateway in stage.gateways:
                if gateway.process is not None:
                    gateway.kill()
            writer.terminate()
            writer.wait(timeout=DEADLINE_SECONDS)


def _start_writer(stage: Stage) -> "subprocess.Popen[bytes]":
    environment = {
        "REDIS_URL": stage.redis.url,
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_PORT": str(stage.writer_port),
        "HELIOSTAT_GATEWAY_DATA_DIR": str(stage.folder / "rows"),
    }
    command = [sys.executable, "-m", "heliostat_gateway.writer"]
    with (stage.folder / "writer.log").open("ab") as log:
        writer = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(f"http://127.0.0.1:{stage.writer_port}/readyz"):
        assert writer.poll() is None, (stage.folder / "writer.log").read_text()
        assert time.monotonic() < deadline, "the writer did not start"
        time.sleep(0.05)
    return writer


def _is_ready(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
