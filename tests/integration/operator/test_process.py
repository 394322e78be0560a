"""`python -m heliostat_operator` against a real API server, under its own account's rights."""

import base64
import json
import re
import signal
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from heliostat_core.agents import Agent
from heliostat_core.worlds import JsonObject
from support.control_plane import Address
from support.google.accounts import ServiceAccount
from support.google.secret_manager import FakeSecretManager
from support.objects import make_agent, make_execution
from support.operator_process import (
    LEASE_SECONDS,
    SYSTEM,
    OperatorProcess,
    running_operator,
    wait_for,
)
from support.worlds import make_namespace
from tools.machine import ROOT


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


class Installation:
    """An API server with everything installed, and one namespace of the test's own."""

    def __init__(self, server: Address, kubeconfig: Path, folder: Path) -> None:
        self.server, self.kubeconfig, self.folder = server, kubeconfig, folder
        self.namespace = make_namespace(server)

    def apply(self, obj: JsonObject) -> None:
        self.server.kubectl("apply", "-f", "-", stdin=json.dumps(obj))

    def find(self, kind: str, name: str, namespace: str | None = None) -> JsonObject | None:
        found = self.server.kubectl(
            *("get", kind, name, "-n", namespace or self.namespace, "-o", "json"),
            "--ignore-not-found",
        )
        obj: JsonObject | None = json.loads(found) if found.strip() else None
        return obj

    def wait_for(self, kind: str, name: str, log: Path) -> str:
        """The uid of the object, once it is there."""
        found = wait_for(lambda: self.find(kind, name), f"{kind} {name}", log)
        metadata = found["metadata"]
        assert isinstance(metadata, dict)
        return str(metadata["uid"])

    def holder(self) -> str | None:
        lease = self.find("lease", "heliostat-operator", SYSTEM)
        spec = lease["spec"] if lease else None
        return str(spec.get("holderIdentity", "")) if isinstance(spec, dict) else None

    def wait_for_holder(self, *names: str, log: Path) -> str:
        def look() -> str | None:
            holder = self.holder()
            return holder if holder in names else None

        return wait_for(look, f"the Lease with {names}", log)

    def new_log(self) -> Path:
        log = self.folder / f"{uuid.uuid4().hex[:8]}.log"
        log.touch()
        return log

    def free_the_lease(self) -> None:
        self.server.kubectl(
            "delete",
            "lease",
            "heliostat-operator",
            "-n",
            SYSTEM,
            "--wait=false",
            "--ignore-not-found",
        )


