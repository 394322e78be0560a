"""An API server with everything installed, apart from the one that other tests share: a namespace
that they delete never goes without its controller, and could not be made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.control_plane import Address, run_control_plane
from support.operator_process import install


@dataclass(frozen=True)
class Installed:
    """The administrator's address, and a kubeconfig with the operator's own account."""

    server: Address
    kubeconfig: Path


@pytest.fixture(scope="session")
def installed(
    control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("installed")
    with run_control_plane(control_plane_programs, folder) as server:
        yield Installed(server, install(server, folder))
