"""Fixtures that every level may ask for; what the machine lacks is skipped with the remedy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.cluster import Cluster, NoClusterError, open_cluster
from support.control_plane import Address, run_control_plane
from support.fake_provider import FakeProviders, run_fake_providers
from support.firestore_emulator import FirestoreEmulator, NoEmulatorError, run_firestore
from support.redis_server import NoRedisError, RedisServer, run_redis
from tools.machine import ROOT, find_control_plane_programs

# How long an example takes says nothing on a machine that is busy.
settings.register_profile("heliostat", deadline=None)
settings.load_profile("heliostat")


@pytest.fixture(scope="session")
def control_plane_programs() -> Path:
    """The folder with etcd, kube-apiserver and kubectl."""
    programs = find_control_plane_programs()
    if programs is None:
        pytest.skip(
            "no control plane on this machine. Remedy: set KUBEBUILDER_ASSETS to a folder with"
            " etcd, kube-apiserver and kubectl (setup-envtest makes one), or HELIOSTAT_KUBE to the"
            " folder of the `cluster` script"
        )
    return programs


@pytest.fixture(scope="session")
def api_server(
    control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """A real API server and etcd of the session's own: no controllers, no node."""
    programs = control_plane_programs
    with run_control_plane(programs, tmp_path_factory.mktemp("control-plane")) as address:
        yield address


@pytest.fixture(scope="module")
def own_api_server(
    control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """The module's own, for tests that delete namespaces or definitions: a namespace never goes
    without its controller, and a definition goes while the next test still finds it."""
    programs = control_plane_programs
    with run_control_plane(programs, tmp_path_factory.mktemp("own-control-plane")) as address:
        yield address


@pytest.fixture(scope="session")
def api_server_with_crds(api_server: Address) -> Address:
    """The session's, with our definitions in it."""
    api_server.kubectl("apply", "-k", ROOT / "manifests" / "crds")
    api_server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return api_server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A whole cluster with our images in it; made for the session where none runs."""
    try:
        with open_cluster() as found:
            yield found
    except NoClusterError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis of the test's own."""
    folder = tmp_path / "redis"
    folder.mkdir()
    try:
        with run_redis(folder) as server:
            yield server
    except NoRedisError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirestoreEmulator]:
    """The real Firestore emulator; each test takes a project of its own."""
    try:
        with run_firestore(tmp_path_factory.mktemp("firestore")) as emulator:
            yield emulator
    except NoEmulatorError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def fake_providers(tmp_path: Path) -> Iterator[FakeProviders]:
    """The scripted provider as a server of the test's own: three dialects, faults, a bill."""
    folder = tmp_path / "fake-providers"
    folder.mkdir()
    with run_fake_providers(folder) as providers:
        yield providers
