"""An api to ask."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest_asyncio

from support.local_api import ApiPlace, api_place, client_of


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[ApiPlace]:
    """A world, documents and an event log."""
    async with api_place(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(place: ApiPlace) -> AsyncIterator[httpx2.AsyncClient]:
    """The local person's browser over that place."""
    async with client_of(place.app()) as opened:
        yield opened
