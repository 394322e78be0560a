"""The chart: every profile renders as its golden file says and is accepted by a real API server.

After a change: HELIOSTAT_GOLDEN=write, and look at the difference.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from heliostat_core.worlds import JsonObject, JsonValue
from support.control_plane import Address
from support.worlds import make_namespace

CHART = Path(__file__).resolve().parents[3] / "charts" / "heliostat"
GOLDEN = Path(__file__).parent / "golden"
API = "heliostat-api"
ANY_V4: JsonValue = {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}
ANY_V6: JsonValue = {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128"]}
PROFILES = ("", "kind", "gke-autopilot", "production")
SYSTEM = "heliostat-system"


def render(helm: str, profile: str, *more: str) -> subprocess.CompletedProcess[str]:
    values = ["-f", str(CHART / f"values-{profile}.yaml")] if profile else []
    command = [helm, "template", "heliostat", str(CHART), "-n", SYSTEM, *values, *more]
    # Of the version that we test with: helm alone assumes an old one.
    command += ["--kube-version", "1.34.0"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def objects_of(text: str) -> list[JsonObject]:
    loaded: list[JsonObject] = [each for each in yaml.safe_load_all(text) if each]
    return loaded


def pods_of(objects: list[JsonObject]) -> Iterator[JsonObject]:
    """Every pod's spec, whatever makes the pod."""
    for each in objects:
        if each["kind"] == "Pod":
            yield at(each, "spec")
        elif each["kind"] in ("Deployment", "StatefulSet"):
            yield at(each, "spec", "template", "spec")


def at(value: JsonValue, *path: str) -> JsonObject:
    for name in path:
        assert isinstance(value, dict)
        value = value[name]
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_renders_as_its_golden_file(helm: str, profile: str) -> None:
    done = render(helm, profile, "--set", "crds.install=false")
    assert done.returncode == 0, done.stderr
    golden = GOLDEN / f"{profile or 'default'}.yaml"
    if os.environ.get("HELIOSTAT_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(done.stdout)
    assert done.stdout == golden.read_text()


def test_an_ingress_on_google_cloud_leaves_streams_open(helm: str) -> None:
    """Workload Identity says that it is there; Google's default cuts them after 30 s."""
    rendered = {profile: objects_of(render(helm, profile).stdout) for profile in PROFILES}
    there = {
        profile: [at(config, "spec")["timeoutSec"] for config in of_kind(made, "BackendConfig")]
        for profile, made in rendered.items()
        if of_kind(made, "Ingress") and "iam.gke.io/gcp-service-account" in str(made)
    }
    assert there == {"production": [3600]}


@pytest.mark.parametrize(
    "more",
    [
        ("--api-versions", "cilium.io/v2/CiliumNetworkPolicy"),
        ("--set", "network.domains=CiliumNetworkPolicy"),
    ],
)
def test_where_cilium_is_operator_and_api_reach_the_kubernetes_api(
    helm: str, more: tuple[str, ...]
) -> None:
    """To Cilium no address of a node is in any ipBlock, 0.0.0.0/0 included."""
    [policy] = of_kind(objects_of(render(helm, "", *more).stdout), "CiliumNetworkPolicy")
    golden = GOLDEN / "cilium.yaml"
    if os.environ.get("HELIOSTAT_GOLDEN") == "write":
        golden.write_text(yaml.safe_dump(policy, sort_keys=False))
    assert policy == yaml.safe_load(golden.read_text())
    off = render(helm, "", *more, "--set", "network.enabled=false")
    for done in (off, render(helm, "")):
        assert of_kind(objects_of(done.stdout), "CiliumNetworkPolicy") == []


@pytest.mark.parametrize("profile", PROFILES)
def test_a_real_api_server_takes_a_profile(
    helm: str, profile: str, definitions_of_others: Address, tmp_path: Path
) -> None:
    rendered = [each for each in objects_of(render(helm, profile).stdout) if not is_test(each)]
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all([in_default_namespace(each) for each in rendered]))
    kubectl = definitions_of_others.kubectl
    kubectl("apply", "-f", str(file), "--dry-run=server", "--validate=strict")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_real_api_server_takes_a_release_of_the_default_namespace_with_its_hooks(
    helm: str, profile: str, definitions_of_others: Address, tmp_path: Path
) -> None:
    """As it is rendered: each object in the namespace that it names, or in the release's."""
    agents = make_namespace(definitions_of_others)
    own = f"agents.createNamespace=false,agents.namespace={agents}"
    objects = objects_of(render(helm, profile, "-n", "default", "--set", own).stdout)
    hooks = [each for each in objects if is_test(each)]
    assert {str(each["kind"]) for each in hooks} == {"ServiceAccount", "Role", "RoleBinding", "Pod"}
    elsewhere = [name for name, value in variables_of(objects).items() if SYSTEM in str(value)]
    assert elsewhere == []
    file, account = tmp_path / "rendered.yaml", tmp_path / "account.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    # A pod is taken only where its account is.
    account.write_text(yaml.safe_dump_all(of_kind(hooks, "ServiceAccount")))
    kubectl = definitions_of_others.kubectl
    kubectl("apply", "-f", str(account))
    try:
        dry = ("--dry-run=server", "--validate=strict")
        said = kubectl("apply", "-f", str(file), *dry)
        assert "pod/heliostat-test created (server dry run)" in said
    finally:
        kubectl("delete", "-f", str(account))


