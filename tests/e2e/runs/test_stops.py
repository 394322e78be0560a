"""Stopping a run: cancel and deletion, within five seconds and with a dead key."""

import json
import time

from heliostat_core.executions import Execution
from heliostat_core.resources import ObjectHead
from support.platform import NAMESPACE, Platform

BUSY = ["python3", "-c", "import time; print('busy', flush=True); time.sleep(600)"]
STOP_SECONDS = 5


def test_cancel_ends_a_run_within_five_seconds(platform: Platform) -> None:
    platform.agent("busy", model="scripted/long")
    platform.run("busy-1", "busy")
    attempt = platform.wait_until_running("busy-1")
    key = platform.execution_key(attempt)
    began = time.monotonic()
    platform.cluster.kubectl(
        "-n", NAMESPACE, "patch", "execution", "busy-1", "--type=merge",
        "--field-manager=alice", "-p", '{"spec":{"cancel":true}}',
    )  # fmt: skip
    execution = platform.wait_until_finished("busy-1", 20)
    took = time.monotonic() - began
    assert platform.find("pod", attempt.pod_name or "") is None
    assert execution.finished_reason == "Cancelled"
    assert execution.status.cancellation is not None
    assert execution.status.cancellation.by == "alice"
    assert platform.ask_gateway(key) == 401
    assert took <= STOP_SECONDS, f"cancelling took {took:.1f} s"


def test_deleting_a_running_execution_leaves_an_event_and_a_dead_key(platform: Platform) -> None:
    platform.agent("doomed", model="scripted/long")
    platform.run("doomed-1", "doomed")
    attempt = platform.wait_until_running("doomed-1")
    key = platform.execution_key(attempt)
    began = time.monotonic()
    platform.cluster.kubectl("-n", NAMESPACE, "delete", "execution", "doomed-1", "--timeout=20s")
    took = time.monotonic() - began
    assert platform.find("pod", attempt.pod_name or "") is None
    assert platform.ask_gateway(key) == 401
    events = platform.cluster.kubectl(
        "-n", NAMESPACE, "get", "events", "--field-selector",
        "involvedObject.kind=Agent,involvedObject.name=doomed", "-o", "json",
    )  # fmt: skip
    reasons = [each["reason"] for each in json.loads(events)["items"]]
    assert reasons == ["ExecutionDeleted"]
    assert took <= STOP_SECONDS, f"deleting took {took:.1f} s"


def test_a_suspended_agent_lets_new_executions_wait(platform: Platform) -> None:
    platform.agent("paused", suspend=True)
    platform.run("paused-1", "paused")
    execution = platform.wait_for_execution(
        "paused-1",
        lambda each: any(b.reason == "AgentSuspended" for b in each.status.blocked_by),
        "blocked",
    )
    assert execution.status.phase == "Pending"
    platform.agent("paused", suspend=False)
    assert platform.wait_until_finished("paused-1").finished_reason == "Unverified"


def test_an_execution_waits_for_its_agent(platform: Platform) -> None:
    platform.run("early-1", "late")
    platform.wait_for_execution(
        "early-1",
        lambda each: any(b.reason == "AgentNotFound" for b in each.status.blocked_by),
        "waiting for its Agent",
    )
    platform.agent("late")
    assert platform.wait_until_finished("early-1").finished_reason == "Unverified"


def test_finished_executions_go_when_the_history_is_full(platform: Platform) -> None:
    platform.agent("tidy", runtime={"command": ["true"]}, history={"successful": 1, "failed": 1})
    for number in (1, 2, 3):
        platform.run(f"tidy-{number}", "tidy")
        wait_until_over(platform, f"tidy-{number}")
    platform.wait(lambda: left(platform) == ["tidy-3"], "only the newest is left", 30)


def wait_until_over(platform: Platform, name: str) -> None:
    def is_over() -> bool:
        found = platform.find("execution", name)
        return found is None or Execution.model_validate(found).is_settled

    platform.wait(is_over, f"{name} is over")


def left(platform: Platform) -> list[str]:
    heads = [
        ObjectHead.model_validate(each)
        for each in platform.objects("executions", "heliostat.dev/agent=tidy")
    ]
    return sorted(each.metadata.name for each in heads)
