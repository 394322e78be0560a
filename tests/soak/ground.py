"""Everything that runs: a control plane with its controllers, kwok, Redis, gateway, operator."""

import contextlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from heliostat_core.keys import public_key_id, public_pem
from soak.programs import READY_SECONDS, Program, running
from soak.stages import write_stages
from support.control_plane import (
    Address,
    build_api_server_command,
    build_etcd_command,
    build_kubeconfig,
    is_ready,
    write_credentials,
)
from support.kubectl import Kubectl
from support.operator_process import SYSTEM, install, read_signing_key
from support.ports import find_free_ports, free_port
from support.redis_server import RedisServer, run_redis

NODES = 10
NEEDED = ("kwok", "kube-controller-manager", "kube-scheduler")
# Those that Jobs, pods and what they leave need.
CONTROLLERS = (
    "job-controller",
    "garbage-collector-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
)


class NoProgramsError(Exception):
    """This machine lacks one; the text holds the remedy."""


@dataclass(frozen=True)
class Ground:
    """The programs, each to be killed at will."""

    address: Address
    operator: Program
    gateway: Program
    gateway_url: str
    api_server: Program
    others: list[Program]
    """Controllers, scheduler, kwok: their clients wait long for an API server that was away."""
    redis: RedisServer
    rows: Path
    """The ledger's file."""
    signing_key: str


def check_programs(programs: Path) -> None:
    """Raises NoProgramsError."""
    missing = [name for name in NEEDED if not (programs / name).exists()]
    if missing:
        raise NoProgramsError(
            f"{programs} has no {', '.join(missing)}. Remedy: point KUBEBUILDER_ASSETS at a folder "
            "that has them beside etcd and kube-apiserver, or HELIOSTAT_KUBE at the folder of the "
            "`cluster` script"
        )


@contextlib.contextmanager
def open_ground(programs: Path, folder: Path) -> Iterator[Ground]:
    """All of it over `folder`, ready for Executions; ended afterwards."""
    check_programs(programs)
    token = f"soak-{os.urandom(16).hex()}"
    write_credentials(folder, token)
    etcd_port, peer_port, api_port = find_free_ports(3)
    url = f"https://127.0.0.1:{api_port}"
    etcd = Program(
        "etcd", build_etcd_command(programs, folder, etcd_port, peer_port), folder / "etcd.log"
    )
    api_server = Program(
        "kube-apiserver",
        build_api_server_command(programs, folder, etcd_port, api_port),
        folder / "apiserver.log",
        is_ready=lambda: is_ready(url, token),
    )
    (folder / "redis").mkdir()
    with running(etcd, api_server), run_redis(folder / "redis") as redis:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(build_kubeconfig(url, token, folder / "apiserver.crt")))
        address = Address(url, token, kubeconfig, Kubectl(programs / "kubectl", kubeconfig))
        config = install(address, folder)
        address.kubectl("apply", "-f", "-", stdin=json.dumps(_node_list()))
        gateway, writer, gateway_url = _gateway(folder, redis.url)
        operator = _operator(folder, config, gateway_url)
        others = _controllers(programs, folder, kubeconfig)
        with running(*others, writer, gateway, operator):
            private = _wait_for_signing_key(address, operator)
            pem = public_pem(private)
            (folder / "keys" / f"{public_key_id(pem)}.pem").write_text(pem)
            rows = folder / "rows" / "ledger.sqlite"
            yield Ground(
                address, operator, gateway, gateway_url, api_server, others, redis, rows, private
            )


def _node_list() -> Mapping[str, object]:
    names = [f"node-{number}" for number in range(NODES)]
    capacity = {"cpu": "10000", "memory": "10Ti", "pods": "10000"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"allocatable": capacity, "capacity": capacity},
        }
        for name in names
    ]
    return {"apiVersion": "v1", "kind": "List", "items": nodes}


def _controllers(programs: Path, folder: Path, kubeconfig: Path) -> list[Program]:
    """Controller manager, scheduler and kwok: not those that we test."""
    manager_port, scheduler_port = find_free_ports(2)
    write_stages(folder / "stages.yaml")
    common = (f"--kubeconfig={kubeconfig}", f"--cert-dir={folder}")
    fast = (
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
    )
    manager: list[str | Path] = [
        programs / "kube-controller-manager",
        *common,
        *fast,
        f"--controllers={','.join(CONTROLLERS)}",
        f"--secure-port={manager_port}",
        "--authentication-skip-lookup=true",
    ]
    scheduler: list[str | Path] = [
        programs / "kube-scheduler",
        *common,
        *fast,
        f"--secure-port={scheduler_port}",
        "--authentication-skip-lookup=true",
    ]
    kwok: list[str | Path] = [
        programs / "kwok",
        f"--kubeconfig={kubeconfig}",
        f"--config={folder / 'stages.yaml'}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        "--v=WARN",
    ]
    commands: dict[str, list[str | Path]] = {
        "controllers": manager,
        "scheduler": scheduler,
        "kwok": kwok,
    }
    home = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    return [
        Program(name, command, folder / f"{name}.log", home) for name, command in commands.items()
    ]


def _gateway(folder: Path, redis_url: str) -> tuple[Program, Program, str]:
    """The gateway, the writer of its ledger, and where the gateway is."""
    gateway_port, writer_port = find_free_ports(2)
    (folder / "keys").mkdir()
    common = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": redis_url,
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_KEYS_DIR": str(folder / "keys"),
        "HELIOSTAT_GATEWAY_DEFAULT_PROVIDER": "scripted",
    }
    found = []
    for name, module, port in (
        ("gateway", "heliostat_gateway", gateway_port),
        ("writer", "heliostat_gateway.writer", writer_port),
    ):
        environ = {
            **common,
            "HELIOSTAT_GATEWAY_PORT": str(port),
            "HELIOSTAT_GATEWAY_DATA_DIR": str(folder / ("rows" if name == "writer" else "data")),
        }
        ready = _answers(f"http://127.0.0.1:{port}/readyz")
        command = [sys.executable, "-m", module]
        found.append(Program(name, command, folder / f"{name}.log", environ, ready))
    return found[0], found[1], f"http://127.0.0.1:{gateway_port}"


def _operator(folder: Path, kubeconfig: Path, gateway_url: str) -> Program:
    """As in its Deployment, with the rights of its own account."""
    port = free_port()
    settings = {
        "NAMESPACE": SYSTEM,
        "IDENTITY": "soak",
        "PORT": str(port),
        "GATEWAY_URL": gateway_url,
        "NETWORK_POLICIES": "true",
        # An API server that is away for a while on a busy machine ends no operator: its memory is
        # what is measured.
        "LEASE_SECONDS": "60",
    }
    environ = {f"HELIOSTAT_OPERATOR_{name}": value for name, value in settings.items()}
    environ |= {"KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"], "HOME": str(folder)}
    ready = _answers(f"http://127.0.0.1:{port}/healthz")
    launcher = os.environ.get("SOAK_LAUNCHER", sys.executable).split()
    command = [*launcher, "-m", "heliostat_operator"]
    return Program("operator", command, folder / "operator.log", environ, ready)


def _answers(url: str) -> Callable[[], bool]:
    def is_answered() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    return is_answered


def _wait_for_signing_key(address: Address, operator: Program) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while (found := read_signing_key(address.kubectl)) is None:
        if time.monotonic() > deadline or not operator.is_alive:
            raise RuntimeError(f"no signing key:\n{operator.log.read_text()[-2000:]}")
        time.sleep(0.1)
    return found
