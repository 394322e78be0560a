"""What the chart gives Prometheus, Grafana and a collector, when it is asked to."""

import subprocess
from pathlib import Path

import pytest
import yaml

from heliostat_core.worlds import JsonObject
from support.control_plane import Address
from support.promql import MONITORING, read_alerts

from .test_chart import CHART, SYSTEM, at, in_default_namespace, objects_of

FOLDER = Path(__file__).parent
THEIRS = ("PodMonitor", "PrometheusRule")


@pytest.fixture
def rendered(helm: str) -> list[JsonObject]:
    command = [helm, "template", "heliostat", str(CHART), "-n", SYSTEM]
    command += ["-f", str(FOLDER / "monitoring-values.yaml"), "--kube-version", "1.34.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return objects_of(done.stdout)


def named(objects: list[JsonObject], kind: str, name: str) -> JsonObject:
    (found,) = [
        each for each in objects if each["kind"] == kind and at(each, "metadata")["name"] == name
    ]
    return found


def items(value: JsonObject, *path: str) -> list[JsonObject]:
    """The mappings of a list."""
    found = at(value, *path[:-1])[path[-1]]
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, dict)]


def words(value: JsonObject, *path: str) -> list[str]:
    """The texts of a list."""
    found = at(value, *path[:-1])[path[-1]]
    assert isinstance(found, list)
    return [str(each) for each in found]


def containers(objects: list[JsonObject], name: str) -> list[JsonObject]:
    deployment = named(objects, "Deployment", name)
    return items(deployment, "spec", "template", "spec", "containers")


def test_a_real_api_server_takes_monitor_and_rules(
    rendered: list[JsonObject], definitions_of_others: Address, tmp_path: Path
) -> None:
    ours = [in_default_namespace(each) for each in rendered if each["kind"] in THEIRS]
    assert len(ours) == 2
    file = tmp_path / "theirs.yaml"
    file.write_text(yaml.safe_dump_all(ours))
    kubectl = definitions_of_others.kubectl
    kubectl("apply", "-f", str(file), "--dry-run=server", "--validate=strict")


def test_every_pod_that_counts_is_scraped_at_a_port_it_has(rendered: list[JsonObject]) -> None:
    monitor = named(rendered, "PodMonitor", "heliostat")
    (expression,) = items(monitor, "spec", "selector", "matchExpressions")
    (endpoint,) = items(monitor, "spec", "podMetricsEndpoints")
    for name in words(expression, "values"):
        (container,) = containers(rendered, name)
        assert endpoint["port"] in [port["name"] for port in items(container, "ports")], name


def test_the_rules_are_those_of_the_file(rendered: list[JsonObject]) -> None:
    rule = named(rendered, "PrometheusRule", "heliostat")
    rules = [each for group in items(rule, "spec", "groups") for each in items(group, "rules")]
    assert [each["alert"] for each in rules] == [each.name for each in read_alerts()]
    for each, alert in zip(rules, read_alerts(), strict=True):
        assert each["expr"] == alert.expression
        book = f"https://docs.example/runbooks#{alert.name.lower()}"
        assert at(each, "annotations")["runbook_url"] == book


def test_the_dashboards_are_those_of_the_files(rendered: list[JsonObject]) -> None:
    files = sorted((MONITORING / "dashboards").glob("*.json"))
    assert len(files) == 4
    for file in files:
        kept = named(rendered, "ConfigMap", f"{file.stem}-dashboard")
        assert at(kept, "data")[file.name] == file.read_text()
        assert at(kept, "metadata", "labels")["grafana_dashboard"] == "1"
        assert at(kept, "metadata", "annotations") == {"folder": "Heliostat"}


@pytest.mark.parametrize("service", ["operator", "api", "gateway"])
def test_spans_are_sent_and_let_through(rendered: list[JsonObject], service: str) -> None:
    name = f"heliostat-{service}"
    (container,) = containers(rendered, name)
    sent = {each["name"]: each.get("value") for each in items(container, "env")}
    assert sent["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.telemetry:4318"
    rules = items(named(rendered, "NetworkPolicy", name), "spec", "egress")
    assert {"port": 4318} in [port for rule in rules for port in items(rule, "ports")]


@pytest.mark.parametrize(
    ("address", "port"),
    [("http://collector:4318", 4318), ("https://otlp.example", 443), ("http://otlp.example/v", 80)],
)
def test_the_port_that_is_opened_is_that_of_the_address(helm: str, address: str, port: int) -> None:
    command = [helm, "template", "heliostat", str(CHART), "--kube-version", "1.34.0"]
    command += ["--set", f"telemetry.otlpEndpoint={address}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    policy = named(objects_of(done.stdout), "NetworkPolicy", "heliostat-operator")
    last = items(policy, "spec", "egress")[-1]
    assert items(last, "ports") == [{"port": port}]


def test_prometheus_is_let_in(rendered: list[JsonObject]) -> None:
    for service in ("operator", "gateway", "gateway-writer"):
        policy = at(named(rendered, "NetworkPolicy", f"heliostat-{service}"), "spec")
        assert "kubernetes.io/metadata.name: monitoring" in yaml.safe_dump(policy["ingress"])


def test_a_cluster_without_their_resources_is_asked_for_none(helm: str) -> None:
    command = [helm, "template", "heliostat", str(CHART), "--kube-version", "1.34.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "monitoring.coreos.com" not in done.stdout


def test_metrics_that_name_agents_are_closed_to_runs(rendered: list[JsonObject]) -> None:
    for service in ("operator", "gateway-writer"):
        policy = at(named(rendered, "NetworkPolicy", f"heliostat-{service}"), "spec")
        for rule in items(policy, "ingress"):
            for peer in items(rule, "from"):
                chosen = yaml.safe_dump(peer)
                assert "heliostat.dev/execution" not in chosen
                assert "heliostat" in chosen or "kubernetes.io/metadata.name: monitoring" in chosen
