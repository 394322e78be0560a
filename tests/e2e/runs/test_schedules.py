"""Schedules by Kubernetes' own timer, with real pods of real CronJobs."""

import json
import time
from collections.abc import Callable

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import OFFERED_ANNOTATION, cron_job_name
from support.platform import SYSTEM, Platform

_MINUTE_SECONDS = 75


def test_a_cronjob_starts_runs_also_while_the_operator_is_away(platform: Platform) -> None:
    """Two minutes in all: the first without the operator, the second with it."""
    platform.agent(
        "minutely",
        runtime={"command": ["python3", "-c", "print(1)"]},
        schedule={"cron": "* * * * *", "overlap": "Allow"},
    )
    wait_until(lambda: platform.find("cronjob", cron_job_name("minutely")) is not None, 20)
    scale_operator(platform, 0)
    try:
        wait_until(lambda: len(runs(platform)) == 1, _MINUTE_SECONDS)
        [offer] = runs(platform)
        assert offer.is_offer
        assert offer.metadata.annotations[OFFERED_ANNOTATION] == "CronJob"
    finally:
        scale_operator(platform, 1)
    first = platform.wait_until_settled(offer.metadata.name)
    assert [each.reason for each in first.status.attempts] == ["Unverified"]
    wait_until(lambda: len(runs(platform)) == 2, _MINUTE_SECONDS)
    second = platform.wait_until_settled(runs(platform)[-1].metadata.name)
    platform.cluster.kubectl(
        "-n",
        platform.namespace,
        "patch",
        "agent",
        "minutely",
        "--type=merge",
        "-p",
        json.dumps({"spec": {"suspend": True}}),
    )
    assert second.metadata.annotations[OFFERED_ANNOTATION] == "CronJob"
    assert [each.reason for each in second.status.attempts] == ["Unverified"]
    agent = Agent.model_validate(platform.find("agent", "minutely"))
    assert agent.status.schedule is not None
    told = {each.execution_name: each.reason for each in agent.status.schedule.recent}
    assert told[second.metadata.name] == "OnTime"
    assert first.metadata.name in told
    platform.cluster.kubectl("-n", platform.namespace, "delete", "agent", "minutely")


def runs(platform: Platform) -> list[Execution]:
    found = platform.objects("execution", "heliostat.dev/agent=minutely")
    executions = [Execution.model_validate(each) for each in found]
    return sorted(executions, key=lambda each: each.metadata.name)


def scale_operator(platform: Platform, replicas: int) -> None:
    deployment = "deployment/heliostat-operator"
    kubectl = platform.cluster.kubectl
    kubectl("-n", SYSTEM, "scale", deployment, f"--replicas={replicas}")
    if replicas:
        platform.wait_for_rollout("heliostat-operator")
    else:
        kubectl(
            "-n",
            SYSTEM,
            "wait",
            "--for=delete",
            "pod",
            "-l",
            "app.kubernetes.io/name=heliostat-operator",
            "--timeout=60s",
        )


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)
