"""The commands against a real API server; nobody reconciles there but the test itself."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from support.control_plane import Address
from support.heliostat_program import PROGRAM, build_environ
from support.kubectl import Kubectl

from .conftest import Heliostat

AGENT = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: sales}
spec:
  prompt: Report on ${parameters.region}.
  model: {name: scripted/demo}
"""
CONTEXT = ("--context", "test")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sales.yaml"
    path.write_text(AGENT)
    return path


@pytest.fixture
def team(cluster: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    cluster("create", "namespace", name)
    yield name
    cluster("delete", "executions,agents", "--all", "-n", name, "--wait=false")


def set_status(cluster: Kubectl, team: str, name: str, **status: object) -> None:
    patch = json.dumps({"status": status})
    arguments = ("patch", "execution", name, "-n", team, "--subresource=status", "--type=merge")
    cluster(*arguments, "-p", patch)


def finished(reason: str, status: str = "False") -> list[dict[str, str]]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    common = {"lastTransitionTime": since, "message": "as it is"}
    return [
        {"type": "Succeeded", "status": status, "reason": reason, **common},
        {"type": "Settled", "status": "True", "reason": "Settled", **common},
    ]


def only_execution(cluster: Kubectl, team: str) -> str:
    return wait_for(
        lambda: cluster("get", "executions", "-n", team, "-o", "name").strip().rpartition("/")[2]
    )


def wait_for(look: Callable[[], str], seconds: float = 20) -> str:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.1)
    return found


def test_apply_get_and_describe_speak_as_kubectl_does(
    in_cluster: Heliostat, file: Path, team: str
) -> None:
    applied = [in_cluster("apply", "-f", file, "-n", team, *CONTEXT) for _ in range(2)]
    assert [each.stdout for each in applied] == [
        "agent.heliostat.dev/sales created\n",
        "agent.heliostat.dev/sales unchanged\n",
    ]
    got = in_cluster("get", "agents", "-n", team, *CONTEXT)
    assert got.stdout.split()[:4] == ["NAME", "READY", "SCHEDULE", "NEXT"]
    assert got.stderr == f"world: cluster test, namespace {team}\n"
    document = json.loads(
        in_cluster("get", "agent/sales", "-n", team, "-o", "json", *CONTEXT).stdout
    )
    assert (document["kind"], "managedFields" in document["metadata"]) == ("Agent", False)
    listed = yaml.safe_load(in_cluster("get", "hag", "-n", team, "-o", "yaml", *CONTEXT).stdout)
    assert (listed["kind"], len(listed["items"])) == ("List", 1)
    named = in_cluster("get", "agents", "-n", team, "-o", "name", *CONTEXT)
    assert named.stdout == "agent.heliostat.dev/sales\n"
    described = in_cluster("describe", "agent", "sales", "-n", team, *CONTEXT)
    assert "World:         cluster test\n" in described.stdout


def test_a_run_that_is_not_followed_is_made_and_waits(
    in_cluster: Heliostat, cluster: Kubectl, file: Path, team: str
) -> None:
    ran = in_cluster("run", file, "-p", "region=EU", "--no-follow", "-n", team, *CONTEXT)
    name = only_execution(cluster, team)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"world: cluster test, namespace {team}\n"
        "agent sales created, Claude Code with scripted/demo\n"
        f"execution {name} created\n"
        f"heliostat logs -f {name} follows it\n"
    )
    spec = json.loads(cluster("get", "execution", name, "-n", team, "-o", "json"))["spec"]
    assert spec["trigger"]["kind"] == "Command"
    assert spec["parameters"] == [{"name": "region", "value": "EU"}]
    block = {"reason": "AgentSuspended", "message": "Set spec.suspend to false."}
    set_status(cluster, team, name, phase="Pending", blockedBy=[block], conditions=[])
    why = in_cluster("why", name, "-n", team, *CONTEXT)
    assert why.stdout == (
        f"execution {name}: Pending\n  AgentSuspended: Set spec.suspend to false.\n"
    )
    no_log = in_cluster("logs", name, "-n", team, *CONTEXT)
    assert (no_log.returncode, no_log.stderr) == (
        1,
        f"error: {name} has no attempt yet\nremedy: `heliostat why {name}` says why.\n",
    )


