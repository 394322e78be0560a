"""The `heliostat` program, and a cluster that serves our kinds."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.control_plane import Address
from support.heliostat_program import PROGRAM, build_environ
from support.kubectl import Kubectl

Ended = subprocess.CompletedProcess[str]
Heliostat = Callable[..., Ended]


@pytest.fixture(scope="session")
def cluster(api_server_with_crds: Address) -> Kubectl:
    """kubectl for an API server that has the CRDs."""
    return api_server_with_crds.kubectl


@pytest.fixture
def in_cluster(cluster: Kubectl, api_server: Address, tmp_path: Path) -> Heliostat:
    """`heliostat ...` with the cluster's kubeconfig."""
    del cluster
    environ = build_environ(tmp_path, KUBECONFIG=str(api_server.kubeconfig))

    def run(*arguments: str | Path, stdin: str | None = None) -> Ended:
        return subprocess.run(
            [PROGRAM, *arguments],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