def in_default_namespace(each: JsonObject) -> JsonObject:
    """Its own is not there in a dry run."""
    return {**each, "metadata": {**at(each, "metadata"), "namespace": "default"}}


ROUTES = (
    "ingress.enabled=true,ingress.host=agents.example",
    "httpRoute.enabled=true,httpRoute.host=agents.example,httpRoute.parentRefs[0].name=edge",
)
IAP = "gke.iap.enabled=true,gke.iap.oauthSecret=iap,gke.iap.clientId=us"
AUDIENCE = "api.env.HELIOSTAT_API_IAP_AUDIENCE=/projects/1/global/backendServices/2"


@pytest.mark.parametrize("route", ROUTES)
def test_googles_load_balancers_leave_streams_open(
    helm: str, route: str, definitions_of_others: Address, tmp_path: Path
) -> None:
    """Fields are checked by the definitions of who reads them."""
    done = render(helm, "", "--set", f"{route},gke.enabled=true,{IAP},{AUDIENCE}")
    made = {str(each["kind"]): each for each in objects_of(done.stdout)}
    if "BackendConfig" in made:
        backend = at(made["BackendConfig"], "spec")
        assert """'{"default": "heliostat-api"}'""" in done.stdout  # the Service's annotation
    else:
        backend = at(made["GCPBackendPolicy"], "spec", "default")
        assert at(made["HealthCheckPolicy"], "spec", "default", "config")["type"] == "HTTP"
    assert backend["timeoutSec"] == 3600
    assert at(backend, "iap")["enabled"] is True
    assert "timeouts:" not in done.stdout  # Google's gateways refuse a route that has them
    file = tmp_path / "rendered.yaml"
    kinds = ("Ingress", "BackendConfig", "HTTPRoute", "GCPBackendPolicy", "HealthCheckPolicy")
    chosen = [in_default_namespace(made[each]) for each in kinds if each in made]
    file.write_text(yaml.safe_dump_all(chosen))
    kubectl = definitions_of_others.kubectl
    kubectl("apply", "-f", str(file), "--dry-run=server", "--validate=strict")


def test_a_route_leaves_streams_open(
    helm: str, definitions_of_others: Address, tmp_path: Path
) -> None:
    done = render(helm, "", "--set", ROUTES[1])
    [route] = [each for each in objects_of(done.stdout) if each["kind"] == "HTTPRoute"]
    assert "timeouts: {request: 3600s, backendRequest: 3600s}" in done.stdout
    file = tmp_path / "route.yaml"
    file.write_text(yaml.safe_dump(in_default_namespace(route)))
    kubectl = definitions_of_others.kubectl
    kubectl("apply", "-f", str(file), "--dry-run=server", "--validate=strict")


