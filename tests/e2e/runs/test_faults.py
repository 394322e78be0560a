"""What dies on the way loses no run and doubles none."""

import itertools
from pathlib import Path

from heliostat_core.executions import Execution
from heliostat_core.worlds import JsonObject
from support.cluster import run
from support.platform import NAMESPACE, Platform

GATEWAY, OPERATOR = "heliostat-gateway", "heliostat-operator"


def reasons(execution: Execution) -> list[str | None]:
    return [each.reason for each in execution.status.attempts]


def jobs(platform: Platform, execution: str) -> list[str]:
    found = platform.objects("jobs", f"heliostat.dev/execution={execution}")
    return sorted(str(each["metadata"]["name"]) for each in found)  # type: ignore[index,call-overload]


def test_an_evicted_pod_does_not_burn_a_retry(platform: Platform) -> None:
    platform.agent("evicted", model="scripted/slow-steps", retry={"limit": 0})
    platform.run("evicted-1", "evicted")
    platform.evict(platform.wait_until_running("evicted-1").pod_name or "")
    execution = platform.wait_until_settled("evicted-1", 120)
    assert execution.finished_reason == "Unverified"
    first = execution.status.attempts[0]
    assert (first.reason, first.cause) == ("Evicted", "infrastructure")
    assert len(execution.status.attempts) == 2
    assert not execution.status.attempts[1].resumed
    assert jobs(platform, "evicted-1") == ["evicted-1-1", "evicted-1-2"]


def test_a_deleted_pod_is_told_as_one(platform: Platform) -> None:
    platform.agent("removed", model="scripted/slow-steps")
    platform.run("removed-1", "removed")
    pod = platform.wait_until_running("removed-1").pod_name or ""
    platform.cluster.kubectl("-n", NAMESPACE, "delete", "pod", pod, "--wait=false")
    execution = platform.wait_until_settled("removed-1", 120)
    assert reasons(execution) == ["PodDeleted", "Unverified"]


def test_a_run_that_writes_more_than_it_may_has_no_free_attempts(platform: Platform) -> None:
    limits: JsonObject = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small", "namespace": NAMESPACE},
        "spec": {
            "limits": [{"type": "Container", "default": {"ephemeral-storage": "20Mi"}}],
        },
    }
    write = "open('/workspace/big', 'wb').write(bytes(100_000_000))\nimport time; time.sleep(300)"
    platform.apply(limits)
    try:
        platform.agent("greedy", runtime={"command": ["python3", "-c", write]})
        platform.run("greedy-1", "greedy")
        execution = platform.wait_until_finished("greedy-1", 180)
    finally:
        platform.cluster.kubectl("-n", NAMESPACE, "delete", "limitrange", "small")
    assert reasons(execution) == ["OutOfStorage"]
    assert "exceed" in execution.status.attempts[0].message


def test_with_a_volume_the_second_attempt_goes_on_in_the_same_session(platform: Platform) -> None:
    platform.agent(
        "keeper",
        model="scripted/slow-steps",
        workspace={"storage": {"type": "Volume", "size": "1Gi"}},
        verify={"command": ["python3", "-c", "assert open('steps.txt').read().count('step') == 8"]},
    )
    platform.run("keeper-1", "keeper")
    attempt = platform.wait_until_running("keeper-1")
    platform.wait_for_log(attempt.pod_name or "", "Step 2.")
    platform.evict(attempt.pod_name or "")
    execution = platform.wait_until_settled("keeper-1", 120)
    assert execution.finished_reason == "Verified"  # each step was done once
    assert execution.status.attempts[1].resumed
    assert len({each.session_id for each in execution.status.attempts}) == 1
    assert execution.status.usage is not None
    assert execution.status.usage.requests <= 10  # nine turns; the one that was cut off may repeat


def test_an_eviction_while_the_operator_is_away_is_made_up_for(platform: Platform) -> None:
    platform.agent("unwatched", model="scripted/slow-steps")
    platform.run("unwatched-1", "unwatched")
    attempt = platform.wait_until_running("unwatched-1")
    with platform.away(OPERATOR):
        platform.evict(attempt.pod_name or "")
        platform.wait(
            lambda: platform.find("pod", attempt.pod_name or "") is None, "the pod is gone"
        )
    execution = platform.wait_until_settled("unwatched-1", 120)
    assert execution.finished_reason == "Unverified"
    assert execution.status.attempts[0].cause == "infrastructure"
    assert len(execution.status.attempts) == 2


def test_a_killed_operator_goes_on_where_it_was(platform: Platform) -> None:
    platform.agent("orphan", model="scripted/slow-steps")
    platform.run("orphan-1", "orphan")
    platform.wait_until_running("orphan-1")
    platform.kill_program(OPERATOR, "heliostat_operator")
    execution = platform.wait_until_settled("orphan-1", 120)
    assert reasons(execution) == ["Unverified"]
    assert jobs(platform, "orphan-1") == ["orphan-1-1"]


