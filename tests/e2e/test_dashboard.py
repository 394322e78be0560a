"""The api on a cluster: a click becomes a Job, shows live, and its record outlives everything."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from heliostat_core.names import RECORDED_ANNOTATION
from support.manifests import INSTALLATION
from support.platform import SYSTEM, Platform
from support.screens import Event, follow, open_browser, run_sample, until_finished

API, OPERATOR = "heliostat-api", "heliostat-operator"
AGENTS = "heliostat-agents"


class Dashboard:
    """The api of a cluster, and what tests do to it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self._log = folder / "port-forward.log"

    def install(self) -> None:
        self.platform.cluster.kubectl("apply", "-k", INSTALLATION / "overlays" / "dashboard")
        for name in (API, OPERATOR):
            self.platform.wait_for_rollout(name)

    def go_back(self) -> None:
        """To the installation without it."""
        kubectl = self.platform.cluster.kubectl
        kubectl("delete", "namespace", AGENTS, "--ignore-not-found")
        kubectl("delete", "-k", INSTALLATION / "api", "--ignore-not-found")
        kubectl("apply", "-k", INSTALLATION)
        self.platform.wait_for_rollout(OPERATOR)

    def kill(self) -> None:
        """Its pod dies at once; another one serves then."""
        killed = set(self.platform.pods_of(API))
        kubectl = self.platform.cluster.kubectl
        kubectl("-n", SYSTEM, "delete", *killed, "--grace-period=0", "--force")
        # The Deployment may call itself available for a while with a pod that is gone.
        deadline = time.monotonic() + 90
        while not (others := set(self.platform.pods_of(API)) - killed):
            assert time.monotonic() < deadline, "no other pod comes"
            time.sleep(0.2)
        kubectl("-n", SYSTEM, "wait", "--for=condition=Ready", *others, "--timeout=90s")

    @contextmanager
    def reached(self) -> Iterator[str]:
        """Its address here, as long as its pod lives."""
        self.platform.wait_for_rollout(API)
        command = self.platform.cluster.kubectl.command(
            "-n", SYSTEM, "port-forward", f"service/{API}", ":8080"
        )
        with self._log.open("w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()  # Forwarding from 127.0.0.1:40123 -> 8080
            assert "127.0.0.1:" in line, self._log.read_text()
            port = line.partition("127.0.0.1:")[2].split()[0]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def dashboard(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    installed = Dashboard(platform, tmp_path_factory.mktemp("dashboard"))
    try:
        installed.install()
        yield installed
    finally:
        installed.go_back()


def transcript(client: httpx2.Client, uid: str) -> object:
    return client.get(f"/api/executions/{uid}/transcript", params={"limit": 1000}).json()


def outputs(events: list[Event]) -> list[object]:
    """Every line of the transcript that was told, in its order."""
    return [
        line
        for event in events
        if event.data["type"] == "execution.output"
        for line in json.loads(json.dumps(event.payload["events"]))
    ]


def test_a_click_becomes_a_job_and_its_record_outlives_pod_and_execution(
    dashboard: Dashboard,
) -> None:
    kubectl = dashboard.platform.cluster.kubectl
    with dashboard.reached() as url, open_browser(url) as client:
        with closing(follow(client)) as events:
            next(events)
            uid = run_sample(client)
            seen = until_finished(events, uid)
        name = str(seen[-1].payload["name"])
        assert seen[-1].payload["phase"] == "Succeeded"
        assert "result" in json.dumps(outputs(seen))
        agents = json.loads(kubectl("-n", AGENTS, "get", "agents", "-o", "json"))["items"]
        assert [each["spec"]["model"]["name"] for each in agents] == ["scripted/hello"]
        wait_for_mark(dashboard.platform, name)
        before = transcript(client, uid)
        pod_delivers_nothing_any_more(dashboard.platform, url, uid)
        kubectl("-n", AGENTS, "delete", "execution", name)
        wait_until_empty(dashboard.platform)
        assert client.get(f"/api/executions/{uid}").json()["phase"] == "Succeeded"
        assert transcript(client, uid) == before


def test_an_api_that_is_killed_in_the_middle_loses_nothing(dashboard: Dashboard) -> None:
    with dashboard.reached() as url, open_browser(url) as client:
        cookies = dict(client.cookies)
        with closing(follow(client)) as events:
            cursor = next(events).id
            uid = run_sample(client, "sales")
            first = [next(event for event in events if is_output(event, uid))]
        dashboard.kill()
    with dashboard.reached() as url, open_browser(url, cookies) as client:
        with closing(follow(client, cursor)) as events:
            seen = until_finished(events, uid)
        name = str(seen[-1].payload["name"])
        wait_for_mark(dashboard.platform, name)
        kept = client.get(f"/api/executions/{uid}/transcript", params={"limit": 1000}).json()
    assert first[0] in seen
    assert seen[-1].payload["phase"] == "Succeeded"
    told = outputs(seen)
    assert told == kept["events"][: len(told)]
    assert [each["subtype"] for each in kept["events"] if each["type"] == "heliostat"][-1] == "end"


def is_output(event: Event, uid: str) -> bool:
    return event.data.get("execution") == uid and event.data["type"] == "execution.output"


def pod_delivers_nothing_any_more(platform: Platform, url: str, uid: str) -> None:
    """With a token of its own account, as the kubelet projects one: the cluster is asked whose it
    is (TokenReview)."""
    [pod] = platform.cluster.kubectl("-n", AGENTS, "get", "pods", "-o", "name").split()
    attempts = f"{url}/ingest/v1/executions/{uid}/attempts"

    def status(attempt: int, *options: str) -> int:
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod.removeprefix('pod/')}")
        given = ("-n", AGENTS, "create", "token", "default", *(options or bound))
        token = platform.cluster.kubectl(*given, f"--audience={API}").strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{attempts}/{attempt}", headers=headers).status_code

    assert status(1) == 403, "the record is closed: a key is dead once its run is over"
    assert status(2) == 403
    assert status(1, "--duration=10m") == 401, "bound to no pod"


def wait_for_mark(platform: Platform, name: str, seconds: float = 120) -> None:
    """Until the record of a run in the dashboard's namespace is closed."""
    deadline = time.monotonic() + seconds
    while RECORDED_ANNOTATION not in json.dumps(platform.find("execution", name, AGENTS)):
        assert time.monotonic() < deadline, f"{name} is not recorded"
        time.sleep(0.2)


def wait_until_empty(platform: Platform, seconds: float = 60) -> None:
    """Until the dashboard's namespace has neither pods nor Jobs: they go after their owner."""
    deadline = time.monotonic() + seconds
    while left := platform.cluster.kubectl("-n", AGENTS, "get", "pods,jobs", "-o", "name"):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
