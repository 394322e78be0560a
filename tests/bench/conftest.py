"""Every benchmark has an API server of its own, so that none pays for what another left."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.figures import Report
from bench.loads import Ground, open_ground
from bench.operators import SYSTEM
from support.cluster import Cluster
from support.control_plane import Address, run_control_plane
from support.platform import Platform
from tools.machine import ROOT

REPORT = pytest.StashKey[Report]()


@pytest.fixture
def fresh_api_server(control_plane_programs: Path, tmp_path: Path) -> Iterator[Address]:
    """A real API server with our definitions and nothing else."""
    with run_control_plane(control_plane_programs, tmp_path) as address:
        address.kubectl("apply", "-k", ROOT / "manifests" / "crds")
        address.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        address.kubectl("create", "namespace", SYSTEM)
        yield address


@pytest_asyncio.fixture
async def ground(fresh_api_server: Address) -> AsyncIterator[Ground]:
    async with open_ground(fresh_api_server) as found:
        yield found


@pytest.fixture(scope="session")
def platform(cluster: Cluster) -> Iterator[Platform]:
    installed = Platform(cluster)
    installed.install()
    yield installed
    installed.uninstall()


@pytest.fixture
def report(pytestconfig: pytest.Config) -> Report:
    """The table that is shown at the end."""
    found = pytestconfig.stash.setdefault(REPORT, Report())
    if not found.figures:
        busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
        found.add("this machine", f"{os.cpu_count()} cores", beside=f"load average {busy}")
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    found = config.stash.get(REPORT, None)
    if found is not None:
        terminalreporter.section("figures")
        for line in found.lines():
            terminalreporter.write_line(line)
