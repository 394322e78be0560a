"""A real kube-apiserver and etcd for one test session: free ports, a folder of their own."""

import base64
import contextlib
import json
import secrets
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.kubectl import Kubectl
from support.ports import find_free_ports

READY_SECONDS = 180  # on a machine that may be busy
STOP_SECONDS = 20


@dataclass(frozen=True)
class Address:
    """Where the API server is and how to be its administrator."""

    url: str
    token: str = field(repr=False)
    kubeconfig: Path
    kubectl: Kubectl


@contextlib.contextmanager
def run_control_plane(programs: Path, folder: Path) -> Iterator[Address]:
    """etcd and kube-apiserver, ready; both are ended afterwards. No controllers, no node."""
    etcd_port, peer_port, api_port = find_free_ports(3)
    token = secrets.token_urlsafe(32)
    write_credentials(folder, token)
    etcd = build_etcd_command(programs, folder, etcd_port, peer_port)
    api_server = build_api_server_command(programs, folder, etcd_port, api_port)
    with (
        running(etcd, folder / "etcd.log"),
        running(api_server, folder / "apiserver.log") as server,
    ):
        url = f"https://127.0.0.1:{api_port}"
        wait_until_ready(url, token, server, folder / "apiserver.log")
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(build_kubeconfig(url, token, folder / "apiserver.crt")))
        yield Address(url, token, kubeconfig, Kubectl(programs / "kubectl", kubeconfig))


def write_credentials(folder: Path, token: str) -> None:
    """The administrator's token and the key pair that signs service-account tokens."""
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "sa.key").write_bytes(private)
    (folder / "sa.pub").write_bytes(public)


def build_etcd_command(programs: Path, folder: Path, port: int, peer_port: int) -> list[str]:
    return [
        f"{programs}/etcd",
        f"--data-dir={folder}/etcd",
        "--unsafe-no-fsync",  # what a test loses at a power cut is nothing
        "--log-level=warn",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
    ]


def build_api_server_command(programs: Path, folder: Path, etcd_port: int, port: int) -> list[str]:
    return [
        f"{programs}/kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder}",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=RBAC",
        # As envtest has it: nobody makes the default service account that pods would need.
        "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={folder}/sa.pub",
        f"--service-account-signing-key-file={folder}/sa.key",
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
    ]


def build_kubeconfig(url: str, token: str, authority: Path) -> dict[str, object]:
    data = base64.b64encode(authority.read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "test", "cluster": {"server": url, "certificate-authority-data": data}}
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program while the block runs; ended by SIGTERM, after 20 s by SIGKILL."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(
    url: str, token: str, server: subprocess.Popen[bytes], log: Path, seconds: float = READY_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while not is_ready(url, token):
        ended = server.poll() is not None
        if ended or time.monotonic() > deadline:
            last_words = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the API server is not ready after {seconds} s:\n{last_words}")
        time.sleep(0.1)


def is_ready(url: str, token: str) -> bool:
    # The server signs its certificate itself while it starts: nothing to compare with yet.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
