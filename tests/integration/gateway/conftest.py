"""One gateway for the tests that leave it alive, and one of its own for those that kill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fake_provider import FakeProviders, run_fake_providers
from support.redis_server import RedisServer

from .chains import write_scenario
from .gateway_process import GatewayProcess
from .real_world import World, run_world
from .replicas import Replicas, run_replicas


def _run(folder: Path) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    gateway.start()
    yield gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.kill()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that answers plain `scripted/NAME` models."""
    yield from _run(tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway before providers of every dialect; each test leaves it without armed faults."""
    with run_world(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway of the test's own."""
    yield from _run(tmp_path)


@pytest.fixture
def replicas(tmp_path: Path, redis_server: RedisServer) -> Iterator[Replicas]:
    """Two gateways and the writer, on a Redis of the test's own."""
    with run_replicas(tmp_path, redis_server.url) as running:
        yield running


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProviders]:
    """The scripted server; every model name says which provider of a chain speaks."""
    folder = tmp_path_factory.mktemp("speakers")
    with run_fake_providers(folder, scenarios=write_scenario(folder), default="speaker") as running:
        yield running
