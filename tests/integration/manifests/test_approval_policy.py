"""Who may ask, decide, change and delete an Approval, before a real API server."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from pydantic import JsonValue

from support.control_plane import Address
from support.manifests import INSTALLATION
from support.waiting import wait_for

TEAM = "team"
OPERATOR = "system:serviceaccount:heliostat-system:heliostat-operator"
API = "system:serviceaccount:heliostat-system:heliostat-api"
BROKER = "system:serviceaccount:heliostat-system:heliostat-broker"
BUILD = "system:serviceaccount:team:build"
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
_PATH = f"/apis/heliostat.dev/v1alpha1/namespaces/{TEAM}/approvals"
APPROVERS = ("ann", "heliostat:bob", BUILD)
EDITORS = ("carl", "heliostat:bob", OPERATOR, API, BROKER)
_RESOURCES = "approvals.heliostat.dev,approvals.heliostat.dev/status,executions.heliostat.dev"
_VERBS = "get,list,watch,create,update,patch,delete"


def ask(name: str, **spec: JsonValue) -> dict[str, JsonValue]:
    action: dict[str, JsonValue] = {
        "tool": "Bash",
        "class": "Send",
        "target": "receiver.example",
        "digest": DIGEST,
        "facts": [{"name": "host", "value": "receiver.example"}],
        "complete": True,
    }
    asked: dict[str, JsonValue] = {
        "executionRef": {"name": "sales-1", "uid": "uid-1"},
        "action": action,
        "expiresTime": "2099-01-01T00:00:00Z",
        **spec,
    }
    return {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Approval",
        "metadata": {"name": name, "namespace": TEAM},
        "spec": asked,
    }


def word(by: str, decision: str = "Approve", digest: str = DIGEST) -> dict[str, JsonValue]:
    return {"by": by, "decision": decision, "digest": digest}


@dataclass(frozen=True)
class Cluster:
    """The API server, spoken to in any name."""

    client: httpx2.Client

    def said(
        self,
        by: str,
        method: str,
        name: str,
        body: JsonValue = None,
        kind: str = "json",
        path: str = _PATH,
    ) -> str:
        """What the API server says to somebody's request: empty when it is done."""
        headers = {"Impersonate-User": by, "Content-Type": f"application/{kind}"}
        if by == "admin":
            headers["Impersonate-Group"] = "system:masters"
        content = json.dumps(body) if body is not None else None
        answer = self.client.request(method, path + name, content=content, headers=headers)
        return "" if answer.is_success else str(answer.json()["message"])

    def asked(self, name: str, state: str = "", **spec: JsonValue) -> str:
        """A new ask of the operator's, in that state."""
        assert self.said(OPERATOR, "POST", "", ask(name, **spec)) == ""
        if state:
            status: JsonValue = {"status": {"state": state}}
            assert self.merged(OPERATOR, f"{name}/status", status) == ""
        return name

    def merged(self, by: str, name: str, change: JsonValue) -> str:
        return self.said(by, "PATCH", f"/{name}", change, "merge-patch+json")

    def decided(self, by: str, name: str, entry: JsonValue) -> str:
        """By the JSON patch that the docs show."""
        steps: list[JsonValue] = [{"op": "add", "path": "/spec/decisions/-", "value": entry}]
        return self.said(by, "PATCH", f"/{name}", steps, "json-patch+json")

    def started(self, by: str, requester: str) -> str:
        """A dry run of an Execution that somebody starts in that name."""
        body: JsonValue = {
            "apiVersion": "heliostat.dev/v1alpha1",
            "kind": "Execution",
            "metadata": {"generateName": "run-", "namespace": TEAM},
            "spec": {"agentRef": {"name": "sales"}, "requestedBy": requester},
        }
        return self.said(
            by, "POST", "?dryRun=All", body, path=_PATH.replace("approvals", "executions")
        )

    def notes(self, name: str) -> list[dict[str, JsonValue]]:
        """Who wrote what when, as the API server keeps it."""
        found: list[dict[str, JsonValue]]
        found = self.client.get(f"{_PATH}/{name}").json()["metadata"].get("managedFields", [])
        return found

    def exists(self, name: str) -> bool:
        return self.client.get(f"{_PATH}/{name}").is_success

    def decisions(self, name: str) -> list[JsonValue]:
        spec = self.client.get(f"{_PATH}/{name}").json()["spec"]
        found: list[JsonValue] = spec["decisions"]
        return found


