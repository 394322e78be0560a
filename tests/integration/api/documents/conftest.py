"""The stores that everything here is tried on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from heliostat_api.documents.port import Documents
from heliostat_api.documents.sqlite.store import open_sqlite
from support.stores import SHAPES


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[Documents]:
    """An empty store of each kind."""
    store = open_sqlite(tmp_path / "documents.sqlite", SHAPES)
    yield store
    await store.close()
