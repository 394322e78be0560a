"""A fresh installation without values, and what people notice while its pods come and go."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliostat_core.worlds import JsonValue
from support.chart import AGENTS, SYSTEM, Chart
from support.platform import Platform
from support.site import Site

TRAFFIC = Path(__file__).with_name("traffic.py")
AWAY_SECONDS = 15
"""How long a release with SQLite may be without its api."""


@pytest.fixture(scope="module")
def chart(site: Site) -> Chart:
    return Chart(site.cluster).held_by(site)


@pytest.fixture(scope="module")
def platform(chart: Chart) -> Platform:
    return Platform(chart.cluster, AGENTS)


@dataclass(frozen=True)
class Traffic:
    """A pod that plays people, and what it told at its end."""

    platform: Platform
    name: str

    def end(self) -> dict[str, JsonValue]:
        """Tells them that it is enough."""
        stop = "import os, signal; os.kill(1, signal.SIGTERM)"
        kubectl = self.platform.cluster.kubectl
        kubectl("-n", AGENTS, "exec", self.name, "--", "python", "-c", stop)
        self.platform.wait(self._has_ended, f"the end of {self.name}")
        told: dict[str, JsonValue] = json.loads(self.log().splitlines()[-1])
        return told

    def log(self) -> str:
        """Empty before its container is there."""
        return self.platform.log(self.name)

    def wait_until_under_way(self) -> None:
        self.platform.wait(
            lambda: not self._has_ended() and "under way" in self.log(), f"{self.name} under way"
        )

    def _has_ended(self) -> bool:
        status = (self.platform.find("pod", self.name) or {})["status"]
        phase = status.get("phase") if isinstance(status, dict) else None
        assert phase != "Failed", self.log()
        return phase == "Succeeded"


@contextlib.contextmanager
def traffic(platform: Platform, kind: str, *key: str) -> Iterator[Traffic]:
    """Under way within the block."""
    name = f"traffic-{kind}"
    platform.apply(traffic_pod(name, kind, *key))
    people = Traffic(platform, name)
    try:
        people.wait_until_under_way()
        yield people
    finally:
        platform.cluster.kubectl("-n", AGENTS, "delete", "pod", name, "--now", "--wait=false")


def traffic_pod(name: str, *arguments: str) -> dict[str, JsonValue]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        # The label lets it through to the gateway, as it does a run.
        "metadata": {
            "name": name,
            "namespace": AGENTS,
            "labels": {"heliostat.dev/execution": name},
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "traffic",
                    "image": "heliostat-api:dev",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", TRAFFIC.read_text(), *arguments],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def test_an_agent_runs_on_a_fresh_installation(chart: Chart) -> None:
    assert "Phase:          Succeeded" in chart.helm("test", "heliostat", "--timeout=3m")


def key_of_a_run(platform: Platform) -> str:
    """Good as long as the run, which does nothing."""
    platform.agent("holder", runtime={"command": ["sleep", "600"]}, limits={"timeoutSeconds": 900})
    platform.run("holder-1", "holder")
    return platform.execution_key(platform.wait_until_running("holder-1"))


def replicas_of(chart: Chart) -> int:
    """What the autoscaler has brought about."""
    status = chart.get("deployment", "heliostat-gateway")["status"]
    assert isinstance(status, dict)
    return int(str(status.get("readyReplicas", 0)))


def test_screens_miss_nothing_while_the_api_is_replaced(chart: Chart, platform: Platform) -> None:
    api = "deployment/heliostat-api"
    with traffic(platform, "events") as people:
        chart.cluster.kubectl("-n", SYSTEM, "rollout", "restart", api)
        chart.cluster.kubectl("-n", SYSTEM, "rollout", "status", api, "--timeout=150s")
        told = people.end()
    assert (told["missed"], told["twice"]) == (0, 0), told
    assert int(str(told["made"])) > 5, told
    assert int(str(told["connections"])) > 1
    assert 0 < float(str(told["away"])) <= AWAY_SECONDS


def test_the_drain_of_a_node_loses_no_run(chart: Chart, platform: Platform) -> None:
    kubectl = chart.cluster.kubectl
    platform.agent("drained", model="scripted/slow-steps", retry={"limit": 0})
    platform.run("drained-1", "drained")
    node = platform.wait_until_running("drained-1").node_name or ""
    try:
        kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s")
    finally:
        kubectl("uncordon", node)
    execution = platform.wait_until_settled("drained-1", 180)
    assert execution.finished_reason == "Unverified"
    assert [each.cause for each in execution.status.attempts] == ["infrastructure", None]


def test_answers_go_on_while_gateways_are_replaced_and_added(
    chart: Chart, platform: Platform
) -> None:
    # Last: on one node the budget of several gateways lets no drain come to its end.
    gateway = "deployment/heliostat-gateway"
    with traffic(platform, "answers", key_of_a_run(platform)) as people:
        chart.cluster.kubectl("-n", SYSTEM, "rollout", "restart", gateway)
        chart.cluster.kubectl("-n", SYSTEM, "rollout", "status", gateway, "--timeout=150s")
        platform.wait(lambda: replicas_of(chart) > 1, "a second gateway under load", 180)
        ends = people.end()
    chart.cluster.kubectl("-n", AGENTS, "delete", "execution", "holder-1", "--timeout=60s")
    assert ends.keys() == {"whole"}
    assert int(str(ends["whole"])) > 20