def start(api_server: Address, home: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    environ = build_environ(home, KUBECONFIG=str(api_server.kubeconfig))
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_following_ends_with_the_run_and_its_exit_code(
    api_server: Address, cluster: Kubectl, file: Path, team: str, tmp_path: Path
) -> None:
    with start(api_server, tmp_path, "run", file, "-p", "region=EU", "-n", team, *CONTEXT) as run:
        name = only_execution(cluster, team)
        conditions = finished("VerificationFailed")
        set_status(cluster, team, name, phase="Failed", conditions=conditions, costMicros=4210)
        out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (1, "")
    assert f"execution   {name}: Failed (VerificationFailed)\n" in out
    assert "cost        $0.004210\n" in out
    assert "remedy      the work was refused, not lost" in out


def test_an_interrupted_follower_leaves_a_cluster_run_alone(
    api_server: Address, cluster: Kubectl, file: Path, team: str, tmp_path: Path
) -> None:
    with start(api_server, tmp_path, "run", file, "-p", "region=EU", "-n", team, *CONTEXT) as run:
        name = only_execution(cluster, team)
        assert run.stdout is not None
        told = iter(run.stdout.readline, "")
        assert any("Pending" in line for line in told)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert f"the run goes on: heliostat logs -f {name}; heliostat cancel {name}\n" in out
    spec = json.loads(cluster("get", "execution", name, "-n", team, "-o", "json"))["spec"]
    assert spec["cancel"] is False


def test_cancel_sets_the_field_under_its_own_name_and_waits_for_the_end(
    in_cluster: Heliostat,
    api_server: Address,
    cluster: Kubectl,
    file: Path,
    team: str,
    tmp_path: Path,
) -> None:
    in_cluster("run", file, "-p", "region=EU", "--no-follow", "-n", team, *CONTEXT)
    name = only_execution(cluster, team)
    with start(api_server, tmp_path, "cancel", name, "-n", team, *CONTEXT) as cancelling:
        path = "jsonpath={.spec.cancel}"
        look = ("get", "execution", name, "-n", team, "-o", path)
        wait_for(lambda: "yes" if cluster(*look) == "true" else "")
        set_status(cluster, team, name, phase="Cancelled", conditions=finished("Cancelled"))
        out, _ = cancelling.communicate(timeout=30)
    assert cancelling.returncode == 0
    assert out.endswith("Cancelled\n")
    shown = cluster("get", "execution", name, "-n", team, "-o", "json", "--show-managed-fields")
    execution = json.loads(shown)
    managers = {
        each["manager"]
        for each in execution["metadata"]["managedFields"]
        if "f:cancel" in each["fieldsV1"].get("f:spec", {})
    }
    assert "heliostat-cancel" in managers
    assert execution["spec"]["parameters"] == [{"name": "region", "value": "EU"}]
    again = in_cluster("cancel", name, "-n", team, *CONTEXT)
    assert again.stdout == f"{name} has ended already: Cancelled\n"


def test_what_is_not_there_is_named_with_the_world(in_cluster: Heliostat, team: str) -> None:
    ended = in_cluster("get", "execution", "none", "-n", team, *CONTEXT)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(
        f"error: there is no Execution 'none' in cluster test, namespace {team}\n"
    )


def test_delete_needs_a_name_and_takes_it_away(
    in_cluster: Heliostat, file: Path, team: str
) -> None:
    in_cluster("apply", "-f", file, "-n", team, *CONTEXT)
    nameless = in_cluster("delete", "agent", "-n", team, *CONTEXT)
    assert (nameless.returncode, nameless.stdout) == (2, "")
    deleted = in_cluster("delete", "agent", "sales", "-n", team, *CONTEXT)
    assert deleted.stdout == "agent.heliostat.dev/sales deleted\n"


def test_an_unknown_context_is_refused_in_words(in_cluster: Heliostat) -> None:
    ended = in_cluster("get", "agents", "--context", "moon")
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: no cluster to talk to:")
    assert "Traceback" not in ended.stderr


def test_without_a_namespace_that_of_the_context_is_meant(
    api_server: Address, cluster: Kubectl, file: Path, team: str, tmp_path: Path
) -> None:
    config = json.loads(api_server.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = team
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))

    def heliostat(*arguments: str | Path) -> str:
        return subprocess.run(
            [PROGRAM, *arguments, *CONTEXT],
            env=build_environ(tmp_path, KUBECONFIG=str(kubeconfig)),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    ran = heliostat("run", file, "-p", "region=EU", "--no-follow")
    assert ran.startswith(f"world: cluster test, namespace {team}\n")
    assert cluster("get", "agents", "-n", team, "-o", "name").split() == [
        "agent.heliostat.dev/sales"
    ]
    assert "sales" in heliostat("get", "agents")
    assert "No agents" not in heliostat("describe", "agent", "sales")
    name = heliostat("get", "executions", "-o", "name").split("/")[1].strip()
    assert "AgentNotFound" not in heliostat("why", name)
    assert "sales" not in heliostat("get", "agents", "-n", "default", "-o", "name")