@pytest.fixture(scope="module")
def cluster(own_api_server: Address) -> Iterator[Cluster]:
    kubectl = own_api_server.kubectl
    kubectl("apply", "-k", INSTALLATION / "crds")
    kubectl("apply", "-k", INSTALLATION / "approvals")
    kubectl("create", "namespace", TEAM)
    kubectl("create", "clusterrole", "editor", f"--resource={_RESOURCES}", f"--verb={_VERBS}")
    for role, names in (("heliostat-approver", APPROVERS), ("editor", EDITORS)):
        users = [f"--user={each}" for each in names]
        kubectl("-n", TEAM, "create", "rolebinding", role, f"--clusterrole={role}", *users)
    kubectl("wait", "--for=condition=Established", "crd/approvals.heliostat.dev", "--timeout=60s")
    certificate = own_api_server.kubeconfig.parent / "apiserver.crt"
    with httpx2.Client(
        base_url=own_api_server.url,
        headers={"Authorization": f"Bearer {own_api_server.token}"},
        verify=ssl.create_default_context(cafile=str(certificate)),
    ) as client:
        cluster = Cluster(client)
        # A policy holds a moment after it was made.
        wait_for(lambda: "only the operator asks" in cluster.said("carl", "POST", "", ask("early")))
        yield cluster


def test_only_the_operator_and_the_broker_ask(cluster: Cluster) -> None:
    for by in ("carl", "admin", API):
        assert "only the operator asks" in cluster.said(by, "POST", "", ask("mine"))
    assert cluster.said(BROKER, "POST", "?dryRun=All", ask("mine")) == ""
    forged = ask("mine", decisions=[word("ann")])
    assert "nobody has decided before" in cluster.said(OPERATOR, "POST", "", forged)


def test_an_approver_decides_once_and_in_their_own_name(cluster: Cluster) -> None:
    name = cluster.asked("once")
    assert "must be ann" in cluster.decided("ann", name, word("carl"))
    assert cluster.decided("ann", name, word("ann")) == ""
    assert "a decision stays" in cluster.merged("ann", name, {"spec": {"decisions": []}})
    changed: JsonValue = {"spec": {"decisions": [word("ann", "Deny")]}}
    assert "a decision stays" in cluster.merged("ann", name, changed)
    assert cluster.decided("ann", name, word("ann", "Deny"))
    assert cluster.decisions(name) == [{**word("ann"), "reason": ""}]


@pytest.mark.parametrize(
    ("by", "entry", "refused"),
    [
        ("carl", word("carl"), "needs the verb approve"),
        ("nobody", word("nobody"), "forbidden"),
        (BUILD, word(BUILD), "a service account can't decide"),
        (OPERATOR, word(OPERATOR), "a service account can't decide"),
        ("ann", word("ann", digest=OTHER), "decide on what you were shown"),
        ("ann", word("heliostat:ann"), "must be ann"),
        ("heliostat:bob", word("heliostat:bob"), "in your own name"),
        (API, word("ann"), "in your own name"),
    ],
)
def test_a_forged_decision_is_refused(
    cluster: Cluster, by: str, entry: JsonValue, refused: str
) -> None:
    name = "forged"
    if not cluster.exists(name):
        cluster.asked(name)
    assert refused in cluster.decided(by, name, entry)
    assert cluster.decisions(name) == []


def test_the_api_decides_for_the_persons_it_knows(cluster: Cluster) -> None:
    name = cluster.asked("of-api")
    assert cluster.decided(API, name, word("heliostat:bob")) == ""
    assert cluster.decided("ann", name, word("ann", "Deny")) == ""
    assert len(cluster.decisions(name)) == 2


def test_two_decisions_at_a_time_are_refused(cluster: Cluster) -> None:
    name = cluster.asked("two")
    both: JsonValue = [word("heliostat:ann"), word("heliostat:bob")]
    assert "one decision at a time" in cluster.merged(API, name, {"spec": {"decisions": both}})


@pytest.mark.parametrize("state", ["Granted", "Claimed", "Denied", "Expired", "OutcomeUnknown"])
def test_what_was_decided_is_not_decided_again(cluster: Cluster, state: str) -> None:
    name = cluster.asked(f"late-{state.lower()}", state)
    assert f"this ask is {state}" in cluster.decided("ann", name, word("ann"))


def test_what_was_asked_stays(cluster: Cluster) -> None:
    name = cluster.asked("fixed")
    changes: dict[str, JsonValue] = {
        "expiresTime": "2199-01-01T00:00:00Z",
        "quorum": 2,
        "requesterMayApprove": False,
        "executionRef": {"name": "other"},
        "action": {"target": "elsewhere.example"},
    }
    for field, value in changes.items():
        for by in ("carl", OPERATOR):
            refused = cluster.merged(by, name, {"spec": {field: value}})
            assert f"{field} must stay as it was asked" in refused


