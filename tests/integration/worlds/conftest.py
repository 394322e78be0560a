"""Every test of this folder runs once on each world."""

from collections.abc import AsyncIterator, Callable

import pytest

from heliostat_core.worlds import World
from support.control_plane import Address
from support.worlds import Ground, cluster_ground, embedded_ground


def make_cluster_ground(request: pytest.FixtureRequest) -> Ground:
    address = request.getfixturevalue("api_server_with_crds")
    assert isinstance(address, Address)
    return cluster_ground(address)


def make_embedded_ground(request: pytest.FixtureRequest) -> Ground:
    folders = request.getfixturevalue("tmp_path_factory")
    assert isinstance(folders, pytest.TempPathFactory)
    return embedded_ground(folders.mktemp("embedded"))


GROUNDS: dict[str, Callable[[pytest.FixtureRequest], Ground]] = {
    "cluster": make_cluster_ground,
    "embedded": make_embedded_ground,
}


@pytest.fixture(params=sorted(GROUNDS), scope="module")
def ground(request: pytest.FixtureRequest) -> Ground:
    return GROUNDS[str(request.param)](request)


@pytest.fixture
async def world(ground: Ground) -> AsyncIterator[World]:
    async with ground.open() as opened:
        yield opened


@pytest.fixture
def namespace(ground: Ground) -> str:
    return ground.make_namespace()
