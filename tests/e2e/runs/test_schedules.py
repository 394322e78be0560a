"""Schedules by Kubernetes' own timer, with real pods of real CronJobs."""

import json

import pytest

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import OFFERED_ANNOTATION, cron_job_name
from support.platform import Platform

OPERATOR = "heliostat-operator"
_MINUTE_SECONDS = 150  # a minute, a pod's start, and a busy machine


@pytest.mark.timeout(600)  # it waits for the clock
def test_a_cronjob_starts_runs_also_while_the_operator_is_away(platform: Platform) -> None:
    """Two minutes in all: the first without the operator, the second with it."""
    platform.agent(
        "minutely",
        runtime={"command": ["python3", "-c", "print(1)"]},
        schedule={"cron": "* * * * *", "overlap": "Allow"},
    )
    timer = cron_job_name("minutely")
    platform.wait(lambda: platform.find("cronjob", timer) is not None, "the CronJob is made", 20)
    with platform.away(OPERATOR):
        # One of a minute that came before the operator was gone may have been let run by it.
        before = len(runs(platform))
        platform.wait(
            lambda: len(runs(platform)) > before, "a run is offered meanwhile", _MINUTE_SECONDS
        )
        offer = runs(platform)[before]
        assert offer.is_offer
    first = platform.wait_until_settled(offer.metadata.name)
    platform.wait(
        lambda: runs(platform)[-1].metadata.name > offer.metadata.name, "another", _MINUTE_SECONDS
    )
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
    for each in (first, second):
        assert each.metadata.annotations[OFFERED_ANNOTATION] == "CronJob"
        assert [attempt.reason for attempt in each.status.attempts] == ["Unverified"]
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
