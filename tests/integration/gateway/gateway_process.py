"""A real gateway process with keys, and what tests ask it."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel
from yarl import URL

from heliostat_core.keys import (
    execution_claims,
    new_private_key,
    public_pem,
    sign_admin_token,
    sign_execution_key,
)
from support.log_lines import read_lines
from support.ports import free_port

READY_SECONDS = 60


class Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Attempt(Answer):
    attempt: int
    cost_nanos: int
    requests: int


class Cost(Answer):
    cost_nanos: int
    settled: bool
    estimated: bool
    requests: int
    usage: dict[str, int]
    provider: str | None
    model: str | None
    attempts: list[Attempt]


class Invoice(Answer):
    total_nanos: int
    entries: list[dict[str, JsonValue]]


class Revoked(Answer):
    revoked: bool
    streams_ended: int


@dataclass(frozen=True)
class Reply:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def error(self) -> tuple[str, str]:
        """Type and message of an error document."""
        document: dict[str, dict[str, str]] = json.loads(self.body)
        return document["error"]["type"], document["error"]["message"]


@dataclass
class GatewayProcess:
    """One gateway over `folder`; `start` after `kill` is a restart on the same port and data."""

    folder: Path
    port: int = field(default_factory=free_port)
    private: str = field(default_factory=new_private_key)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def write_public_key(self) -> None:
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        (keys / "operator.pem").write_text(public_pem(self.private))

    def spawn(self, module: str = "heliostat_gateway", **settings: str) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
            "HELIOSTAT_GATEWAY_PORT": str(self.port),
            "HELIOSTAT_GATEWAY_KEYS_DIR": str(self.folder / "keys"),
            "HELIOSTAT_GATEWAY_DATA_DIR": str(self.folder / "data"),
            **settings,
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module], env=environment, stdout=log, stderr=log
            )

    def start(self, module: str = "heliostat_gateway", **settings: str) -> None:
        self.process = self.spawn(module, **settings)
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the gateway did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=60)
        read_lines(self.log.read_text())
        return code

    def key(
        self,
        execution: str,
        *,
        attempt: int = 1,
        cap: int | None = None,
        tokens: int | None = None,
        seconds: int = 600,
        egress: Sequence[tuple[str, tuple[int, ...]]] = (),
        refused: Sequence[str] = (),
    ) -> str:
        now = int(time.time())
        return sign_execution_key(
            self.private,
            execution_claims(
                namespace="default",
                execution=f"name-of-{execution}",
                execution_uid=execution,
                attempt=attempt,
                agent="tester",
                cap_nanos=cap,
                cap_tokens=tokens,
                correlation_id="corr-1",
                issued=now,
                expires=now + seconds,
                egress=egress,
                refused=refused,
            ),
        )

    def admin_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {sign_admin_token(self.private, int(time.time()))}"}

    async def ask(
        self,
        path: str,
        *,
        method: str = "POST",
        document: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Reply":
        """One request, its answer read to the end."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method,
                URL(f"{self.url}{path}", encoded=True),
                json=document,
                data=data,
                headers=headers,
            ) as answer,
        ):
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, names, await answer.read())

    async def message(
        self, key: str, model: str, *, stream: bool = True, headers: Mapping[str, str] | None = None
    ) -> "Reply":
        """A small model call, its answer read to the end."""
        return await self.ask(
            "/v1/messages",
            document=small_request(model, stream=stream),
            headers={"x-api-key": key, "anthropic-version": "2023-06-01", **(headers or {})},
        )

    async def get(self, path: str) -> bytes:
        reply = await self.ask(path, method="GET", headers=self.admin_headers())
        assert reply.status == 200, reply.text
        return reply.body

    async def until_shared(self, seconds: float = 60) -> None:
        """Waits until the ledger is the one in Redis."""
        async with asyncio.timeout(seconds):
            while b"heliostat_gateway_ledger_local 0.0" not in await self.get("/metrics"):
                await asyncio.sleep(0.05)

    async def cost(self, execution: str) -> Cost:
        return Cost.model_validate_json(await self.get(f"/admin/executions/{execution}"))

    async def bill(self, execution: str) -> Invoice:
        return Invoice.model_validate_json(
            await self.get(f"/admin/scripted/bill?execution={execution}")
        )

    async def revoke(self, execution: str, attempt: int = 1) -> Revoked:
        body = {"execution": execution, "attempt": attempt, "expires": int(time.time()) + 600}
        reply = await self.ask("/admin/revocations", document=body, headers=self.admin_headers())
        assert reply.status == 200, reply.text
        return Revoked.model_validate_json(reply.body)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def small_request(
    model: str, *, stream: bool = True, text: str = "hello there"
) -> dict[str, object]:
    """A Messages request with one user message."""
    return {
        "model": model,
        "max_tokens": 1000,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    }