def test_only_the_operator_writes_the_status_and_lets_go(cluster: Cluster) -> None:
    name = cluster.asked("status", "Claimed")
    done: JsonValue = {"status": {"state": "Done"}}
    for by in ("carl", API, "admin"):
        assert "only the operator writes" in cluster.merged(by, f"{name}/status", done)
    kept: JsonValue = {"metadata": {"finalizers": ["heliostat.dev/claim"]}}
    assert cluster.merged(OPERATOR, name, kept) == ""
    for by in ("carl", "admin"):
        freed: JsonValue = {"metadata": {"finalizers": None}}
        assert "only the operator lets an ask go" in cluster.merged(by, name, freed)
    assert cluster.merged(OPERATOR, name, {"metadata": {"finalizers": None}}) == ""


def test_a_finalizer_of_others_may_come_and_go(cluster: Cluster) -> None:
    """The garbage collector's, when something is deleted in the foreground."""
    name = cluster.asked("foreground")
    changes: tuple[JsonValue, ...] = (["foregroundDeletion"], None)
    for finalizers in changes:
        assert cluster.merged("carl", name, {"metadata": {"finalizers": finalizers}}) == ""


def test_when_somebody_decided_is_not_rewritten(cluster: Cluster) -> None:
    name = cluster.asked("times")
    assert cluster.decided("ann", name, word("ann")) == ""
    notes = cluster.notes(name)
    earlier: JsonValue = [{**each, "time": "2020-01-01T00:00:00Z"} for each in notes]
    # With something else beside it: else the API server itself takes the times back.
    forged: JsonValue = {"metadata": {"managedFields": earlier, "labels": {"any": "thing"}}}
    refused = cluster.merged("ann", f"{name}?fieldManager=another", forged)
    assert "must stay as the API server wrote it" in refused
    assert cluster.notes(name) == notes


def test_notes_that_are_taken_away_say_of_no_decision_that_it_was_early(cluster: Cluster) -> None:
    name = cluster.asked("notes")
    assert cluster.decided("ann", name, word("ann")) == ""
    assert cluster.merged("ann", name, {"metadata": {"managedFields": [{}]}}) == ""
    assert cluster.notes(name) == []


@pytest.mark.parametrize(
    ("by", "requester", "refused"),
    [
        ("carl", "", ""),
        ("carl", "carl", ""),
        ("carl", "ann", "spec.requestedBy must be carl"),
        ("carl", "heliostat:carl", "spec.requestedBy must be carl"),
        ("heliostat:bob", "heliostat:bob", "name yourself or nobody"),
        (API, "heliostat:bob", ""),
        (API, "ann", "name yourself or nobody"),
        (OPERATOR, OPERATOR, "has no requester"),
        (OPERATOR, "", ""),
    ],
)
def test_a_run_names_who_started_it_or_nobody(
    cluster: Cluster, by: str, requester: str, refused: str
) -> None:
    said = cluster.started(by, requester)
    assert refused in said if refused else said == ""


@pytest.mark.parametrize("state", ["", "Pending", "Granted", "Claimed"])
@pytest.mark.parametrize("by", ["carl", "admin", API])
def test_an_open_ask_is_not_deleted(cluster: Cluster, state: str, by: str) -> None:
    name = f"open-{state.lower()}-end"
    if not cluster.exists(name):
        cluster.asked(name, state)
    assert f"this ask is {state or 'Pending'}: deny it" in cluster.said(by, "DELETE", f"/{name}")


@pytest.mark.parametrize("state", ["Done", "Denied", "Expired", "Withdrawn", "OutcomeUnknown"])
def test_an_ask_that_has_ended_may_be_deleted(cluster: Cluster, state: str) -> None:
    name = cluster.asked(f"ended-{state.lower()}", state)
    assert cluster.said("carl", "DELETE", f"/{name}") == ""


def test_a_person_resolves_what_nobody_knows(cluster: Cluster) -> None:
    said: dict[str, JsonValue] = {"by": "ann", "outcome": "Happened"}
    resolved: JsonValue = {"spec": {"resolution": said}}
    pending = cluster.asked("resolve-early")
    assert "only one whose outcome is unknown" in cluster.merged("ann", pending, resolved)
    name = cluster.asked("resolve", "OutcomeUnknown")
    assert "resolve in your own name" in cluster.merged(
        "ann", name, {"spec": {"resolution": {**said, "by": "carl"}}}
    )
    assert "needs the verb approve" in cluster.merged(
        "carl", name, {"spec": {"resolution": {**said, "by": "carl"}}}
    )
    assert "can't decide" in cluster.merged(
        OPERATOR, name, {"spec": {"resolution": {**said, "by": OPERATOR}}}
    )
    assert cluster.merged("ann", name, resolved) == ""
    changed: JsonValue = {"spec": {"resolution": {**said, "outcome": "DidNotHappen"}}}
    assert "resolution must stay" in cluster.merged("ann", name, changed)
    assert "resolution must stay" in cluster.merged("ann", name, {"spec": {"resolution": None}})
