"""A run that asks before it acts: nothing of it is left while it waits, and it acts once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from heliostat_core.executions import Execution
from heliostat_core.worlds import JsonObject
from support.platform import NAMESPACE, Platform

PERSON = "ann@example.com"
PORT = 8080
# Counts, and would do everything twice that it is asked twice. It knows nothing of Heliostat.
RECEIVE = f"""
import http.server

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        print("RECEIVED", self.path, body, flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"taken")

http.server.ThreadingHTTPServer(("", {PORT}), Receiver).serve_forever()
"""


@dataclass(frozen=True)
class Receiver:
    """Somebody else's server in the cluster."""

    platform: Platform
    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}:{PORT}/reports"

    @property
    def requests(self) -> list[str]:
        lines = self.platform.log("receiver").splitlines()
        return [each for each in lines if each.startswith("RECEIVED")]


@pytest.fixture(scope="module")
def receiver(platform: Platform) -> Iterator[Receiver]:
    kubectl = platform.cluster.kubectl
    platform.apply(RECEIVER, *APPROVER)
    kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/receiver", "--timeout=60s")
    found = platform.find("pod", "receiver")
    assert found is not None
    status = found["status"]
    assert isinstance(status, dict)
    yield Receiver(platform, str(status["podIP"]))
    kubectl("-n", NAMESPACE, "delete", "pod/receiver", "rolebinding/approvers", "--wait=false")


RECEIVER: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "receiver", "namespace": NAMESPACE},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "receiver",
                "image": "heliostat-workspace:dev",
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-c", RECEIVE],
                "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}
APPROVER: tuple[JsonObject, ...] = (
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "approvers", "namespace": NAMESPACE},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "heliostat-approver",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": PERSON}],
    },
)


def test_a_report_is_sent_once_when_a_person_approves(
    platform: Platform, receiver: Receiver
) -> None:
    declare(platform, receiver, "reporter")
    platform.run(
        "reporter-1", "reporter", parameters=[{"name": "whereTo", "value": f"to {receiver.url}"}]
    )
    attempt = platform.wait_until_running("reporter-1")
    key = platform.execution_key(attempt)
    parked = wait_until_parked(platform, "reporter-1")
    assert receiver.requests == []
    assert left_of(platform, "reporter-1") == {"pod": 0, "job": 0, "secret": 0}
    assert platform.ask_gateway(key) == 401

    # Its Agent's only slot is free for another run.
    platform.run("reporter-2", "reporter", parameters=[{"name": "whereTo", "value": "nowhere"}])
    assert platform.wait_until_finished("reporter-2").finished_reason == "Verified"
    assert platform.execution("reporter-1").status.phase == "AwaitingApproval"

    decide(platform, ask_of(platform, "reporter-1"), "Approve")
    ended = platform.wait_until_settled("reporter-1", 120)
    assert ended.finished_reason == "Verified", ended.status
    assert [each.reason for each in ended.status.attempts] == ["AwaitingApproval", "Verified"]
    first, second = ended.status.attempts
    assert (second.session_id, second.resumed) == (first.session_id, True)
    assert len(receiver.requests) == 1
    assert ended.status.usage is not None
    assert ended.status.usage.requests == 3, "written, sent, told: no call is paid twice"
    assert parked.status.usage is None or parked.status.usage.requests == 2
    assert state_of(ask_of(platform, "reporter-1")) == "Done"


def test_what_a_person_denies_is_not_done_and_the_run_goes_on(
    platform: Platform, receiver: Receiver
) -> None:
    declare(platform, receiver, "denied")
    before = len(receiver.requests)
    platform.run(
        "denied-1", "denied", parameters=[{"name": "whereTo", "value": f"to {receiver.url}"}]
    )
    wait_until_parked(platform, "denied-1")
    decide(platform, ask_of(platform, "denied-1"), "Deny", reason="not today")
    ended = platform.wait_until_settled("denied-1", 120)
    assert ended.finished_reason == "Verified", ended.status
    assert ended.status.result is not None
    assert "not today" in ended.status.result.text
    assert len(receiver.requests) == before
    assert state_of(ask_of(platform, "denied-1")) == "Denied"


def declare(platform: Platform, receiver: Receiver, name: str) -> None:
    """An Agent that writes a report and may send it to the receiver, if a person says so."""
    platform.agent(
        name,
        "scripted/approval",
        prompt="Write the report, and send it ${parameters.whereTo}.",
        tools={"allow": ["Write", "Bash"]},
        approvals={"rules": [{"argv": ["curl"], "decision": "Ask"}]},
        workspace={
            "storage": {"type": "Volume", "size": "100Mi"},
            "egress": [{"host": f"{receiver.address}/32", "ports": [PORT]}],
        },
        verify={"files": ["report.md"]},
        maxConcurrentExecutions=1,
    )


def wait_until_parked(platform: Platform, run: str) -> Execution:
    """It waits for a person, and what its attempt had is gone."""

    def is_parked(execution: Execution) -> bool:
        return execution.status.phase == "AwaitingApproval"

    parked = platform.wait_for_execution(run, is_parked, "parked", 90)
    platform.wait(lambda: not any(left_of(platform, run).values()), "nothing of it is left", 60)
    return parked


def left_of(platform: Platform, run: str) -> dict[str, int]:
    selector = f"heliostat.dev/execution={run}"
    return {kind: len(platform.objects(kind, selector)) for kind in ("pod", "job", "secret")}


def ask_of(platform: Platform, run: str) -> JsonObject:
    """The only ask of a run."""
    found = platform.objects("approval")
    [ask] = [each for each in found if spec_of(each)["executionRef"]["name"] == run]
    return ask


def spec_of(ask: JsonObject) -> dict[str, dict[str, object]]:
    spec = ask["spec"]
    assert isinstance(spec, dict)
    return spec


def state_of(ask: JsonObject) -> object:
    status = ask["status"]
    assert isinstance(status, dict)
    return status["state"]


def decide(platform: Platform, ask: JsonObject, decision: str, reason: str = "") -> None:
    """As a person does with kubectl."""
    metadata = ask["metadata"]
    assert isinstance(metadata, dict)
    value = {"by": PERSON, "decision": decision, "digest": spec_of(ask)["action"]["digest"]}
    if reason:
        value["reason"] = reason
    patch = [{"op": "add", "path": "/spec/decisions/-", "value": value}]
    person = ("--as", PERSON, "--as-group", "system:authenticated")
    named = ("-n", NAMESPACE, "patch", "approval", str(metadata["name"]))
    platform.cluster.kubectl(*person, *named, "--type=json", "-p", json.dumps(patch))
