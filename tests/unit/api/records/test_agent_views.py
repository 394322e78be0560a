"""What people see of an Agent resource."""

from collections.abc import Mapping
from datetime import UTC, datetime

from heliostat_api.records.projections import Readiness, readiness, view_agent
from heliostat_api.records.states import observe_state
from heliostat_core.agents import Agent

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "SecretMissing",
    "message": "Secret crm does not exist.",
    "lastTransitionTime": NOW.isoformat(),
}


def make_agent(schedule: Mapping[str, str] | None) -> Agent:
    return Agent.model_validate(
        {
            "metadata": {"name": "sales", "namespace": "default", "uid": "1"},
            "spec": {"prompt": "Report.", **({"schedule": schedule} if schedule else {})},
            "status": {"conditions": [READY]},
        }
    )


def test_why_it_is_not_ready_is_told_as_a_word_that_a_page_can_translate() -> None:
    agent = make_agent(None)
    view, state = view_agent(agent), observe_state(agent, None)
    assert (view.is_ready, view.ready_reason) == (False, "SecretMissing")
    assert (state.is_ready, state.ready_reason) == (False, "SecretMissing")
    assert view.ready_message == "Secret crm does not exist."


def test_the_zone_of_its_schedule_is_told() -> None:
    seoul = {"frequency": "daily", "time": "08:00", "timeZone": "Asia/Seoul"}
    assert view_agent(make_agent(seoul)).schedule_zone == "Asia/Seoul"
    assert view_agent(make_agent(None)).schedule_zone is None


def test_an_agent_that_the_operator_has_not_seen_is_neither_ready_nor_not() -> None:
    agent = Agent.model_validate({"metadata": {"name": "x"}, "spec": {"prompt": "x"}})
    assert readiness(agent) == Readiness(is_ready=None, reason="", message="")


def test_a_schedule_with_faults_has_no_words() -> None:
    never = {"cron": "0 0 30 2 *"}
    assert view_agent(make_agent(never)).schedule is None
    assert view_agent(make_agent({"cron": "0 8 * * *"})).schedule is not None
