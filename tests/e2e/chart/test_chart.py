"""The chart on a real cluster: installed, tried, upgraded, taken over, uninstalled."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliostat_core.worlds import JsonObject
from support.cluster import Cluster
from support.platform import Platform

CHART = Path(__file__).resolve().parents[3] / "charts" / "heliostat"
SYSTEM, AGENTS = "heliostat-system", "heliostat-agents"
SECRETS = ("heliostat-redis", "heliostat-sessions", "heliostat-api-signing")
LONG = {
    "apiVersion": "heliostat.dev/v1alpha1",
    "kind": "Agent",
    "metadata": {"name": "long", "namespace": AGENTS},
    "spec": {
        "prompt": "Go on.",
        "model": {"name": "scripted/long"},
        "tools": {"allow": ["Bash"]},
        "workspace": {"resources": {"cpu": "50m", "memory": "512Mi"}},
    },
}


@dataclass(frozen=True)
class Chart:
    """Helm and kubectl on one cluster."""

    cluster: Cluster

    def helm(self, *arguments: str) -> str:
        """Raises AssertionError with helm's own words."""
        kubectl = self.cluster.kubectl
        beside = kubectl.program.parent / "helm"
        command = [str(beside) if beside.exists() else "helm", *arguments, "-n", SYSTEM]
        done = subprocess.run(
            [*command, "--kubeconfig", str(kubectl.kubeconfig)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def install(self, *more: str) -> None:
        self.helm(
            "install",
            "heliostat",
            str(CHART),
            "--create-namespace",
            "--wait",
            "--timeout=4m",
            *more,
        )

    def get(self, kind: str, name: str, namespace: str = SYSTEM) -> JsonObject:
        found: JsonObject = json.loads(
            self.cluster.kubectl("-n", namespace, "get", kind, name, "-o", "json")
        )
        return found

    def secrets(self) -> list[object]:
        return [self.get("secret", name)["data"] for name in SECRETS]

    def apply(self, *objects: object) -> None:
        for each in objects:
            self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(each))

    def remove_all(self) -> None:
        """What an uninstall keeps, too."""
        self.helm("uninstall", "heliostat", "--wait", "--timeout=2m")
        kubectl = self.cluster.kubectl
        kubectl("delete", "namespace", AGENTS, SYSTEM, "--ignore-not-found")
        kubectl("delete", "crd", "-l", "app.kubernetes.io/part-of=heliostat", "--ignore-not-found")


@pytest.fixture(scope="module")
def chart(cluster: Cluster) -> Iterator[Chart]:
    chart = Chart(cluster)
    chart.install()
    yield chart
    chart.remove_all()


def test_an_agent_runs_on_a_fresh_installation(chart: Chart) -> None:
    assert "Phase:          Succeeded" in chart.helm("test", "heliostat", "--timeout=3m")


def test_an_upgrade_keeps_what_was_made_once(chart: Chart) -> None:
    before = chart.secrets()
    chart.helm(
        "upgrade",
        "heliostat",
        str(CHART),
        "--set",
        "api.resources.requests.cpu=60m",
        "--wait",
        "--timeout=4m",
    )
    assert chart.secrets() == before
    chart.helm("rollback", "heliostat", "1", "--wait", "--timeout=4m")
    assert chart.secrets() == before


def test_nothing_but_its_own_clients_reaches_redis(chart: Chart) -> None:
    def reaches(deployment: str) -> bool:
        script = "import socket; socket.create_connection(('heliostat-redis', 6379), 3)"
        return (
            chart.cluster.kubectl.run(
                "-n", SYSTEM, "exec", f"deployment/{deployment}", "--", "python", "-c", script
            ).returncode
            == 0
        )

    assert reaches("heliostat-gateway")
    assert not reaches("heliostat-operator")


def test_an_uninstall_lets_go_and_the_next_installation_goes_on(chart: Chart) -> None:
    execution = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Execution",
        "metadata": {"name": "long-1", "namespace": AGENTS},
        "spec": {"agentRef": {"name": "long"}},
    }
    chart.apply(LONG, execution)
    wait = Platform(chart.cluster).wait
    wait(lambda: phase_of(chart) == "Running", "the run runs", 60)
    before = chart.secrets()
    chart.helm("uninstall", "heliostat", "--wait", "--timeout=2m")
    wait(
        lambda: "finalizers" not in metadata_of(chart.get("execution", "long-1", AGENTS)),
        "the Execution is let go",
        60,
    )
    chart.cluster.kubectl("-n", AGENTS, "delete", "execution", "long-1", "--timeout=20s")
    chart.install("--take-ownership")
    assert chart.secrets() == before
    assert chart.get("agent", "long", AGENTS)["spec"]


def phase_of(chart: Chart) -> object:
    status = chart.get("execution", "long-1", AGENTS).get("status")
    return status.get("phase") if isinstance(status, dict) else None


def metadata_of(found: JsonObject) -> JsonObject:
    metadata = found["metadata"]
    assert isinstance(metadata, dict)
    return metadata
