"""How runs end, as status alone shows it."""

import pytest

from support.manifests import ROOT, read_objects
from support.platform import NAMESPACE, Platform, is_blocked_by

# Long enough for Claude Code to start on a busy machine, which is silence as well.
STALL_SECONDS = 12
BUSY = ["python3", "-c", "import time; print('busy', flush=True); time.sleep(600)"]


def test_an_agent_runs_real_claude_code_to_a_verified_result(platform: Platform) -> None:
    platform.agent("hello", verify={"files": ["hello.txt"]})
    platform.run("hello-1", "hello")
    execution = platform.wait_until_settled("hello-1")
    status = execution.status
    assert execution.finished_reason == "Verified"
    assert status.phase == "Succeeded"
    assert [each.reason for each in status.attempts] == ["Verified"]
    assert status.model is not None
    assert (status.model.name, status.model.provider) == ("scripted/hello", "scripted")
    assert status.usage is not None
    assert status.usage.requests >= 1
    assert status.cost_micros > 0
    assert status.cost_micros == status.attempts[0].cost_micros
    assert platform.ask_gateway(platform.execution_key(status.attempts[0])) == 401
    log = platform.cluster.kubectl("-n", NAMESPACE, "logs", status.attempts[0].pod_name or "")
    assert '"type":"result"' in log.replace(" ", "")


def test_the_demo_agent_reports_verified_sales_under_pod_security_restricted(
    platform: Platform,
) -> None:
    demo = ROOT / "api" / "heliostat_api" / "samples"
    [agent] = read_objects(demo / "sales.yaml")
    platform.apply({**agent, "metadata": {"name": "sales", "namespace": NAMESPACE}})
    platform.run("sales-1", "sales", input=(demo / "sales.csv").read_text())
    execution = platform.wait_until_settled("sales-1", 120)
    assert execution.finished_reason == "Verified"
    assert execution.status.cost_micros == 104_282
    pod = execution.status.attempts[0].pod_name or ""
    assert "chart.png" in platform.cluster.kubectl("-n", NAMESPACE, "logs", pod)


def test_a_command_gets_the_gateway_and_its_key(platform: Platform) -> None:
    program = (
        "import json, os, urllib.request\n"
        "body = json.dumps({'model': 'scripted/hello', 'max_tokens': 9,"
        " 'messages': [{'role': 'user', 'content': 'hi'}]}).encode()\n"
        "request = urllib.request.Request(os.environ['ANTHROPIC_BASE_URL'] + '/v1/messages', body,"
        " {'x-api-key': os.environ['ANTHROPIC_API_KEY'], 'content-type': 'application/json'})\n"
        "print(json.load(urllib.request.urlopen(request))['type'])\n"
        "assert os.environ['OPENAI_API_KEY'] == os.environ['ANTHROPIC_API_KEY']\n"
        "assert os.environ['OPENAI_BASE_URL'].endswith('/v1')\n"
    )
    platform.agent("command", runtime={"command": ["python3", "-c", program]})
    platform.run("command-1", "command")
    execution = platform.wait_until_settled("command-1")
    assert execution.finished_reason == "Unverified"
    assert execution.status.usage is not None
    assert execution.status.usage.requests == 1


@pytest.mark.parametrize("limit", [0, 1])
def test_a_run_that_needs_too_much_memory_is_retried_as_its_limit_says(
    platform: Platform, limit: int
) -> None:
    name = f"hungry-{limit}"
    eat = "x = []\nwhile True: x.append(bytearray(8 * 1024 * 1024))"
    platform.agent(
        name,
        runtime={"command": ["python3", "-c", eat]},
        retry={"limit": limit, "backoffSeconds": [1]},
        workspace={"resources": {"memory": "128Mi"}},
    )
    platform.run(f"{name}-1", name)
    execution = platform.wait_until_finished(f"{name}-1")
    assert execution.finished_reason == "OutOfMemory"
    reasons = [each.reason for each in execution.status.attempts]
    assert reasons == ["OutOfMemory"] * (limit + 1)
    assert "workspace.resources.memory" in execution.status.attempts[-1].message


