"""Labels have an end, whatever is run."""

from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.agents import Agent
from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import BlockedBy, Execution, ExecutionStatus, Phase
from heliostat_core.names import TEST_OF_ANNOTATION
from heliostat_operator.model.indexes import OpenAsks, UnfinishedRuns
from heliostat_operator.observability.metrics import MOST_AGENTS, AgentLabels, Metrics
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)

BEFORE = make_execution()
PHASES = {each.value for each in Phase}


def finished(name: str, agent: str, reason: str, cause: str | None) -> Execution:
    status = make_condition_status(
        make_attempt(start=NOW, end=NOW + seconds(5), cause=cause),
        succeeded="False",
        reason=reason,
        settled="True",
    ).model_copy(update={"start_time": NOW, "cost_micros": 7, "duration_seconds": 5})
    return make_execution(name, agent=agent, status=status)


def waiting(name: str, reason: str) -> Execution:
    blocked = ExecutionStatus(blocked_by=(BlockedBy(reason=reason),))
    return make_execution(name, agent=name, status=blocked)


Annotated = TypeVar("Annotated", Agent, Execution)


def annotated(resource: Annotated, name: str) -> Annotated:
    metadata = resource.metadata.model_copy(update={"annotations": {name: "agent-1"}})
    return resource.model_copy(update={"metadata": metadata})


def labels_of(metrics: Metrics) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            for name, value in sample.labels.items():
                found.setdefault(name, set()).add(value)
    return found


names = st.from_regex(r"[a-z]{1,12}", fullmatch=True)


@settings(max_examples=15, deadline=None)
@given(
    runs=st.lists(
        st.tuples(names, names, st.from_regex(r"[A-Z][A-Za-z]{0,20}", fullmatch=True)),
        max_size=20,
    )
)
def test_no_name_of_a_run_and_no_foreign_word_becomes_a_label(
    runs: list[tuple[str, str, str]],
) -> None:
    metrics, census = Metrics(), UnfinishedRuns()
    metrics.watch(census, lambda: NOW, lambda: True)
    for name, agent, reason in runs:
        metrics.moved(BEFORE, finished(f"run-{name}", f"agent-{agent}", reason, "agent"))
        census.see(waiting(f"run-{name}", reason))
    found = labels_of(metrics)
    assert set(found) <= {"kind", "end", "phase", "reason", "cause", "namespace", "agent", "le"}
    known = {*map(str, FinishedReason), *map(str, BlockedReason), "other"}
    assert found.get("reason", set()) <= known
    assert found["phase"] <= PHASES
    assert found.get("cause", set()) <= {"agent"}


def test_only_so_many_agents_have_labels_of_their_own() -> None:
    labels = AgentLabels(most=3)
    agents = [("default", f"agent-{number}") for number in range(10)]
    for agent in agents:
        labels.see(agent)
    given = [labels.of(agent) for agent in agents]
    assert given[:3] == [("default", f"agent-{number}") for number in range(3)]
    assert set(given[3:]) == {("other", "other")}
    assert labels.of(("default", "agent-1")) == ("default", "agent-1")


def test_a_run_is_counted_once() -> None:
    metrics = Metrics()
    metrics.sees(make_agent())
    over = finished("sales-1", "sales", FinishedReason.AGENT_ERROR, None)
    metrics.moved(BEFORE, over)
    metrics.moved(over, over)
    value = metrics.registry.get_sample_value
    ended = {"phase": "Failed", "reason": "AgentError"}
    assert value("heliostat_executions_finished_total", ended) == 1
    assert value("heliostat_attempts_total", {"cause": "none"}) == 1
    agent = {"namespace": "default", "agent": "sales"}
    assert value("heliostat_agent_cost_microdollars_total", agent) == 7
    assert value("heliostat_agent_run_seconds_total", agent) == 5
    assert value("heliostat_execution_queue_seconds_count") == 1


def test_an_agent_is_shown_as_0_before_its_first_run_ends() -> None:
    metrics = Metrics()
    metrics.sees(make_agent())
    agent = {"namespace": "default", "agent": "sales"}
    value = metrics.registry.get_sample_value
    for phase in ("Succeeded", "Failed", "Cancelled"):
        assert value("heliostat_agent_executions_finished_total", {**agent, "phase": phase}) == 0
    assert value("heliostat_agent_run_seconds_total", agent) == 0
    assert value("heliostat_agent_cost_microdollars_total", agent) == 0


