"""Asks on a real API server: people decide by the commands of docs/approvals.md, in their own name
and with their own rights, and the operator's account writes what follows."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from heliostat_core.approvals import Approval, ApprovalReason, ApprovalState, ApprovalStatus
from heliostat_core.worlds import APPROVAL, EXECUTION, JsonObject, JsonValue, Ref
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.approvals.messages import decide_command, resolve_command
from heliostat_operator.approvals.policy_check import PolicyCheck
from heliostat_operator.builders.approval_objects import build_approval_status
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from support.builders.resources import make_settings
from support.control_plane import Address
from support.fake_gateway import FakeGateway
from support.kubectl import Kubectl
from support.manifests import INSTALLATION
from support.objects import make_execution, mapping_at
from support.worlds import make_namespace
from tools.machine import ROOT

PAGE = (ROOT / "docs" / "approvals.md").read_text()
DIGEST = "sha256:" + "a" * 64


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


class Stage:
    """A namespace with a run that asks, people who decide, and the operator."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.server, self.folder = installed.server, folder
        self.kubeconfig = installed.kubeconfig
        self.namespace = make_namespace(self.server)
        self.now = utc_now()
        bind = ("create", "rolebinding", "approvers", "--clusterrole=heliostat-approver")
        self.server.kubectl("-n", self.namespace, *bind, "--user=ann", "--user=bob")

    def person(self, name: str) -> Kubectl:
        """kubectl as that person has it."""
        config = json.loads(self.server.kubeconfig.read_text())
        config["users"][0]["user"]["as"] = name
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(json.dumps(config))
        return Kubectl(self.server.kubectl.program, path)

    def run_as(self, name: str, command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the page, or of an Event, in the shell of a person."""
        filled = command.replace("NAMESPACE", self.namespace).replace("NAME", "ask")
        environment = {**self.person(name).environment(), "HOME": str(self.folder)}
        return subprocess.run(
            ["bash", "-euc", filled],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    async def ask(self, **spec: JsonValue) -> None:
        """The operator asks for an action of a new run."""
        self.server.kubectl("create", "-f", "-", stdin=json.dumps(make_execution(self.namespace)))
        found = self.server.kubectl("-n", self.namespace, "get", "execution", "run", "-o", "json")
        meta = mapping_at(json.loads(found), "metadata")
        expires = (self.now + timedelta(hours=1)).isoformat(timespec="seconds")
        action: JsonValue = {"tool": "Bash", "class": "Send", "digest": DIGEST, "complete": True}
        owner = {"apiVersion": EXECUTION.api_version, "kind": EXECUTION.name}
        document: JsonObject = {
            "apiVersion": APPROVAL.api_version,
            "kind": APPROVAL.name,
            "metadata": {
                "name": "ask",
                "namespace": self.namespace,
                "ownerReferences": [{**owner, "name": "run", "uid": meta["uid"]}],
            },
            "spec": {
                "executionRef": {"name": "run", "uid": meta["uid"]},
                "action": action,
                "expiresTime": expires,
                **spec,
            },
        }
        async with await KubernetesWorld.connect(kubeconfig=self.kubeconfig) as world:
            await world.create(document)

    async def look(self) -> Approval:
        """The ask after a look of the operator, by its own account."""
        key = (self.namespace, "ask")
        async with await KubernetesWorld.connect(kubeconfig=self.kubeconfig) as world:
            engine = Engine(
                world,
                FakeGateway(),
                Signer("", self.clock),
                make_settings(),
                self.clock,
                parts=[PolicyCheck(world)],
            )
            await engine.controller("approval").reconcile(key)
            return Approval.model_validate(await world.get(Ref(APPROVAL, *key)))

    async def becomes(self, status: ApprovalStatus) -> None:
        """The operator writes that status for another reason."""
        async with await KubernetesWorld.connect(kubeconfig=self.kubeconfig) as world:
            found = await world.get(Ref(APPROVAL, self.namespace, "ask"))
            await world.patch_status(build_approval_status(Approval.model_validate(found), status))

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def stage(installed: Installed, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(installed, tmp_path)
    yield stage
    # So that another operator of this server does not wait for it.
    freed = '{"metadata":{"finalizers":null}}'
    operator = Kubectl(stage.server.kubectl.program, stage.kubeconfig)
    operator.run("-n", stage.namespace, "patch", "approval", "ask", "--type=merge", "-p", freed)


def commands(heading: str) -> str:
    """What the page shows under a heading, to be run."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S))


async def test_who_may_decides_by_the_commands_of_the_page(stage: Stage) -> None:
    await stage.ask()
    assert (await stage.look()).status.reason == "NobodyDecided"
    refused = stage.run_as("carl", commands("Deciding"))
    assert "forbidden" in refused.stderr
    assert (await stage.look()).state == "Pending"
    decided = stage.run_as("ann", commands("Deciding"))
    assert "approval.heliostat.dev/ask patched" in decided.stdout, decided.stderr
    granted = await stage.look()
    assert (granted.state, granted.status.counted) == ("Granted", ("ann",))
    late = stage.run_as("bob", commands("Deciding"))
    assert "this ask is Granted: it can no longer be decided" in late.stderr


async def test_the_command_of_the_event_decides_and_a_no_ends_it(stage: Stage) -> None:
    await stage.ask()
    pending = await stage.look()
    words = stage.server.kubectl(
        *("-n", stage.namespace, "get", "events", "-o"),
        "jsonpath={.items[?(@.involvedObject.kind=='Execution')].message}",
    )
    command = decide_command(pending)
    assert words.endswith(command)
    denied = stage.run_as("bob", command.replace("Approve", "Deny"))
    assert denied.returncode == 0, denied.stderr
    assert (await stage.look()).status.message == "Denied by bob; the action does not take place."


async def test_an_ask_that_nobody_answers_expires(stage: Stage) -> None:
    await stage.ask()
    stage.now += timedelta(hours=2)
    assert (await stage.look()).state == "Expired"
    deleted = stage.server.kubectl("-n", stage.namespace, "delete", "approval", "ask")
    assert "deleted" in deleted


async def test_a_cancelled_run_withdraws_what_nobody_may_delete(stage: Stage) -> None:
    await stage.ask()
    kubectl = stage.server.kubectl
    refused = kubectl.run("-n", stage.namespace, "delete", "approval", "ask")
    assert "deny it, or cancel its Execution" in refused.stderr
    cancel = ("--type=merge", "-p", '{"spec":{"cancel":true}}')
    kubectl("-n", stage.namespace, "patch", "execution", "run", *cancel)
    withdrawn = await stage.look()
    assert (withdrawn.state, withdrawn.status.reason) == ("Withdrawn", "ExecutionCancelled")
    kubectl("-n", stage.namespace, "delete", "approval", "ask")


async def test_a_person_says_what_became_of_it(stage: Stage) -> None:
    await stage.ask()
    lost = ApprovalStatus(state=ApprovalState.OUTCOME_UNKNOWN, reason=ApprovalReason.NO_RECEIPT)
    await stage.becomes(lost)
    unknown = await stage.look()
    assert resolve_command(unknown) in unknown.status.message
    me = commands("Deciding").partition("ME=")[2].partition("\n")[0]
    said = stage.run_as("ann", f"ME={me}\n{commands('When nobody knows')}")
    assert said.returncode == 0, said.stderr
    assert (await stage.look()).status.reason == "DidNotHappen"


async def test_the_operator_sees_that_the_policy_is_missing(stage: Stage) -> None:
    binding = ("validatingadmissionpolicybinding", "heliostat-approvals")
    async with await KubernetesWorld.connect(kubeconfig=stage.kubeconfig) as world:

        async def authority() -> Authority:
            return await PolicyCheck(world).authority_of(stage.namespace)

        async def becomes(wanted: Authority) -> None:
            """A policy holds, and holds no more, a moment after it was written."""
            async with asyncio.timeout(60):
                while await authority() is not wanted:
                    await asyncio.sleep(0.1)

        await becomes(Authority.API_SERVER)
        stage.server.kubectl("delete", *binding)
        try:
            await becomes(Authority.API)
        finally:
            stage.server.kubectl("apply", "-k", INSTALLATION / "approvals")
            await becomes(Authority.API_SERVER)
