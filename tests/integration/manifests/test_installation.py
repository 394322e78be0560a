"""What `kubectl apply -k manifests/` sends is accepted by a real API server, and by its rules."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from heliostat_api.gateway.client import Identity
from heliostat_api.gateway.publishing import Publishing
from heliostat_core.keys import new_private_key
from heliostat_core.worlds import ForbiddenError
from heliostat_kubernetes.cluster import KubernetesWorld
from support.control_plane import Address
from support.manifests import INSTALLATION, SAMPLES

OPERATOR = "system:serviceaccount:heliostat-system:heliostat-operator"


@pytest.fixture(scope="module")
def installed(own_api_server: Address) -> Address:
    """An API server with everything of manifests/ applied; nothing runs, for want of a node."""
    server = own_api_server
    # The namespace first: a dry run of what lives in it would not find it.
    server.kubectl("apply", "-k", INSTALLATION)
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return server


def may(server: Address, verb: str, resource: str, *more: str) -> bool:
    """Whether the operator's service account may do that."""
    answer = server.kubectl.run("auth", "can-i", verb, resource, f"--as={OPERATOR}", *more)
    return answer.stdout.strip() == "yes"


def test_applying_again_changes_nothing(installed: Address) -> None:
    lines = installed.kubectl("apply", "-k", INSTALLATION).splitlines()
    assert [line for line in lines if not line.endswith("unchanged")] == []


def test_the_trial_overlay_differs_in_the_provider_alone(installed: Address) -> None:
    trial = INSTALLATION / "overlays" / "trial"
    lines = installed.kubectl("apply", "-k", trial, "--dry-run=server").splitlines()
    changed = [line for line in lines if "unchanged" not in line]
    assert changed == ["deployment.apps/heliostat-gateway configured (server dry run)"]


def test_the_shared_overlay_adds_redis_and_a_writer_to_two_gateways(installed: Address) -> None:
    shared = INSTALLATION / "overlays" / "shared"
    lines = installed.kubectl("apply", "-k", shared, "--dry-run=server").splitlines()
    changed = [line.removesuffix(" (server dry run)") for line in lines if "unchanged" not in line]
    assert [re.sub(r"redis-\w+ ", "redis ", line) for line in changed] == [
        "configmap/heliostat-redis created",
        "service/heliostat-gateway-writer created",
        "service/heliostat-redis created",
        "persistentvolumeclaim/heliostat-redis created",
        "deployment.apps/heliostat-gateway configured",
        "deployment.apps/heliostat-gateway-writer created",
        "statefulset.apps/heliostat-redis created",
        "poddisruptionbudget.policy/heliostat-gateway created",
        "networkpolicy.networking.k8s.io/heliostat-redis created",
    ]


def test_the_dashboard_overlay_adds_the_api_whose_key_the_gateway_may_mount(
    installed: Address,
) -> None:
    overlay = INSTALLATION / "overlays" / "dashboard"
    made = list(yaml.safe_load_all(installed.kubectl("kustomize", overlay)))
    [gateway] = [
        each["spec"]["template"]["spec"]
        for each in made
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "heliostat-gateway"
    ]
    [volume] = [each for each in gateway["volumes"] if each["name"] == "api-keys"]
    assert volume["configMap"] == {"name": "heliostat-api-key", "optional": True}
    plain = yaml.safe_load_all(installed.kubectl("kustomize", INSTALLATION))
    assert "heliostat-api" not in {each["metadata"]["name"] for each in plain}


