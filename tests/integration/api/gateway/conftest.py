"""An api for many people before a real gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from support.real_gateway import RealGateway, real_gateway


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RealGateway]:
    async with real_gateway(tmp_path / "gateway") as running:
        yield running