def is_test(each: JsonObject) -> bool:
    return "helm.sh/hook" in str(at(each, "metadata").get("annotations", ""))


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_privileged_or_unbounded(helm: str, profile: str) -> None:
    pods = list(pods_of(objects_of(render(helm, profile).stdout)))
    assert pods
    for pod in pods:
        assert at(pod, "securityContext")["runAsNonRoot"] is True
        assert pod.get("hostNetwork") is None
        containers = pod["containers"]
        assert isinstance(containers, list)
        for container in containers:
            own = at(container, "securityContext")
            assert own["readOnlyRootFilesystem"] is True
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert at(container, "resources", "requests").keys() >= {"cpu", "memory"}
            assert "memory" in at(container, "resources", "limits")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_service_is_probed_comes_first_and_leaves_a_drain_one_at_a_time(
    helm: str, profile: str
) -> None:
    objects = objects_of(render(helm, profile).stdout)
    budgets = {name_of(each): at(each, "spec") for each in of_kind(objects, "PodDisruptionBudget")}
    workloads = [*of_kind(objects, "Deployment"), *of_kind(objects, "StatefulSet")]
    scaled = {
        str(at(each, "spec", "scaleTargetRef")["name"])
        for each in of_kind(objects, "HorizontalPodAutoscaler")
    }
    for each in workloads:
        pod = at(each, "spec", "template", "spec")
        assert pod["priorityClassName"] == "heliostat-system"
        for container in json_list(pod["containers"]):
            assert container.keys() >= {"livenessProbe", "readinessProbe"}, name_of(each)
        if name_of(each) in scaled or at(each, "spec").get("replicas") != 1:
            assert budgets[name_of(each)]["maxUnavailable"] == 1
            assert budgets[name_of(each)]["selector"] == at(each, "spec")["selector"]
            assert pod["topologySpreadConstraints"]
    assert not any("minAvailable" in each for each in budgets.values())  # it can stop a drain


def of_kind(objects: list[JsonObject], kind: str) -> list[JsonObject]:
    return [each for each in objects if each["kind"] == kind]


def name_of(each: JsonObject) -> str:
    return str(at(each, "metadata")["name"])


def test_our_own_pods_look_up_names_where_runs_do(helm: str) -> None:
    done = render(helm, "", "--set-json", 'network.dns=["dns:5353", "10.0.0.10/32:53"]')
    objects = objects_of(done.stdout)
    [names] = [each for each in objects if at(each, "metadata")["name"] == "heliostat-names"]
    assert at(names, "spec")["egress"] == [
        {"to": [{"namespaceSelector": NAMED_DNS}], "ports": both(5353)},
        {"to": [{"ipBlock": {"cidr": "10.0.0.10/32"}}], "ports": both(53)},
    ]
    assert variables_of(objects)["HELIOSTAT_OPERATOR_NETWORK_DNS"] == "dns:5353,10.0.0.10/32:53"


NAMED_DNS: JsonValue = {"matchLabels": {"kubernetes.io/metadata.name": "dns"}}


def both(port: int) -> list[JsonValue]:
    return [{"port": port, "protocol": "UDP"}, {"port": port, "protocol": "TCP"}]


def test_whole_numbers_of_a_values_file_reach_a_component_as_they_were_written(
    helm: str, tmp_path: Path
) -> None:
    values = tmp_path / "values.yaml"
    given = {"A": 5_000_000, "B": 9_007_199_254_740_991, "C": 7, "D": True, "E": "a b"}
    parts = ("operator", "gateway", "egress", "api")
    values.write_text(yaml.safe_dump({part: {"env": given} for part in parts}))
    objects = objects_of(render(helm, "", "-f", str(values)).stdout)
    shown = {"A": "5000000", "B": "9007199254740991", "C": "7", "D": "true", "E": "a b"}
    found = [own for own in map(env_of, containers_of(objects)) if "A" in own]
    assert len(found) >= len(parts)
    assert [{name: own[name] for name in given} for own in found] == [shown] * len(found)


@pytest.mark.parametrize(
    ("given", "blocks"),
    [
        ("fd00::/8", [{"cidr": "fd00::/8"}]),
        ("::/0", [ANY_V6]),
        ("{0.0.0.0/0,::/0}", [ANY_V4, ANY_V6]),
        ("{10.0.0.0/8,2001:db8::/32}", [{"cidr": "10.0.0.0/8"}, {"cidr": "2001:db8::/32"}]),
    ],
)
def test_networks_of_both_families_are_opened_without_what_is_link_local(
    helm: str, api_server: Address, tmp_path: Path, given: str, blocks: list[JsonValue]
) -> None:
    networks = f"network.apiServer.cidr={given},network.providers.cidr={given}"
    objects = objects_of(render(helm, "", "--set", networks).stdout)
    [policy] = [each for each in of_kind(objects, "NetworkPolicy") if name_of(each) == API]
    opened = [each["to"] for each in json_list(at(policy, "spec")["egress"])]
    assert opened.count([{"ipBlock": each} for each in blocks]) == 2, opened
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(in_default_namespace(policy)))
    api_server.kubectl("apply", "-f", str(file), "--dry-run=server", "--validate=strict")


