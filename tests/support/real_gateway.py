"""A real gateway inside the test, which the api asks without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr

from heliostat_api.gateway.client import GatewayPlace, Identity
from heliostat_core.keys import (
    execution_claims,
    new_private_key,
    public_pem,
    sign_admin_token,
    sign_execution_key,
)
from heliostat_gateway.main import Gateway, create_app
from heliostat_gateway.settings import Settings

URL = "http://gateway.test"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RealGateway:
    """The gateway, its operator, and the api's place at it."""

    app: FastAPI
    operator: str
    """The operator's private key."""
    place: GatewayPlace

    def client(self, key: str) -> httpx2.AsyncClient:
        """Who has that key."""
        headers = {"Authorization": f"Bearer {key}"}
        transport = httpx2.ASGITransport(self.app)
        return httpx2.AsyncClient(transport=transport, base_url=URL, headers=headers, timeout=30)

    def by_operator(self) -> httpx2.AsyncClient:
        return self.client(sign_admin_token(self.operator, int(utc_now().timestamp())))

    def by_api(self) -> httpx2.AsyncClient:
        return self.client(self.place.identity.admin_token())

    def execution_key(self, *budgets: str, user: str = "", uid: str = "uid-1") -> str:
        """Of a run of default/sales."""
        now = int(utc_now().timestamp())
        claims = execution_claims(
            namespace="default",
            execution="sales-1",
            execution_uid=uid,
            attempt=1,
            agent="sales",
            cap_nanos=None,
            cap_tokens=None,
            correlation_id="c-1",
            issued=now,
            expires=now + 600,
            user=user,
            budgets=budgets,
        )
        return sign_execution_key(self.operator, claims)

    async def rows(self, columns: str) -> list[tuple[str | int, ...]]:
        """Of the ledger, in the order in which the calls began."""
        parts: Gateway = self.app.state.gateway
        asked = f"SELECT {columns} FROM requests ORDER BY started_ms, id"
        return await parts.storage.run(lambda connection: connection.execute(asked).fetchall())

    async def say(self, key: str, text: str = "hello") -> httpx2.Response:
        """A model call, answered by a scenario."""
        asked = {
            "model": "scripted/hello",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": text}],
        }
        async with self.client(key) as client:
            return await client.post("/v1/messages", json=asked)


@asynccontextmanager
async def real_gateway(folder: Path, scenarios: Path | None = None) -> AsyncIterator[RealGateway]:
    """Over a folder, until the end of the block; with the scenarios of another one."""
    operator = new_private_key()
    identity = Identity(new_private_key(), utc_now)
    _publish(folder / "operator-keys", "public.pem", public_pem(operator))
    _publish(folder / "api-keys", *identity.published())
    settings = Settings(
        data_dir=folder / "gateway",
        keys_dir=folder / "operator-keys",
        api_keys_dir=folder / "api-keys",
        default_provider="scripted",
        scenarios_dir=scenarios,
        redis_url=SecretStr(""),
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        place = GatewayPlace(URL, identity, transport=httpx2.ASGITransport(app))
        yield RealGateway(app, operator, place)


def _publish(folder: Path, name: str, pem: str) -> None:
    folder.mkdir(parents=True)
    (folder / name).write_text(pem)
