"""The operator as a process of its own, with the rights that the manifests give it."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2
import psutil

from heliostat_operator.gateway.signing import PRIVATE_SECRET
from support.control_plane import Address
from support.kubectl import Kubectl
from support.log_lines import read_lines
from support.manifests import INSTALLATION
from support.ports import free_port

SYSTEM = "heliostat-system"
LEASE_SECONDS = 8  # less is lost by a machine that is busy for two seconds
DEADLINE_SECONDS = 60
Found = TypeVar("Found")


@dataclass(frozen=True)
class OperatorProcess:
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def end(self, number: signal.Signals) -> int:
        """Its exit code after the signal."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)

    @property
    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def metrics(self) -> str:
        """As Prometheus reads them."""
        found: str = httpx2.get(f"http://127.0.0.1:{self.port}/metrics").raise_for_status().text
        return found

    @property
    def rss_mebibytes(self) -> float:
        memory: int = psutil.Process(self.process.pid).memory_info().rss
        return memory / 2**20


def install(server: Address, folder: Path) -> Path:
    """Everything of manifests/ applied; a kubeconfig with the operator's own account."""
    server.kubectl("apply", "-k", INSTALLATION)
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    account = ("heliostat-operator", "-n", SYSTEM)
    token = server.kubectl("create", "token", *account, "--duration=24h").strip()
    config = json.loads(server.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = token
    path = folder / "operator.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def read_signing_key(kubectl: Kubectl) -> str | None:
    """The private key that the operator made, or None before it did."""
    found = kubectl(
        "-n", SYSTEM, "get", "secret", PRIVATE_SECRET, "-o", "json", "--ignore-not-found"
    )
    if not found.strip():
        return None
    return base64.b64decode(json.loads(found)["data"]["private.pem"]).decode()


@contextlib.contextmanager
def running_operator(
    kubeconfig: Path, identity: str, log: Path, **more: str
) -> Iterator[OperatorProcess]:
    """`python -m heliostat_operator` with a clean environment and `more` variables; killed at the
    end if need be."""
    port = free_port()
    settings = {
        "NAMESPACE": SYSTEM,
        "IDENTITY": identity,
        "PORT": str(port),
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "GATEWAY_URL": "http://127.0.0.1:9",  # nobody answers there
    }
    environment = {f"HELIOSTAT_OPERATOR_{name}": value for name, value in settings.items()}
    environment |= {"KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"], **more}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "heliostat_operator"],
            env=environment,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield OperatorProcess(process, log, port)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        read_lines(log.read_text(errors="replace"))


def wait_for(look: Callable[[], Found | None], what: str, log: Path) -> Found:
    """What `look` finds, or a failure with the last words of the operator."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            words = log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"waited {DEADLINE_SECONDS} s for {what}:\n{words}")
        time.sleep(0.2)
    return found