def test_what_no_run_reaches_is_told_to_the_operator_and_to_the_proxy(helm: str) -> None:
    never = "network.never={198.51.100.0/24,2001:db8::/32},egress.refusedNetworks={34.0.0.0/8}"
    given = variables_of(objects_of(render(helm, "", "--set", never).stdout))
    assert given["HELIOSTAT_OPERATOR_NETWORK_NEVER"] == "198.51.100.0/24,2001:db8::/32"
    refused = "34.0.0.0/8,198.51.100.0/24,2001:db8::/32"
    assert given["HELIOSTAT_EGRESS_REFUSED_NETWORKS"] == refused


def test_a_redis_of_ones_own_is_reached_on_its_port(helm: str) -> None:
    more = "redis.enabled=false,redis.externalUrlSecret=mine,redis.externalPort=6380"
    objects = objects_of(render(helm, "", "--set", more).stdout)
    policies = {
        str(at(each, "metadata")["name"]): json.dumps(each)
        for each in objects
        if each["kind"] == "NetworkPolicy"
    }
    assert '[{"port": 6380}]' in policies["heliostat-gateway"]
    assert '[{"port": 6380}]' in policies["heliostat-gateway-writer"]
    assert "6379" not in "".join(policies.values())


@pytest.mark.parametrize(("grace", "drain"), [(15, "5"), (600, "590"), (5, "1")])
def test_the_api_drains_within_its_grace(helm: str, grace: int, drain: str) -> None:
    objects = objects_of(render(helm, "production", "--set", f"api.graceSeconds={grace}").stdout)
    assert variables_of(objects)["HELIOSTAT_API_DRAIN_SECONDS"] == drain


def test_no_template_makes_a_secret(helm: str) -> None:
    kinds = {each["kind"] for each in objects_of(render(helm, "").stdout)}
    assert "Secret" not in kinds
    assert render(helm, "").stdout == render(helm, "").stdout


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("gateway.graceSecond=3", "graceSecond"),
        ("gateway.graceSeconds=601", "/gateway/graceSeconds"),
        ("egress.drainSeconds=586", "/egress/drainSeconds"),
        ("api.graceSeconds=16", "api.graceSeconds above 15"),
        ("network.apiServer.cidr=10.0.0.1", "/network/apiServer/cidr"),
        ("network.apiServer.cidr=10.0.0.0/33", "/network/apiServer/cidr"),
        ("network.providers.cidr=everywhere", "/network/providers/cidr"),
        ("network.providers.cidr={0.0.0.0/0,fd00::/129}", "/network/providers/cidr/1"),
        ("network.providers.cidr={}", "/network/providers/cidr"),
        ("egress.allowedNetworks={10.0.0.7}", "/egress/allowedNetworks/0"),
        ("api.replicas=2", "/api/replicas"),
        ("api.store=mongodb", "/api/store"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("api.store=firestore", "api.googleCloudProject"),
        ("redis.externalUrlSecret=x", "redis.externalUrlSecret"),
        ("ingress.enabled=true", "ingress.host"),
        ("gke.iap.enabled=true", "gke.enabled"),
        ("gke.enabled=true,gke.iap.enabled=true", "gke.iap.oauthSecret"),
        (
            "gke.enabled=true,gke.iap.enabled=true,gke.iap.oauthSecret=a",
            "HELIOSTAT_API_IAP_AUDIENCE",
        ),
        (
            "gke.enabled=true,gke.iap.enabled=true,gke.iap.oauthSecret=a,httpRoute.enabled=true,"
            "httpRoute.host=a.example,httpRoute.parentRefs[0].name=edge",
            "gke.iap.clientId",
        ),
        ("api.guests=false", "api.guests"),
        ("secretManager.providerKeys.KEY=projects/p/secrets/s", "invalid propertyName 'KEY'"),
        ("secretManager.providerKeys.A_API_KEY=sk-1", "/secretManager/providerKeys"),
        ("cloudScheduler.location=projects/p/locations/l", "cloudScheduler.target"),
        (
            f"{IAP},{AUDIENCE},gke.enabled=true,cloudScheduler.location=projects/p/locations/l,"
            "cloudScheduler.target=https://a.example,cloudScheduler.account=a@b",
            "cloudScheduler.audience",
        ),
        ("api.enabled=false,ingress.enabled=true,ingress.host=a.example", "api.enabled"),
    ],
)
def test_a_wrong_value_is_refused_by_name(helm: str, setting: str, said: str) -> None:
    done = render(helm, "", "--set", setting)
    assert done.returncode != 0
    assert said in done.stderr