async def test_the_api_publishes_its_key_and_no_other_config_map(
    installed: Address, tmp_path: Path
) -> None:
    installed.kubectl("apply", "-k", INSTALLATION / "overlays" / "dashboard")
    system = "heliostat-system"
    token = installed.kubectl("create", "token", "heliostat-api", "-n", system).strip()
    config = json.loads(installed.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = token
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    identity = Identity(new_private_key(), lambda: datetime.now(UTC))
    async with await KubernetesWorld.connect(kubeconfig=tmp_path / "kubeconfig") as world:
        for _ in range(2):
            await Publishing(world, f"{system}/heliostat-api-key", identity).publish()
        with pytest.raises(ForbiddenError):
            await Publishing(world, f"{system}/heliostat-redis", identity).publish()
    name, text = identity.published()
    found = installed.kubectl("-n", system, "get", "configmap", "heliostat-api-key", "-o", "json")
    assert json.loads(found)["data"] == {name: text}
    installed.kubectl("delete", "-k", INSTALLATION / "api", "--wait=false")
    installed.kubectl("-n", system, "delete", "configmap", "heliostat-api-key")


def test_only_the_gateway_and_its_writer_reach_redis(installed: Address) -> None:
    """And the policy is about Redis alone: kustomize adds labels where there are none."""
    shared = list(yaml.safe_load_all(shared_overlay(installed)))
    [policy] = [each["spec"] for each in shared if each["kind"] == "NetworkPolicy"]
    assert policy["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "heliostat-redis"}}
    [rule] = policy["ingress"]
    client = {"key": "heliostat.dev/redis-client", "operator": "Exists"}
    assert rule["from"] == [{"podSelector": {"matchExpressions": [client]}}]
    assert [
        each["metadata"]["name"]
        for each in shared
        if each["kind"] in ("Deployment", "StatefulSet")
        and client["key"] in each["spec"]["template"]["metadata"]["labels"]
    ] == ["heliostat-gateway", "heliostat-gateway-writer"]


def test_the_pods_keep_the_restricted_profile(installed: Address) -> None:
    # The namespace enforces it on pods; a dry-run pod of each template is the pod that would come.
    shared = yaml.safe_load_all(shared_overlay(installed))
    workloads = [each for each in shared if each["kind"] in ("Deployment", "StatefulSet")]
    assert len(workloads) == 4
    for deployment in workloads:
        name = deployment["metadata"]["name"]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "heliostat-system"},
            "spec": deployment["spec"]["template"]["spec"],
        }
        answer = installed.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
        assert answer == f"pod/{name} created (server dry run)\n"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_a_sample_is_accepted(installed: Address, path: Path) -> None:
    installed.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", path)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "agents.heliostat.dev"),
        ("patch", "executions.heliostat.dev/status"),
        ("create", "jobs.batch"),
        ("delete", "pods"),
        ("create", "secrets"),
    ],
)
def test_the_operator_may_do_its_work(installed: Address, verb: str, resource: str) -> None:
    assert may(installed, verb, resource)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("create", "agents.heliostat.dev"),
        ("delete", "agents.heliostat.dev"),
        ("list", "secrets"),
        ("create", "pods"),
        ("create", "pods/exec"),
        ("get", "nodes"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
    ],
)
def test_the_operator_may_do_nothing_else(installed: Address, verb: str, resource: str) -> None:
    assert not may(installed, verb, resource)


def test_the_gateway_may_do_nothing_in_the_cluster(installed: Address) -> None:
    gateway = "--as=system:serviceaccount:heliostat-system:heliostat-gateway"
    answer = installed.kubectl.run("auth", "can-i", "get", "secrets", gateway)
    assert answer.stdout.strip() == "no"


def test_uninstalling_leaves_nothing_cluster_wide(installed: Address) -> None:
    installed.kubectl("delete", "-k", INSTALLATION, "--wait=false")
    deadline = time.monotonic() + 30
    kinds = "crd,clusterroles,clusterrolebindings"
    while left := find_ours(installed.kubectl("get", kinds, "-o", "name")):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def shared_overlay(server: Address) -> str:
    """Its objects, as kustomize makes them."""
    return server.kubectl("kustomize", INSTALLATION / "overlays" / "shared")


def find_ours(listing: str) -> list[str]:
    return [line for line in listing.splitlines() if "heliostat" in line]
