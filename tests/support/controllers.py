"""The controller that deletes dependents, beside an API server that has no controllers."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from support.control_plane import Address, running
from support.ports import free_port


@contextlib.contextmanager
def run_garbage_collector(program: Path, address: Address, folder: Path) -> Iterator[None]:
    """kube-controller-manager with its garbage collector alone, until the block ends."""
    port = free_port()
    command = [
        str(program),
        f"--kubeconfig={address.kubeconfig}",
        "--controllers=garbage-collector-controller",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder}",
        "--authentication-skip-lookup=true",
    ]
    with running(command, folder / "controllers.log"):
        yield