def test_an_api_server_that_is_away_for_20_seconds_costs_no_attempt(platform: Platform) -> None:
    platform.agent("patient", model="scripted/slow-steps")
    platform.run("patient-1", "patient")
    platform.wait_until_running("patient-1")
    platform.cluster.kill("kube-apiserver")
    pause(20)
    platform.cluster.restart("kube-apiserver")
    try:
        execution = platform.wait_until_settled("patient-1", 120)
        assert reasons(execution) == ["Unverified"]
    finally:
        # They look again after up to a minute, and the next tests need them.
        for name in ("kube-controller-manager", "kube-scheduler"):
            platform.cluster.kill(name)
            platform.cluster.restart(name)
        # The kubelet, too, and it can't be hurried: a run that ends has seen all of them back.
        platform.agent("afterwards")
        platform.run("afterwards-1", "afterwards")
        platform.wait_until_settled("afterwards-1", 180)


def pause(seconds: int) -> None:
    """The fault itself lasts so long."""
    run(Path("/bin/sleep"), str(seconds))


def test_a_gateway_killed_in_a_stream_is_booked_and_the_run_goes_on(platform: Platform) -> None:
    platform.agent("streaming", model="scripted/slow-steps")
    platform.run("streaming-1", "streaming")
    attempt = platform.wait_until_running("streaming-1")
    platform.wait_for_log(attempt.pod_name or "", "Step 1.")
    platform.kill_program(GATEWAY, "heliostat_gateway")
    platform.wait_for_rollout(GATEWAY)
    execution = platform.wait_until_settled("streaming-1", 180)
    assert execution.finished_reason == "Unverified"
    assert all(each.cause in (None, "infrastructure") for each in execution.status.attempts), (
        reasons(execution)
    )
    total = sum(each.cost_micros for each in execution.status.attempts)
    assert abs(execution.status.cost_micros - total) <= len(execution.status.attempts)


def test_a_claude_code_that_never_exits_keeps_its_result(
    platform: Platform, tmp_path: Path
) -> None:
    script = platform.cluster.node_script
    assert script is not None, "needs an image of its own, built by the node script"
    (tmp_path / "linger").write_text(LINGER)
    (tmp_path / "Dockerfile").write_text(
        "FROM heliostat-workspace:dev\nCOPY --chmod=755 linger /opt/linger\n"
        "ENV HELIOSTAT_CLAUDE_BINARY=/opt/linger\n"
    )
    run(script, "build", "heliostat-linger:dev", "-f", str(tmp_path / "Dockerfile"), str(tmp_path))
    platform.agent("linger", workspace={"image": "heliostat-linger:dev"})
    platform.run("linger-1", "linger")
    execution = platform.wait_until_settled("linger-1", 120)
    assert execution.finished_reason == "Unverified"
    assert len(execution.status.attempts) == 1
    assert execution.status.duration_seconds is not None
    assert 20 <= execution.status.duration_seconds <= 100


# Stays after Claude Code has done everything. A binary that is moved would be a layer of 250 MB.
LINGER = """#!/bin/sh
/opt/heliostat/lib/python3.*/site-packages/claude_agent_sdk/_bundled/claude "$@"
exec sleep 600
"""


def test_two_operators_keep_a_limit_of_one(platform: Platform) -> None:
    platform.agent(
        "single",
        maxConcurrentExecutions=1,
        runtime={"command": ["python3", "-c", "import time; time.sleep(2)"]},
    )
    platform.scale(OPERATOR, 2)
    try:
        names = [f"single-{number}" for number in range(4)]
        for name in names:
            platform.run(name, "single")
        done = [platform.wait_until_finished(name, 120) for name in names]
    finally:
        platform.scale(OPERATOR, 1)
    assert {each.finished_reason for each in done} == {"Unverified"}
    assert all(len(each.status.attempts) == 1 for each in done)
    attempts = [each.status.attempts[0] for each in done]
    spans = sorted(
        (each.start_time, each.end_time) for each in attempts if each.start_time and each.end_time
    )
    assert len(spans) == len(names)
    for (_, ended), (started, _) in itertools.pairwise(spans):
        assert ended <= started


def test_a_running_execution_does_not_hold_up_an_uninstall(platform: Platform) -> None:
    platform.agent("last", model="scripted/long")
    platform.run("last-1", "last")
    platform.wait_until_running("last-1")
    try:
        platform.cluster.kubectl("delete", "-k", "manifests", "--timeout=90s")
        assert "heliostat" not in platform.cluster.kubectl(
            "get", "clusterroles,clusterrolebindings,crds", "-o", "name"
        )
        pods = platform.objects("pods", "heliostat.dev/execution=last-1")
        assert pods == []
    finally:
        platform.install()
    assert platform.cluster.kubectl("-n", NAMESPACE, "get", "executions", "-o", "name") == ""
