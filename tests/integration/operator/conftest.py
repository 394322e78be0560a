"""An API server with everything installed, apart from the one that other tests share: a namespace
that they delete never goes without its controller, and could not be made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.control_plane import Address, run_control_plane
from support.operator_process import install
from tools.machine import find_control_plane_programs


@dataclass(frozen=True)
class Installed:
    """The administrator's address, and a kubeconfig with the operator's own account."""

    server: Address
    kubeconfig: Path


@pytest.fixture(scope="session")
def installed(api_server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    del api_server  # skips by name where no control plane is at hand
    programs = find_control_plane_programs()
    assert programs is not None
    folder = tmp_path_factory.mktemp("installed")
    with run_control_plane(programs, folder) as server:
        yield Installed(server, install(server, folder))
