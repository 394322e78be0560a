"""The `helm` program, and an API server that knows what the chart makes of other people's kinds."""

import shutil
from pathlib import Path

import pytest

from support.control_plane import Address
from tools.machine import find_control_plane_programs

CRDS = Path(__file__).parent / "crds"
REMEDY = "no helm here: install it, or set HELIOSTAT_KUBE to the folder of the `cluster` script"


@pytest.fixture(scope="session")
def helm() -> str:
    programs = find_control_plane_programs()
    beside = programs / "helm" if programs else None
    found = str(beside) if beside is not None and beside.exists() else shutil.which("helm")
    if found is None:
        pytest.skip(REMEDY)
    return found


@pytest.fixture(scope="session")
def definitions_of_others(api_server: Address) -> Address:
    """The session's API server, with them for good: one that is deleted goes some time later,
    perhaps from under the next test."""
    api_server.kubectl("apply", "-f", CRDS)
    api_server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return api_server
