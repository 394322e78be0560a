"""A CRD that is deleted and made again: a replica that began while it was away never watches it,
which is found, so that its successor does the work."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from heliostat_core.agents import Agent
from heliostat_core.worlds import LEASE, JsonObject
from heliostat_operator.leases import LEASE_NAME
from support.control_plane import Address
from support.objects import make_agent, make_execution
from support.operator_process import (
    DEADLINE_SECONDS,
    LEASE_SECONDS,
    SYSTEM,
    OperatorProcess,
    running_operator,
    wait_for,
)
from support.worlds import make_namespace
from tools.machine import ROOT

CRDS = ROOT / "manifests" / "crds"


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


@contextmanager
def running(installed: Installed, log: Path, lease_seconds: int) -> Iterator[OperatorProcess]:
    log.touch()
    settings = {
        "HELIOSTAT_OPERATOR_CANARY_SECONDS": "3",
        "HELIOSTAT_OPERATOR_LEASE_SECONDS": str(lease_seconds),
    }
    with running_operator(installed.kubeconfig, "b", log, **settings) as operator:
        yield operator


@pytest.fixture
def another_leads(installed: Installed) -> Iterator[None]:
    """Another replica holds the Lease."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lease: JsonObject = {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.name,
        "metadata": {"name": LEASE_NAME, "namespace": SYSTEM},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 600, "renewTime": now},
    }
    installed.server.kubectl("apply", "-f", "-", stdin=json.dumps(lease))
    yield
    end_lease(installed)


def end_lease(installed: Installed) -> None:
    installed.server.kubectl("delete", "lease", LEASE_NAME, "-n", SYSTEM, "--ignore-not-found")


@pytest.mark.usefixtures("another_leads")
@pytest.mark.parametrize("plural", ["agents", "executions"])
def test_a_replica_that_began_without_a_crd_ends_and_the_next_one_starts_the_run(
    installed: Installed, tmp_path: Path, plural: str
) -> None:
    """It would lead one day, renew its Lease and do nothing."""
    kubectl, name = installed.server.kubectl, f"{plural}.heliostat.dev"
    namespace, log, later = make_namespace(installed.server), tmp_path / "a.log", tmp_path / "b.log"

    def apply(obj: JsonObject) -> None:
        kubectl("apply", "-f", "-", stdin=json.dumps(obj))

    free_executions(installed)
    kubectl("delete", "crd", name, "--timeout=30s")
    try:
        stack = ExitStack()
        operator = stack.enter_context(running(installed, log, lease_seconds=600))
        wait_for(lambda: "cannot be served" in operator.words or None, "kopf's begin", log)
    finally:
        kubectl("apply", "-f", str(CRDS / f"{name}.yaml"))
        kubectl("wait", "--for=condition=Established", "crd", name, "--timeout=30s")
    with stack:
        apply(make_agent(namespace))
        apply(make_execution(namespace, "later"))
        assert operator.process.wait(DEADLINE_SECONDS) == 1, operator.words
        assert f"did not bring {plural}" in operator.words
    end_lease(installed)
    with running(installed, later, LEASE_SECONDS):
        wait_for(lambda: job(installed, namespace, "later-1"), "the Job", later)
        wait_for(lambda: is_judged(installed, namespace), "the Agent's status", later)


def free_executions(installed: Installed) -> None:
    """Those of other tests: without a gateway their keys live, and the operator lets none go."""
    kubectl, patch = installed.server.kubectl, '{"metadata":{"finalizers":null}}'
    for each in json.loads(kubectl("get", "executions", "-A", "-o", "json"))["items"]:
        meta = each["metadata"]
        place = ("execution", meta["name"], "-n", meta["namespace"])
        kubectl("patch", *place, "--type=merge", "-p", patch)


def is_judged(installed: Installed, namespace: str) -> bool | None:
    """Whether the operator has said something of the Agent."""
    found = installed.server.kubectl("get", "agent", "-n", namespace, "sales", "-o", "json")
    return bool(Agent.model_validate_json(found).status.conditions) or None


def job(installed: Installed, namespace: str, name: str) -> str | None:
    found = installed.server.kubectl(
        "get", "job", "-n", namespace, name, "-o", "name", "--ignore-not-found"
    )
    return found.strip() or None