@pytest.fixture
def here(installed: Installed, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(installed.server, installed.kubeconfig, tmp_path)
    yield made
    made.free_the_lease()


def check_rights(operator: OperatorProcess) -> None:
    refused = [line for line in operator.words.splitlines() if "orbidden" in line]
    assert refused == []


def check_metrics(operator: OperatorProcess) -> None:
    """What runs is counted, under names that are documented."""
    text = operator.metrics()
    assert "heliostat_operator_is_leader 1.0\n" in text
    assert 'heliostat_operator_queue_depth{kind="network"}' in text
    admitted = re.search(r"^heliostat_execution_queue_seconds_count (\S+)$", text, re.MULTILINE)
    assert admitted is not None
    assert float(admitted[1]) >= 2
    page = (ROOT / "docs" / "metrics.md").read_text()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    for name in names:
        assert f"`{name}" in page or name.endswith("_created"), name


def check_that_a_schedule_without_a_date_is_refused(here: Installation, log: Path) -> None:
    """No rule of the API server can know that there is no 30th of February."""
    here.apply(make_agent(here.namespace, "never", schedule={"cron": "0 0 30 2 *"}))

    def judged() -> Agent | None:
        agent = Agent.model_validate(here.find("agent", "never"))
        return agent if agent.status.conditions else None

    agent = wait_for(judged, "whether it is ready", log)
    [ready] = agent.status.conditions
    assert (ready.status, ready.reason) == ("False", "ScheduleInvalid")
    assert "no date that ever comes" in ready.message
    assert agent.metadata.creation_timestamp is not None
    took = ready.last_transition_time - agent.metadata.creation_timestamp
    print(f"the reason was there after {took.total_seconds():.0f} s")  # noqa: T201
    assert took <= timedelta(seconds=5), "asked: 1 s, on a machine that does nothing else"


def test_it_starts_runs_and_takes_up_its_work_after_a_kill(here: Installation) -> None:
    log = here.new_log()
    here.apply(make_agent(here.namespace))
    here.apply(make_execution(here.namespace, "early"))
    with running_operator(here.kubeconfig, "a", log) as operator:
        first = here.wait_for("job", "early-1", log)
        here.wait_for("secret", "early-1", log)
        # What comes while it runs comes through kopf's watch.
        here.apply(make_execution(here.namespace, "watched"))
        here.wait_for("job", "watched-1", log)
        check_that_a_schedule_without_a_date_is_refused(here, log)
        check_metrics(operator)
        print(f"operator RSS after start: {operator.rss_mebibytes:.0f} MiB")  # noqa: T201
        assert operator.rss_mebibytes < 250
        operator.end(signal.SIGKILL)
    here.apply(make_execution(here.namespace, "meanwhile"))
    with running_operator(here.kubeconfig, "a", log) as operator:
        here.wait_for("job", "meanwhile-1", log)
        assert here.wait_for("job", "early-1", log) == first
        assert operator.end(signal.SIGTERM) == 0
        check_rights(operator)
    assert here.holder() == ""


def test_of_two_replicas_one_leads_and_the_other_takes_over(here: Installation) -> None:
    logs = {"a": here.new_log(), "b": here.new_log()}
    here.apply(make_agent(here.namespace))
    with (
        running_operator(here.kubeconfig, "a", logs["a"]) as a,
        running_operator(here.kubeconfig, "b", logs["b"]) as b,
    ):
        leader = here.wait_for_holder("a", "b", log=logs["a"])
        other = "b" if leader == "a" else "a"
        replicas = {"a": a, "b": b}
        wait_for(lambda: "leads" in replicas[leader].words or None, "a leader", logs[leader])
        assert "leads" not in replicas[other].words
        replicas[leader].end(signal.SIGKILL)
        began = time.monotonic()
        here.wait_for_holder(other, log=logs[other])
        # A lease, two looks of the other, and a busy machine.
        assert time.monotonic() - began < LEASE_SECONDS * 2 + 5
        here.apply(make_execution(here.namespace, "later"))
        here.wait_for("job", "later-1", logs[other])
        check_rights(replicas[other])


def test_a_tenant_gets_its_own_secret_of_secret_manager_and_no_others(
    here: Installation, tmp_path: Path
) -> None:
    log, other = here.new_log(), make_namespace(here.server)
    account = ServiceAccount("operator@acme.iam.gserviceaccount.com")
    crm, provider = "projects/acme/secrets/crm", "projects/acme/secrets/anthropic"
    with FakeSecretManager() as google:
        google.know(account)
        labels = {"heliostat-namespaces": here.namespace}
        google.keep(crm, "value-of-crm", labels=labels, readers={account.email})
        labels = {"heliostat-use": "gateway", "heliostat-namespaces": other}
        google.keep(provider, "value-of-provider", labels=labels, readers={account.email})
        for namespace, name, secret in (
            (here.namespace, "own", crm),
            (other, "theirs", crm),
            (other, "gateways", provider),
        ):
            refs: JsonObject = {"envName": "TOKEN", "secretManager": {"secret": secret}}
            here.apply(make_agent(namespace, name, workspace={"secretRefs": [refs]}))
            here.apply(make_execution(namespace, name, agentRef={"name": name}))
        settings = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(account.write(tmp_path / "account.json")),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(google.write_roots(tmp_path / "roots.pem")),
            "HELIOSTAT_OPERATOR_SECRET_MANAGER_ENDPOINT": google.endpoint,
        }
        with running_operator(here.kubeconfig, "a", log, **settings) as operator:
            here.wait_for("job", "own-1", log)
            for name in ("theirs", "gateways"):
                told = wait_for(partial(blocked, here, other, name), name, log)
                assert told["reason"] == "SecretRefused"
            check_rights(operator)
    made = here.find("secret", "own-1")
    assert made is not None
    data = made["data"]
    assert isinstance(data, dict)
    assert base64.b64decode(str(data["variable.TOKEN"])) == b"value-of-crm"
    shown = here.server.kubectl("get", "executions,agents,jobs,events", "-A", "-o", "yaml")
    assert "value-of" not in shown + log.read_text()
    assert here.find("secret", "theirs-1", other) is here.find("job", "gateways-1", other) is None


def blocked(here: Installation, namespace: str, name: str) -> JsonObject | None:
    found = here.find("execution", name, namespace)
    status = found.get("status") if found else None
    blocks = status.get("blockedBy") if isinstance(status, dict) else None
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return first if isinstance(first, dict) else None
