"""What the release shows of itself while agents run: /metrics, as for Prometheus, and log lines."""

import base64
import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias
from urllib.parse import urlencode

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from heliostat_core.worlds import JsonObject
from support.chart import AGENTS, CHART, SYSTEM, Chart
from support.collector import Collector
from support.log_lines import read_lines
from support.platform import Platform
from support.site import Site

MONITORING, CURIOUS = "heliostat-monitoring", "heliostat-curious"
SECONDS = 150
"""Two minutes of the clock, of which the second finds the run of the first; a busy machine."""

Sample: TypeAlias = tuple[str, frozenset[tuple[str, str]]]

READ = """
import concurrent.futures, json, sys, urllib.request

def read(target):
    try:
        return urllib.request.urlopen(f"http://{target}/metrics", timeout=5).read().decode()
    except OSError:
        return ""

with concurrent.futures.ThreadPoolExecutor() as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(read, sys.argv[1:])))))
"""
"""Prometheus' part, as far as a test needs it."""

FOLLOW = """
import http.client, sys

page = http.client.HTTPConnection("heliostat-api.heliostat-system", 8080, timeout=10)
page.request("GET", "/", headers={"Accept": "text/html"})
cookie = page.getresponse().getheader("Set-Cookie").partition(";")[0]
stream = http.client.HTTPConnection("heliostat-api.heliostat-system", 8080, timeout=60)
stream.request("GET", "/agent/reports/stream", headers={"Cookie": cookie})
answer = stream.getresponse()
while b"event: snapshot" not in answer.readline():
    pass
print("following", flush=True)
sys.stdin.read()
"""
"""A page that a person has open, until its input ends."""

SLEEP = ["python3", "-c", "import time; time.sleep(600)"]
COLLECT = """
import base64, http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        print(base64.b64encode(body).decode(), flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 4318), Handler).serve_forever()
"""
"""A collector of traces, which hands on what it gets as lines of its log."""

BROKEN = """
import json, os, subprocess, sys, urllib.request

body = {"model": "scripted/hello", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
key = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "content-type": "application/json"}
where = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
urllib.request.urlopen(urllib.request.Request(where, json.dumps(body).encode(), key)).read()
subprocess.run(["curl", "-s", "-m", "8", "https://not-named.example/"], check=False)
sys.exit(3)
"""
"""A run that asks for a host that its Agent does not name, and then fails."""


@dataclass(frozen=True)
class Figures:
    """The samples of all pods together, at one moment."""

    samples: Mapping[Sample, float]

    def since(self, before: "Figures") -> "Figures":
        """What was added."""
        return Figures(
            {key: self.samples[key] - before.samples.get(key, 0.0) for key in self.samples}
        )

    def of(self, metric: str, **labels: str) -> float:
        """The sum over what has these labels; 0 where nothing was counted."""
        wanted = set(labels.items())
        return sum(
            value
            for (name, found), value in self.samples.items()
            if name == metric and wanted <= found
        )


@dataclass(frozen=True)
class Watch:
    """The release, and a pod in the namespace of those who watch it."""

    chart: Chart

    def targets(self) -> list[str]:
        """What Prometheus is told to read by the PodMonitor: address and port of each pod."""
        key, values, name = choose_targets(self.chart)
        found = self.chart.cluster.read(
            f"/api/v1/namespaces/{SYSTEM}/pods?"
            + urlencode({"labelSelector": f"{key} in ({','.join(values)})"})
        )
        assert found is not None
        targets = [
            f"{pod['status']['podIP']}:{port['containerPort']}"
            for pod in json.loads(found)["items"]
            if "deletionTimestamp" not in pod["metadata"]  # of before the last upgrade
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
            if port["name"] == name
        ]
        assert len(targets) >= len(values), targets
        return targets

    def texts(self, namespace: str = MONITORING) -> dict[str, str]:
        """What each pod answers to one in that namespace; nothing where it can't be reached."""
        command = ("python3", "-c", READ, *self.targets())
        found: dict[str, str] = json.loads(
            self.chart.cluster.kubectl(*exec_in(namespace), *command)
        )
        return found

    def read(self) -> Figures:
        """The samples of all of them."""
        samples: dict[Sample, float] = {}
        for text in self.texts().values():
            for family in text_string_to_metric_families(text):
                for each in family.samples:
                    key = (each.name, frozenset(each.labels.items()))
                    samples[key] = samples.get(key, 0.0) + each.value
        return Figures(samples)

    @contextlib.contextmanager
    def person(self) -> Iterator[None]:
        """Has a page open within the block."""
        command = self.chart.cluster.kubectl.command(*exec_in(MONITORING), "python3", "-c", FOLLOW)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as page:
            assert page.stdin
            assert page.stdout
            assert page.stdout.readline() == b"following\n"
            try:
                yield
            finally:
                page.stdin.close()

    def collected(self) -> Collector:
        """The spans that were told so far."""
        collector = Collector()
        for line in self.chart.cluster.kubectl("-n", MONITORING, "logs", "watcher").splitlines():
            collector.take(base64.b64decode(line))
        return collector