def test_the_clock_ends_a_run(platform: Platform) -> None:
    platform.agent("slow", runtime={"command": BUSY}, limits={"timeoutSeconds": 3})
    platform.run("slow-1", "slow")
    execution = platform.wait_until_finished("slow-1")
    assert execution.finished_reason == "TimedOut"
    assert execution.status.attempts[-1].cause == "limit"
    assert execution.status.timeout is not None
    assert execution.status.timeout.effective_seconds == 3
    assert execution.status.duration_seconds is not None
    assert 3 <= execution.status.duration_seconds <= 20


def test_a_provider_that_stands_still_is_noticed_and_given_up(platform: Platform) -> None:
    platform.agent(
        "stuck", model="scripted/stall", runtime={"claudeCode": {}, "stallSeconds": STALL_SECONDS}
    )
    platform.run("stuck-1", "stuck")
    execution = platform.wait_until_settled("stuck-1")
    assert execution.finished_reason == "Stalled"
    assert execution.status.usage is not None
    assert execution.status.usage.requests == 2  # the first, and the one resumption


def test_one_stall_is_survived(platform: Platform) -> None:
    platform.agent(
        "stuck-once",
        model="scripted/stall-once",
        runtime={"claudeCode": {}, "stallSeconds": STALL_SECONDS},
    )
    platform.run("stuck-once-1", "stuck-once")
    assert platform.wait_until_finished("stuck-once-1").finished_reason == "Unverified"


def test_a_run_without_room_waits_with_the_schedulers_words(platform: Platform) -> None:
    platform.agent("big", workspace={"resources": {"cpu": "500"}})
    platform.run("big-1", "big")
    execution = platform.wait_for_execution(
        "big-1", is_blocked_by("Unschedulable"), "unschedulable"
    )
    assert "Insufficient cpu" in execution.status.blocked_by[0].message
    platform.cluster.kubectl("-n", NAMESPACE, "delete", "execution", "big-1", "--timeout=20s")


def test_an_image_that_is_nowhere_is_named(platform: Platform) -> None:
    platform.agent("no-image", workspace={"image": "registry.invalid/nothing:1"})
    platform.run("no-image-1", "no-image")
    execution = platform.wait_for_execution(
        "no-image-1", is_blocked_by("ImagePullFailed"), "blocked by its image"
    )
    assert "workspace.image" in execution.status.blocked_by[0].message
    platform.cluster.kubectl(
        "-n", NAMESPACE, "patch", "execution", "no-image-1", "--type=merge",
        "-p", '{"spec":{"cancel":true}}',
    )  # fmt: skip
    assert platform.wait_until_finished("no-image-1", 10).finished_reason == "Cancelled"


def test_an_image_without_the_runner_is_a_configuration_cause(platform: Platform) -> None:
    platform.agent("no-runner", workspace={"image": "heliostat-gateway:dev"})
    platform.run("no-runner-1", "no-runner")
    execution = platform.wait_for_execution(
        "no-runner-1", is_blocked_by("ConfigurationHeld"), "held by its configuration"
    )
    attempt = execution.status.attempts[0]
    assert (attempt.reason, attempt.cause) == ("RuntimeMissing", "configuration")
    assert execution.status.blocked_by[0].estimated_time is not None
    platform.cluster.kubectl("-n", NAMESPACE, "delete", "execution", "no-runner-1")


def test_a_missing_secret_holds_the_run_until_it_is_there(platform: Platform) -> None:
    platform.agent(
        "needs-secret",
        workspace={"secretRefs": [{"name": "token", "key": "value", "envName": "TOKEN"}]},
        runtime={"command": ["python3", "-c", "import os; assert os.environ['TOKEN'] == 'abc'"]},
    )
    platform.run("needs-secret-1", "needs-secret")
    platform.wait_for_execution(
        "needs-secret-1", is_blocked_by("ContainerConfigError"), "blocked by its Secret"
    )
    platform.cluster.kubectl(
        "-n", NAMESPACE, "create", "secret", "generic", "token", "--from-literal=value=abc"
    )
    assert platform.wait_until_finished("needs-secret-1", 120).finished_reason == "Unverified"
