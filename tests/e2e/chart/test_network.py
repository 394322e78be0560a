"""What a run reaches on a cluster that enforces NetworkPolicies, and what it does not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from heliostat_core.worlds import JsonObject
from support.chart import AGENTS, SYSTEM, Chart
from support.platform import Platform
from support.site import Site

OUTSIDE, SECOND = "heliostat-outside", "heliostat-second"
HOST = f"outside.{OUTSIDE}.svc.cluster.local"
API_SERVER = "kubernetes.default.svc.cluster.local"
DISGUISED = f"disguised.{OUTSIDE}.svc.cluster.local"
"""A name of somebody's own that leads to the Kubernetes API."""
PODS = "10.88.0.0/16"
"""Where the cluster of the `cluster` script has its pods, and at its first address itself."""
LOOK = """
import concurrent.futures, json, os, socket, subprocess

def tcp(host, port):
    try:
        socket.create_connection((host, port), 3).close()
    except OSError:
        return False
    return True

def curl(url, *more):
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{http_connect}", "-m", "8"]
    return subprocess.run([*command, "-p", *more, url], capture_output=True, text=True).stdout

foreign = "http://heliostat:not.a.key@heliostat-egress.heliostat-system:3128"
looks = {
    "gateway": lambda: tcp("heliostat-gateway.heliostat-system", 8081),
    "api": lambda: tcp("heliostat-api.heliostat-system", 8080),
    "redis": lambda: tcp("heliostat-redis.heliostat-system", 6379),
    "apiServer": lambda: tcp("10.96.0.1", 443) or tcp("10.88.0.1", 16443),
    # Says something on a cloud alone; elsewhere nobody is there. Golden files hold the policy.
    "metadata": lambda: tcp("169.254.169.254", 80),
    "directly": lambda: tcp(HOST, 8080),
    "hasProxy": lambda: "HTTPS_PROXY" in os.environ,
}
if "HTTPS_PROXY" in os.environ:
    looks |= {
        "named": lambda: curl(f"http://{HOST}:8080/"),
        "otherPort": lambda: curl(f"http://{HOST}:8081/"),
        "unnamed": lambda: curl(f"http://other.{HOST}:8080/"),
        "private": lambda: curl(f"https://{API_SERVER}:443/"),
        "disguised": lambda: curl(f"https://{DISGUISED}:16443/"),
        "byAddress": lambda: curl("https://10.88.0.1:16443/", "--noproxy", ""),
        "foreignKey": lambda: curl(f"http://{HOST}:8080/", "-x", foreign),
    }
with concurrent.futures.ThreadPoolExecutor(len(looks)) as pool:
    found = {name: pool.submit(look) for name, look in looks.items()}
    print(json.dumps({name: each.result() for name, each in found.items()}), flush=True)
"""
NAMES = f"HOST, API_SERVER, DISGUISED = {HOST!r}, {API_SERVER!r}, {DISGUISED!r}"
COMMAND = ["python3", "-c", f"{NAMES}\n{LOOK}"]


@dataclass(frozen=True)
class Ground:
    """The release, and a pod that stands for the world outside."""

    chart: Chart

    def look(self, namespace: str, *egress: JsonObject) -> Mapping[str, object]:
        """What a run of an Agent that names these hosts reached."""
        platform = Platform(self.chart.cluster, namespace)
        platform.agent("looker", runtime={"command": COMMAND}, workspace={"egress": list(egress)})
        platform.run("looker-1", "looker")
        ended = platform.wait_until_finished("looker-1", 120)
        assert ended.status.result is not None, ended.status
        found: Mapping[str, object] = json.loads(ended.status.result.text)
        return found

    def look_outside(self) -> Mapping[str, object]:
        """The same from a pod that is no run."""
        said = self.chart.cluster.kubectl("-n", OUTSIDE, "exec", "outside", "--", *COMMAND)
        found: Mapping[str, object] = json.loads(said.splitlines()[-1])
        return found

    def policies(self, namespace: str) -> str:
        shown = ("-o", "jsonpath={range .items[*]}{.metadata.name} {.spec.egress}{end}")
        return self.chart.cluster.kubectl("-n", namespace, "get", "networkpolicies", *shown)