@cache
def choose_targets(chart: Chart) -> tuple[str, tuple[str, ...], str]:
    """The label, the values of it and the name of the port that the PodMonitor chooses by."""
    rendered = chart.helm(
        *("template", "heliostat", str(CHART), "--set", "monitoring.scrape.enabled=true"),
        "--kube-version=1.34.0",
    )
    (monitor,) = (
        each for each in yaml.safe_load_all(rendered) if each and each["kind"] == "PodMonitor"
    )
    (choice,) = monitor["spec"]["selector"]["matchExpressions"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    return choice["key"], tuple(choice["values"]), endpoint["port"]


def exec_in(namespace: str) -> tuple[str, ...]:
    return ("-n", namespace, "exec", "-i", "watcher", "--")


def pod_of(namespace: str) -> JsonObject:
    """Collects traces, and lets commands be run in it."""
    container: JsonObject = {
        "name": "watcher",
        "image": "heliostat-workspace:dev",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", COLLECT],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "watcher", "namespace": namespace},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


@pytest.fixture(scope="module")
def watch(site: Site) -> Iterator[Watch]:
    kubectl = site.cluster.kubectl
    chart = Chart(site.cluster).held_by(site)
    for name in (MONITORING, CURIOUS):
        here: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        Platform(site.cluster, name).apply(here, pod_of(name))
    for name in (MONITORING, CURIOUS):
        kubectl("-n", name, "wait", "--for=condition=Ready", "pod/watcher", "--timeout=60s")
    address = ("-n", MONITORING, "get", "pod", "watcher", "-o", "jsonpath={.status.podIP}")
    chart.upgrade(
        "--set",
        f"network.scrapers={{{MONITORING}}},telemetry.otlpEndpoint=http://{kubectl(*address)}:4318",
    )
    yield Watch(chart)
    kubectl("delete", "namespace", MONITORING, CURIOUS, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def platform(watch: Watch) -> Platform:
    return Platform(watch.chart.cluster, AGENTS)


def test_metrics_are_for_the_namespaces_that_a_value_names(
    watch: Watch, platform: Platform
) -> None:
    platform.wait(lambda: all(watch.texts().values()), "an answer of every pod")
    # The port of the api's metrics is that of its pages: there no proxy hands them on.
    readable = {text.split()[2] for text in watch.texts(CURIOUS).values() if text}
    assert {name.split("_")[1] for name in readable} == {"api"}


def test_what_happens_is_counted_where_it_happens(watch: Watch, platform: Platform) -> None:
    before = watch.read()
    every_minute = {"cron": "* * * * *", "trigger": "Builtin", "overlap": "Skip"}
    platform.agent("busy", runtime={"command": SLEEP}, schedule=every_minute)
    platform.agent("regular", runtime={"command": ["true"]}, schedule=every_minute)
    platform.run("busy-1", "busy")
    platform.wait_until_running("busy-1")
    platform.agent("good", verify={"files": ["hello.txt"]})
    platform.run("good-1", "good")
    platform.agent(
        "broken",
        runtime={"command": ["python3", "-c", BROKEN]},
        workspace={"egress": [{"host": "named.example"}]},
    )
    platform.run("broken-1", "broken")
    with watch.person():
        meanwhile = watch.read()
    ended = [platform.wait_until_settled(f"{name}-1") for name in ("good", "broken")]
    requests = sum(each.status.usage.requests for each in ended if each.status.usage)
    wait_for(watch, platform, before, requests, "heliostat_gateway_writer_written")
    for end in ("ran", "skipped"):
        wait_for(watch, platform, before, 1, "heliostat_schedule_ticks_total", end=end)
    platform.cluster.kubectl("-n", AGENTS, "delete", "agent", "busy", "regular", "--wait=false")
    after = watch.read()
    grown = after.since(before)

    assert meanwhile.of("heliostat_executions", phase="Running") >= 1
    assert meanwhile.of("heliostat_agent_executions", agent="busy") == 1
    assert meanwhile.of("heliostat_api_stream_clients") == 1
    assert after.of("heliostat_api_stream_clients") == 0
    finished = "heliostat_executions_finished_total"
    assert grown.of(finished, phase="Succeeded", reason="Verified") == 1
    assert grown.of(finished, phase="Failed", reason="CommandFailed") == 1
    assert grown.of("heliostat_attempts_total", cause="agent") == 1
    assert grown.of("heliostat_execution_queue_seconds_count") >= 3
    assert grown.of("heliostat_execution_start_seconds_count") >= 3
    assert grown.of("heliostat_schedule_lateness_seconds_count") >= 1
    spent = sum(each.status.cost_micros for each in ended)
    assert spent > 0
    assert grown.of("heliostat_agent_cost_microdollars_total") == spent
    assert grown.of("heliostat_gateway_calls_total", provider="scripted") == requests
    assert grown.of("heliostat_gateway_request_seconds_count") == requests
    nanos = grown.of("heliostat_gateway_cost_nanodollars_total")
    assert abs(nanos - spent * 1000) < 1000 * len(ended)
    assert grown.of("heliostat_gateway_tokens_total", kind="output") > 0
    assert grown.of("heliostat_gateway_writer_written") == requests
    assert grown.of("heliostat_egress_decisions_total", verdict="NotNamed") == 1
    assert grown.of("heliostat_api_store_seconds_count") > 0
    stream = {"method": "GET", "route": "/agent/reports/stream", "status": "2xx"}
    assert grown.of("heliostat_api_requests_total", **stream) == 1
    for kind in ("agent", "execution", "schedule", "network"):
        assert grown.of("heliostat_operator_reconcile_seconds_count", kind=kind) > 0, kind
    assert after.of("heliostat_operator_is_leader") == 1
    assert after.of("heliostat_operator_watch_silence_seconds") < 60
    assert after.of("heliostat_api_recorder_lag_seconds") == 0
    assert after.of("heliostat_executions_stuck") == 0
    assert after.of("heliostat_gateway_ledger_local") == 0


def wait_for(
    watch: Watch, platform: Platform, before: Figures, count: float, metric: str, **labels: str
) -> None:
    """Until that metric has grown so much."""
    platform.wait(
        lambda: watch.read().since(before).of(metric, **labels) >= count,
        f"{count} of {metric} {labels}",
        SECONDS,
        pause=1,  # a look starts a program in a pod
    )


def test_one_id_finds_all_lines_and_the_trace_of_a_run(watch: Watch, platform: Platform) -> None:
    """Every line of every service of ours is one of JSON."""
    platform.agent(
        "told",
        runtime={"command": ["python3", "-c", BROKEN]},
        workspace={"egress": [{"host": "named.example"}]},
    )
    platform.run("told-1", "told")
    told = platform.wait_until_settled("told-1")
    said = watch.chart.cluster.kubectl(
        *("-n", SYSTEM, "logs", "--tail=-1", "-l"),
        "app.kubernetes.io/part-of=heliostat,app.kubernetes.io/name!=heliostat-redis",
    )
    lines = [each for each in read_lines(said) if each.get("correlationId") == told.correlation_id]
    messages = [each["message"] for each in lines if each.get("execution") == f"{AGENTS}/told-1"]
    assert str(messages[0]).startswith("admitted after ")
    assert "attempt 1 ended: CommandFailed, caused by agent" in messages
    ours = [each for each in lines if each.get("execution") == told.metadata.uid]
    assert "NotNamed" in [each.get("verdict") for each in ours]
    assert [each["requestId"] for each in ours if each.get("model") == "scripted/hello"]

    tied = told.correlation_id

    def has_whole_trace() -> bool:
        """The operator and the gateway tell each in their own time."""
        spans = watch.collected()
        return bool(spans.named("run told")) and bool(
            spans.calls(spans.one(tied, "operator", "runner"))
        )

    platform.wait(has_whole_trace, "its trace is told", 30)
    spans = watch.collected()
    run, attempt = spans.one(tied, "operator", "run told"), spans.one(tied, "operator", "attempt 1")
    runner = spans.one(tied, "operator", "runner")
    assert spans.one(tied, "operator", "wait for admission").parent == run.id
    assert (attempt.parent, runner.parent) == (run.id, attempt.id)
    spans.check_calls(runner)