def test_agents_that_are_deleted_give_their_places_back() -> None:
    metrics, census = Metrics(), UnfinishedRuns()
    metrics.watch(census, lambda: NOW, lambda: True)
    for number in range(MOST_AGENTS + 100):
        name = f"short-{number}"
        metrics.sees(make_agent(name))
        metrics.moved(BEFORE, finished(f"{name}-1", name, FinishedReason.AGENT_ERROR, "agent"))
        metrics.loses(("default", name))
        metrics.moved(BEFORE, finished(f"{name}-2", name, FinishedReason.AGENT_ERROR, "agent"))
    metrics.sees(make_agent())
    metrics.moved(BEFORE, finished("sales-1", "sales", FinishedReason.AGENT_ERROR, "agent"))
    assert labels_of(metrics)["agent"] == {"sales", "other", "tests"}
    agent = {"namespace": "default", "agent": "sales"}
    assert metrics.registry.get_sample_value("heliostat_agent_run_seconds_total", agent) == 5


def test_all_test_runs_share_a_label() -> None:
    metrics, census = Metrics(), UnfinishedRuns()
    metrics.watch(census, lambda: NOW, lambda: True)
    for number in range(MOST_AGENTS + 100):
        name = f"test-{number}"
        metrics.sees(annotated(make_agent(name), TEST_OF_ANNOTATION))
        run = finished(f"{name}-1", name, FinishedReason.AGENT_ERROR, "agent")
        metrics.moved(BEFORE, annotated(run, TEST_OF_ANNOTATION))
        census.see(annotated(waiting(f"{name}-2", BlockedReason.BACKOFF), TEST_OF_ANNOTATION))
    metrics.sees(make_agent())
    assert labels_of(metrics)["agent"] == {"sales", "other", "tests"}
    tests = {"namespace": "tests", "agent": "tests"}
    value = metrics.registry.get_sample_value
    assert value("heliostat_agent_cost_microdollars_total", tests) == 7 * (MOST_AGENTS + 100)
    assert value("heliostat_agent_executions", tests) == MOST_AGENTS + 100


def test_a_time_that_was_left_out_counts_as_no_run() -> None:
    metrics = Metrics()
    metrics.sees(make_agent())
    status = make_condition_status(succeeded="False", reason="Skipped", settled="True")
    metrics.moved(BEFORE, make_execution(status=status))
    value = metrics.registry.get_sample_value
    ended = {"phase": "Skipped", "reason": "Skipped"}
    agent = {"namespace": "default", "agent": "sales"}
    assert value("heliostat_executions_finished_total", ended) == 1
    assert value("heliostat_execution_run_seconds_count") == 0
    for phase in ("Succeeded", "Failed", "Cancelled"):
        labels = {**agent, "phase": phase}
        assert value("heliostat_agent_executions_finished_total", labels) == 0
    skipped = {**agent, "phase": "Skipped"}
    assert value("heliostat_agent_executions_finished_total", skipped) is None


def test_every_phase_is_there_before_the_first_run() -> None:
    metrics = Metrics()
    metrics.watch(UnfinishedRuns(), lambda: NOW, lambda: True)
    for phase in ("Pending", "Starting", "Running", "Retrying", "Stopping"):
        assert metrics.registry.get_sample_value("heliostat_executions", {"phase": phase}) == 0
        stuck = metrics.registry.get_sample_value("heliostat_executions_stuck", {"phase": phase})
        assert stuck == 0


def test_a_replica_that_waits_shows_no_runs() -> None:
    metrics, census = Metrics(), UnfinishedRuns()
    census.see(waiting("sales-1", BlockedReason.BACKOFF))
    leads = False
    metrics.watch(census, lambda: NOW, lambda: leads)
    pending = {"phase": "Pending"}
    assert metrics.registry.get_sample_value("heliostat_executions", pending) is None
    leads = True
    assert metrics.registry.get_sample_value("heliostat_executions", pending) == 1


def test_open_asks_are_shown_by_the_leader_alone() -> None:
    metrics, leads = Metrics(), False
    metrics.watch_asks(OpenAsks(), lambda: NOW, lambda: leads)
    pending = {"state": "Pending"}
    assert metrics.registry.get_sample_value("heliostat_approvals", pending) is None
    leads = True
    for state in ("Pending", "Granted", "Claimed", "OutcomeUnknown"):
        assert metrics.registry.get_sample_value("heliostat_approvals", {"state": state}) == 0
    assert metrics.registry.get_sample_value("heliostat_approval_longest_wait_seconds") == 0