def test_what_terraform_hands_over_binds_accounts_and_keeps_the_gateways_secrets(
    helm: str, tmp_path: Path
) -> None:
    """The values of docs/gke.md, after the profile."""
    page = (CHART.parents[1] / "docs" / "gke.md").read_text()
    values = tmp_path / "values.yaml"
    values.write_text(page.split("```yaml values\n")[1].split("```")[0])
    done = render(helm, "gke-autopilot", "-f", str(values))
    assert done.returncode == 0, done.stderr
    objects = objects_of(done.stdout)
    bound = {
        str(at(each, "metadata")["name"]): at(each, "metadata").get("annotations")
        for each in objects
        if each["kind"] == "ServiceAccount"
    }
    for name in ("heliostat-api", "heliostat-gateway", "heliostat-operator"):
        account = f"{name}@my-project.iam.gserviceaccount.com"
        assert bound.pop(name) == {"iam.gke.io/gcp-service-account": account}
    secret = "projects/my-project/secrets/heliostat-anthropic-key"
    given = variables_of(objects)
    assert given["HELIOSTAT_GATEWAY_SECRET_MANAGER"] == f"ANTHROPIC_API_KEY={secret}"
    assert given["HELIOSTAT_OPERATOR_GATEWAY_SECRETS"] == secret
    assert given["HELIOSTAT_OPERATOR_SECRET_MANAGER_ENDPOINT"] == "secretmanager.googleapis.com"


@pytest.mark.parametrize(("audience", "used"), [("", "https://a.example"), ("us", "us")])
def test_operator_and_api_agree_on_the_audience_of_cloud_scheduler(
    helm: str, audience: str, used: str
) -> None:
    given = (
        "cloudScheduler.location=projects/p/locations/l,cloudScheduler.target=https://a.example,"
        f"cloudScheduler.account=a@b,cloudScheduler.audience={audience}"
    )
    found = variables_of(objects_of(render(helm, "", "--set", given).stdout))
    for part in ("OPERATOR", "API"):
        assert found[f"HELIOSTAT_{part}_CLOUD_SCHEDULER_AUDIENCE"] == used


def variables_of(objects: list[JsonObject]) -> dict[str, JsonValue]:
    """Plain ones of all pods."""
    return {name: value for each in containers_of(objects) for name, value in env_of(each).items()}


def env_of(container: JsonObject) -> dict[str, JsonValue]:
    """Its plain variables."""
    entries = json_list(container.get("env", []))
    return {str(each["name"]): each["value"] for each in entries if "value" in each}


def containers_of(objects: list[JsonObject]) -> list[JsonObject]:
    """Of all pods."""
    return [each for pod in pods_of(objects) for each in json_list(pod["containers"])]


def json_list(value: JsonValue) -> list[JsonObject]:
    assert isinstance(value, list)
    return value


def test_every_value_is_described_and_every_description_is_of_a_value() -> None:
    schema: JsonObject = json.loads((CHART / "values.schema.json").read_text())
    values: JsonObject = yaml.safe_load((CHART / "values.yaml").read_text())
    assert_described(schema, values, "")


def assert_described(schema: JsonObject, values: JsonValue, path: str) -> None:
    if path:
        assert schema.get("description"), f"{path} has no description"
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    assert isinstance(values, dict), path
    assert properties.keys() - {"global"} == values.keys(), path
    for name, value in values.items():
        assert_described(at(properties, name), value, f"{path}.{name}")


def test_the_chart_passes_helms_own_lint(helm: str) -> None:
    command = [helm, "lint", "--strict", str(CHART), "--kube-version", "1.34.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
