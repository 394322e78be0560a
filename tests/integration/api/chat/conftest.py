"""A server with a chat, and clients of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest_asyncio

from heliostat_api.chat.assembly import Line
from heliostat_api.main import create_app
from heliostat_api.people.identities import new_guest_id
from heliostat_api.serving.cookies import SESSION
from heliostat_api.settings import ApiSettings
from support.chatting import ScriptedGateway, Talker, scripted_gateway, talking
from support.shared_api import ApiApp, api_app

SCENARIOS = Path(__file__).parent / "scenarios"
ANN = new_guest_id()


@dataclass(frozen=True)
class ChatPlace:
    """A server, the gateway behind it, and where both are."""

    api: ApiApp
    gateway: ScriptedGateway
    url: str
    folder: Path

    @asynccontextmanager
    async def replica(
        self, line: Line | None = None, **settings: int
    ) -> AsyncIterator["ChatPlace"]:
        """Another server over the same stores."""
        around = replace(
            self.api.surroundings,
            line=line or self.api.surroundings.line,
            settings=ApiSettings.model_validate(settings),
        )
        api = replace(self.api, app=create_app(around), surroundings=around)
        async with api.serving() as url:
            yield ChatPlace(api, self.gateway, url, self.folder)

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
async def place(tmp_path: Path, gateway: ScriptedGateway) -> AsyncIterator[ChatPlace]:
    line = gateway.line("scripted/talk")
    async with api_app(tmp_path, line=line) as api, api.serving() as url:
        yield ChatPlace(api, gateway, url, tmp_path)
