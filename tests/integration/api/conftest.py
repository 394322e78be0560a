"""An api to ask, and the stores that things are tried on."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.documents.port import Documents
from heliostat_api.documents.sqlite.store import open_sqlite
from support.firestore_emulator import FirestoreEmulator
from support.local_api import ApiPlace, api_place, client_of
from support.stores import SHAPES, open_emulated


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


@pytest_asyncio.fixture(params=["sqlite", "firestore"])
async def documents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Documents]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        store: Documents = open_sqlite(tmp_path / "documents.sqlite", SHAPES)
    else:
        emulator: FirestoreEmulator = request.getfixturevalue("firestore_emulator")
        store = open_emulated(emulator)
    yield store
    await store.close()
