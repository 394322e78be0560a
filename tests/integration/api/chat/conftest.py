"""A server with a chat, and clients of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.app.main import create_app
from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.model_connection import ModelConnection
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.people.identities import new_guest_id
from heliostat_api.web.credentials import SESSION
from support.chatting import ScriptedGateway, Talker, scripted_gateway, talking
from support.redis_server import RedisServer
from support.shared_api import ApiApp, api_app

SCENARIOS = Path(__file__).parent / "scenarios"
ANN = new_guest_id()
OVER_EACH_LOG = pytest.mark.parametrize("place", ["sqlite", "redis"], indirect=True)
OVER_REDIS = pytest.mark.parametrize("place", ["redis"], indirect=True)


@dataclass(frozen=True)
class ChatPlace:
    """A server, the gateway behind it, and where both are. `redis` has the event log, if any."""

    api: ApiApp
    gateway: ScriptedGateway
    url: str
    folder: Path
    redis: RedisServer | None = None

    @asynccontextmanager
    async def replica(
        self, connection: ModelConnection | None = None, **settings: int
    ) -> AsyncIterator["ChatPlace"]:
        """Another server over the same stores."""
        ours = self.api.dependencies
        log = RedisEventLog(self.redis.url) if self.redis else ours.log
        dependencies = replace(
            ours,
            model_connection=connection or ours.model_connection,
            settings=ApiSettings.model_validate(settings),
            log=log,
        )
        api = replace(self.api, app=create_app(dependencies), dependencies=dependencies)
        try:
            async with api.serving() as url:
                yield replace(self, api=api, url=url)
        finally:
            if log is not ours.log:
                await log.close()

    def talker(
        self, person: str = ANN, url: str = "", language: str = "en"
    ) -> AbstractAsyncContextManager[Talker]:
        """A browser of that person."""
        cookie = f"{SESSION}={self.api.sessions.issue(person)}"
        where = url or self.url
        return talking(where, person, {"Cookie": cookie, "Origin": where}, language)


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ScriptedGateway]:
    async with scripted_gateway(tmp_path / "gateway", SCENARIOS) as opened:
        yield opened


@pytest_asyncio.fixture
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, gateway: ScriptedGateway
) -> AsyncIterator[ChatPlace]:
    """Its event log is in a file, unless a test asks for Redis."""
    redis: RedisServer | None = None
    if getattr(request, "param", "") == "redis":
        redis = request.getfixturevalue("redis_server")
    connection, log = (
        gateway.connection("scripted/talk"),
        RedisEventLog(redis.url) if redis else None,
    )
    async with api_app(tmp_path, model_connection=connection, log=log) as api, api.serving() as url:
        yield ChatPlace(api, gateway, url, tmp_path, redis)
