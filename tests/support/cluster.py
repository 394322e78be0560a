"""A whole cluster for e2e tests, with our images in it: found, or made for the session and removed.

Which one, in this order:
1. HELIOSTAT_E2E=kubeconfig: the cluster of KUBECONFIG. Asked for by name, because the tests install
   and remove Heliostat there. Its nodes must already have the images.
2. The node script of HELIOSTAT_KUBE (or of ../shared/kube), as root.
3. kind, where Docker runs.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from support.kubectl import Kubectl, KubectlError
from tools.images import IMAGES
from tools.machine import ROOT, find_node_script, has_docker

KIND_NAME = "heliostat-test"
_BUSY_SECONDS = 30
REMEDY = (
    "no cluster on this machine. Remedy: start Docker and install kind, or point HELIOSTAT_KUBE at"
    " the folder of the `cluster` script (and be root), or choose a cluster that tests may use with"
    " KUBECONFIG and HELIOSTAT_E2E=kubeconfig"
)


class NoClusterError(Exception):
    """This machine has none; the text says what to do."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster; its kubectl is the administrator's."""

    kubectl: Kubectl
    node_script: Path | None = None
    proxy: str = ""
    """Where the API is read without a kubectl for each reading, which costs 0.1 s of CPU."""

    def read(self, path: str) -> bytes | None:
        """What the API server has at a path; None where nothing is. Raises KubectlError."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.proxy}{path}", timeout=30) as answer:
                    found: bytes = answer.read()
                    return found
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == HTTPStatus.NOT_FOUND:
                        return None
                    is_busy = error.code == HTTPStatus.TOO_MANY_REQUESTS  # kubectl waits, too
                    if not is_busy or time.monotonic() > deadline:
                        raise KubectlError(f"{path}: {error.read().decode()}") from error
            time.sleep(0.2)

    def kill(self, component: str) -> None:
        """kill -9 of one of the cluster's own programs; NoClusterError where that can't be."""
        self._ask_node("kill", component)

    def restart(self, component: str) -> None:
        """Start it again, with the arguments that it had."""
        self._ask_node("restart", component)

    def _ask_node(self, *arguments: str) -> None:
        if self.node_script is None:
            raise NoClusterError(f"{arguments[0]} needs the node of the `cluster` script")
        run(self.node_script, *arguments)


@contextlib.contextmanager
def open_cluster() -> Iterator[Cluster]:
    """The cluster of this machine with our images loaded. What was made here is removed again."""
    with choose_cluster() as cluster, cluster.kubectl.proxy() as address:
        yield replace(cluster, proxy=address)


def choose_cluster() -> AbstractContextManager[Cluster]:
    if os.environ.get("HELIOSTAT_E2E") == "kubeconfig":
        return contextlib.nullcontext(use_kubeconfig())
    if (script := find_node_script()) and os.geteuid() == 0:
        return open_node(script)
    if shutil.which("kind") and has_docker():
        return open_kind()
    raise NoClusterError(REMEDY)


def use_kubeconfig() -> Cluster:
    kubeconfig = os.environ.get("KUBECONFIG")
    kubectl = shutil.which("kubectl")
    if not (kubeconfig and kubectl):
        raise RuntimeError("HELIOSTAT_E2E=kubeconfig needs KUBECONFIG set and kubectl on PATH")
    return Cluster(Kubectl(Path(kubectl), Path(kubeconfig)))


@contextlib.contextmanager
def open_node(script: Path) -> Iterator[Cluster]:
    ran_before = run(script, "status", check=False).returncode == 0
    try:
        kubeconfig = Path(run(script, "up").stdout.strip())
        programs = Path(run(script, "bin").stdout.strip())
        build_images()
        yield Cluster(Kubectl(programs / "kubectl", kubeconfig), script)
    finally:
        if not ran_before:
            run(script, "down")


@contextlib.contextmanager
def open_kind() -> Iterator[Cluster]:
    kind, kubectl = Path(shutil.which("kind") or ""), Path(shutil.which("kubectl") or "kubectl")
    known = run(kind, "get", "clusters").stdout.split()
    if KIND_NAME not in known:
        config = ROOT / "manifests" / "kind.yaml"
        run(kind, "create", "cluster", "--name", KIND_NAME, "--config", str(config))
    kubeconfig = ROOT / ".tools" / "kind.kubeconfig"
    kubeconfig.parent.mkdir(exist_ok=True)
    try:
        kubeconfig.write_text(run(kind, "get", "kubeconfig", "--name", KIND_NAME).stdout)
        build_images()
        tags = [f"{name}:dev" for name in IMAGES]
        run(kind, "load", "docker-image", *tags, "--name", KIND_NAME)
        yield Cluster(Kubectl(kubectl, kubeconfig))
    finally:
        kubeconfig.unlink(missing_ok=True)
        if KIND_NAME not in known:
            run(kind, "delete", "cluster", "--name", KIND_NAME)


def build_images() -> None:
    """All of them, as `make images` does; not with HELIOSTAT_E2E_IMAGES=built."""
    if os.environ.get("HELIOSTAT_E2E_IMAGES") != "built":
        run(Path(sys.executable), "-m", "tools.images")


def run(program: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run it from the repository's root; RuntimeError with its last words when it fails."""
    done = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        words = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}".strip()
        raise RuntimeError(f"{program.name} {' '.join(arguments)} failed:\n{words}")
    return done