@pytest.fixture(scope="module")
def ground(site: Site) -> Iterator[Ground]:
    cluster = site.cluster
    chart = Chart(cluster).held_by(site)
    spaces = map(namespace, (OUTSIDE, SECOND))
    Platform(cluster, OUTSIDE).apply(*spaces, SERVICE, POD, *DISGUISE)
    # Of the cluster, which stands for the world here: only this value lets the proxy go there.
    chart.upgrade("--set", f"egress.allowedNetworks={{{PODS}}}")
    cluster.kubectl("-n", OUTSIDE, "wait", "--for=condition=Ready", "pod/outside", "--timeout=60s")
    yield Ground(chart)
    cluster.kubectl("delete", "namespace", OUTSIDE, SECOND, "--ignore-not-found", "--wait=false")


def namespace(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


SERVICE: JsonObject = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "outside", "namespace": OUTSIDE},
    "spec": {"clusterIP": "None", "selector": {"app": "outside"}, "ports": [{"port": 8080}]},
}
DISGUISE: tuple[JsonObject, ...] = (
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "disguised", "namespace": OUTSIDE},
        "spec": {"clusterIP": "None", "ports": [{"port": 16443}]},
    },
    {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "disguised",
            "namespace": OUTSIDE,
            "labels": {"kubernetes.io/service-name": "disguised"},
        },
        "addressType": "IPv4",
        "ports": [{"port": 16443}],
        "endpoints": [{"addresses": ["10.88.0.1"], "conditions": {"ready": True}}],
    },
)
CONTAINER: JsonObject = {
    "name": "outside",
    "image": "heliostat-workspace:dev",
    "imagePullPolicy": "IfNotPresent",
    "command": ["python3", "-m", "http.server", "8080", "--directory", "/workspace"],
    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
}
POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "outside", "namespace": OUTSIDE, "labels": {"app": "outside"}},
    "spec": {"containers": [CONTAINER], "terminationGracePeriodSeconds": 0},
}


def test_a_run_reaches_what_its_agent_names_and_nothing_else(ground: Ground) -> None:
    named: JsonObject = {"host": HOST, "ports": [8080]}
    disguised: JsonObject = {"host": DISGUISED, "ports": [16443]}
    everything: JsonObject = {"host": "0.0.0.0/0", "ports": [16443]}
    assert ground.look(AGENTS, named, {"host": API_SERVER}, disguised, everything) == {
        "gateway": True,
        "api": True,
        "redis": False,
        "apiServer": False,
        "metadata": False,
        "directly": False,
        "hasProxy": True,
        "named": "200 200",
        "otherPort": "000 403",
        "unnamed": "000 403",
        "private": "000 403",
        "disguised": "000 403",
        "byAddress": "000 403",
        "foreignKey": "000 407",
    }
    # Without our labels the network lets it through: what was refused above was there.
    free = ground.look_outside()
    assert (free["apiServer"], free["directly"]) == (True, True)
    lines = ground.chart.cluster.kubectl("-n", SYSTEM, "logs", "deployment/heliostat-egress")
    verdicts = {json.loads(each)["verdict"] for each in lines.splitlines() if "verdict" in each}
    assert verdicts == {"Allowed", "NotNamed", "AddressRefused", "KeyRefused"}


def test_a_second_namespace_is_closed_before_its_first_pod_and_stays_so(ground: Ground) -> None:
    reached = {name for name, value in ground.look(SECOND).items() if value}
    assert reached == {"gateway", "api"}
    kubectl, platform = ground.chart.cluster.kubectl, Platform(ground.chart.cluster, SECOND)
    policy = ("-n", SECOND, "networkpolicy", "heliostat-runs")
    kubectl("delete", *policy)
    platform.wait(lambda: "heliostat-runs" in ground.policies(SECOND), "it is made again", 20)
    kubectl("patch", *policy, "--type=merge", "-p", '{"spec": {"egress": [{}]}}')
    platform.wait(lambda: "8081" in ground.policies(SECOND), "it is as it was", 20)
    kubectl("-n", SECOND, "delete", "execution,agent", "--all", "--timeout=60s")
    platform.wait(lambda: ground.policies(SECOND) == "", "it went with the last run", 90)
