"""The stores that everything here is tried on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.documents.port import Documents
from heliostat_api.documents.sqlite.store import open_sqlite
from support.firestore_emulator import FirestoreEmulator
from support.stores import SHAPES, open_emulated


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
