"""Indexes of Agents, runs and asks in memory, fed by the watch and by the operator's own writes.

A tick of a thousand schedules must not begin with a thousand reads and lists; metrics must not
begin with any."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from heliostat_core.agents import Agent
from heliostat_core.approvals import OPEN, Approval, ApprovalState
from heliostat_core.conditions import ExecutionCondition, find_condition, is_true
from heliostat_core.executions import STOPS, Execution, Phase, compute_phase
from heliostat_core.names import TEST_OF_ANNOTATION
from heliostat_core.schedules.status import RunResult
from heliostat_operator.model.keys import Key


class KnownAgents:
    """Keeps Agents as the watch and our own writes brought them.

    A stale one ends in a conflict when its status is written, and is read.
    """

    def __init__(self) -> None:
        self._agents: dict[Key, Agent] = {}

    def see(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        known = self._agents.get(key)
        if known is None or _version(agent) >= _version(known):
            self._agents[key] = agent

    def forget(self, key: Key) -> None:
        self._agents.pop(key, None)

    def get(self, key: Key) -> Agent | None:
        return self._agents.get(key)


def _version(agent: Agent) -> int:
    """Resource versions are compared as numbers, as Kubernetes 1.35 promises that they can be."""
    return int(agent.metadata.resource_version or 0)


Times: TypeAlias = dict[str, datetime | None]


class ScheduledRuns:
    """Keeps the unfinished runs of each Agent's schedule by name, each with its scheduled time,
    offers apart; and how those ended that the watch saw end, until that is on record."""

    def __init__(self) -> None:
        self._live: dict[Key, Times] = {}
        self._offers: dict[Key, Times] = {}
        self._agents: dict[Key, Key] = {}
        self._results: dict[Key, dict[str, RunResult]] = {}
        self._since: dict[Key, datetime | None] = {}

    def see(self, execution: Execution) -> None:
        """Notes a run as it is now; one that is finished is no longer live."""
        meta, trigger = execution.metadata, execution.spec.trigger
        key = (meta.namespace, meta.name)
        agent = (meta.namespace, execution.spec.agent_ref.name)
        result = result_of(execution)
        if result is not None and key in self._agents:
            self._results.setdefault(agent, {})[meta.name] = result
        if not execution.is_scheduled or result is not None:
            self.forget(key)
            return
        runs = self._offers if execution.is_offer else self._live
        self._note(runs, agent, meta.name, trigger.scheduled_time)
        self._since[key] = let_run_time(execution)

    def started(self, agent: Key, name: str, time: datetime, since: datetime) -> None:
        """Notes a run that we made or let go just now."""
        self._note(self._live, agent, name, time)
        self._since[(agent[0], name)] = since

    def _note(self, runs: dict[Key, Times], agent: Key, name: str, time: datetime | None) -> None:
        key = (agent[0], name)
        self.forget(key)
        self._agents[key] = agent
        runs.setdefault(agent, {})[name] = time

    def forget(self, key: Key) -> None:
        """The run is gone or finished."""
        agent = self._agents.pop(key, None)
        self._since.pop(key, None)
        if agent is None:
            return
        for runs in (self._live, self._offers):
            of_agent = runs.get(agent, {})
            of_agent.pop(key[1], None)
            if not of_agent:
                runs.pop(agent, None)

    def of(self, agent: Key) -> Mapping[str, datetime | None]:
        """Names of its unfinished runs and their times, the oldest first."""
        return dict(self._live.get(agent, {}))

    def made_for(self, agent: Key) -> Mapping[datetime, datetime | None]:
        """Times that have an unfinished run, and since when it is let run."""
        runs = self._live.get(agent, {}).items()
        return {time: self._since.get((agent[0], name)) for name, time in runs if time is not None}

    def is_live(self, key: Key) -> bool:
        """Whether that is an unfinished run of a schedule, and no offer."""
        agent = self._agents.get(key)
        return agent is not None and key[1] in self._live.get(agent, {})

    def offers_of(self, agent: Key) -> Mapping[str, datetime | None]:
        """Names of what triggers outside made and the schedule has not let run, and their times."""
        return dict(self._offers.get(agent, {}))

    def results(self, agent: Key) -> Mapping[str, RunResult]:
        """How its runs ended that were seen to end."""
        return dict(self._results.get(agent, {}))

    def forget_results(self, agent: Key, recorded: Iterable[str]) -> None:
        """Those runs' are on record; one that came meanwhile is not."""
        known = self._results.get(agent, {})
        for name in recorded:
            known.pop(name, None)
        if not known:
            self._results.pop(agent, None)

    def known(self) -> frozenset[Key]:
        return frozenset(self._agents)

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None:
        """Drops what a full list no longer shows of what was known before it was read."""
        for gone in before - set(executions):
            self.forget(gone)


def let_run_time(execution: Execution) -> datetime | None:
    """When a schedule let it run: with its creation, or by its word on an offer."""
    due = find_condition(execution.status.conditions, ExecutionCondition.DUE)
    return due.last_transition_time if due else execution.metadata.creation_timestamp


def result_of(execution: Execution) -> RunResult | None:
    """How a run ended, None while it goes on."""
    if not execution.is_finished:
        return None
    if is_true(execution.status.conditions, ExecutionCondition.SUCCEEDED):
        return "Succeeded"
    return "Cancelled" if execution.finished_reason in STOPS else "Failed"


TESTS: Final = ("tests", "tests")
"""All test runs together: each has an Agent of its own, which is gone at once."""
_START_PATIENCE: Final = timedelta(minutes=15)  # of an image of gigabytes on a new node
_PATIENCE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class RunGaugeEntry:
    """What the gauges show of one run."""

    agent: Key  # see agent_of
    phase: Phase
    blocked: str  # the first of its reasons, empty for none
    created: datetime | None
    overdue: datetime | None  # from then on it is stuck


class UnfinishedRuns:
    """Counts the unfinished runs that the watch has shown, why they wait and which are stuck.

    It is read when the metrics are, and decides nothing.
    """

    def __init__(self) -> None:
        self._runs: dict[Key, RunGaugeEntry] = {}

    def see(self, execution: Execution) -> None:
        """Notes a run as it is now; one that is finished leaves."""
        key = (execution.metadata.namespace, execution.metadata.name)
        if execution.is_finished:
            self.forget(key)
        else:
            self._runs[key] = describe(execution)

    def forget(self, key: Key) -> None:
        self._runs.pop(key, None)

    def known(self) -> frozenset[Key]:
        return frozenset(self._runs)

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None:
        """Drops what a full list no longer shows of what was known before it was read."""
        for gone in before - set(executions):
            self.forget(gone)

    def phases(self) -> Counter[Phase]:
        return Counter(each.phase for each in self._runs.values())

    def blocks(self) -> Counter[str]:
        return Counter(each.blocked for each in self._runs.values() if each.blocked)

    def stuck(self, now: datetime) -> Counter[Phase]:
        """Runs that should have left their phase by now."""
        return Counter(
            each.phase
            for each in self._runs.values()
            if each.overdue is not None and each.overdue < now
        )

    def agents(self) -> Counter[Key]:
        return Counter(each.agent for each in self._runs.values())

    def longest_wait(self, now: datetime) -> float:
        """Seconds that the oldest run has waited for its admission; 0 when none waits."""
        waits = [
            (now - each.created).total_seconds()
            for each in self._runs.values()
            if each.phase is Phase.PENDING and each.created
        ]
        return max([0.0, *waits])


@dataclass(frozen=True)
class OpenAsk:
    """What is known of one ask without reading it."""

    execution: Key
    state: ApprovalState
    since: datetime | None


class OpenAsks:
    """Keeps the asks that the watch has shown and that may still change."""

    def __init__(self) -> None:
        self._asks: dict[Key, OpenAsk] = {}
        self._of: dict[Key, set[Key]] = {}

    def see(self, approval: Approval) -> None:
        """Notes an ask as it is now; one that has ended leaves."""
        meta = approval.metadata
        key = (meta.namespace, meta.name)
        self.forget(key)
        if approval.state in OPEN or approval.state is ApprovalState.OUTCOME_UNKNOWN:
            execution = (meta.namespace, approval.spec.execution_ref.name)
            self._asks[key] = OpenAsk(execution, approval.state, meta.creation_timestamp)
            self._of.setdefault(execution, set()).add(key)

    def forget(self, key: Key) -> None:
        """The ask is gone."""
        known = self._asks.pop(key, None)
        if known is None:
            return
        of_run = self._of[known.execution]
        of_run.discard(key)
        if not of_run:
            del self._of[known.execution]

    def of(self, execution: Key) -> frozenset[Key]:
        """The asks of a run."""
        return frozenset(self._of.get(execution, ()))

    def known(self) -> frozenset[Key]:
        return frozenset(self._asks)

    def keep_only(self, before: frozenset[Key], approvals: Iterable[Key]) -> None:
        """Drops what a full list no longer shows of what was known before it was read."""
        for gone in before - set(approvals):
            self.forget(gone)

    def count(self, state: ApprovalState) -> int:
        """How many are in that state."""
        return sum(each.state is state for each in self._asks.values())

    def longest_wait(self, now: datetime) -> float:
        """Seconds that the oldest pending ask has waited; 0 when none waits."""
        waits = [
            (now - each.since).total_seconds()
            for each in self._asks.values()
            if each.state is ApprovalState.PENDING and each.since
        ]
        return max([0.0, *waits])


class RunIndex(Protocol):
    """Is told of every unfinished run that the watch shows."""

    def see(self, execution: Execution) -> None: ...

    def forget(self, key: Key) -> None: ...

    def known(self) -> frozenset[Key]: ...

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None: ...


def describe(execution: Execution) -> RunGaugeEntry:
    """What is counted of a run."""
    blocks = execution.status.blocked_by
    return RunGaugeEntry(
        agent=agent_of(execution),
        phase=compute_phase(execution),
        blocked=blocks[0].reason if blocks else "",
        created=execution.metadata.creation_timestamp,
        overdue=overdue_time(execution),
    )


def agent_of(execution: Execution) -> Key:
    """Under which Agent a run is counted."""
    if TEST_OF_ANNOTATION in execution.metadata.annotations:
        return TESTS
    return (execution.metadata.namespace, execution.spec.agent_ref.name)


def overdue_time(execution: Execution) -> datetime | None:
    """From when a run in its present phase is stuck: by then its own clocks must have moved it.

    None for Pending: a queue may be long, and says why in `status.blockedBy`.
    """
    status, attempt = execution.status, execution.current_attempt
    match compute_phase(execution):
        case Phase.STARTING if attempt:
            return attempt.created_time + _START_PATIENCE
        case Phase.RUNNING if attempt and attempt.start_time and status.timeout:
            left = status.timeout.effective_seconds - status.timeout.used_seconds
            return attempt.start_time + timedelta(seconds=left) + _PATIENCE
        case Phase.RETRYING:
            ended = attempt.end_time if attempt else None
            since = status.next_attempt_time or ended or admitted_time(execution)
            return since + _PATIENCE if since else None
        case Phase.STOPPING if status.cancellation:
            return status.cancellation.time + _PATIENCE
        case _:
            return None


def admitted_time(execution: Execution) -> datetime | None:
    """When it was admitted; None while it waits."""
    found = find_condition(execution.status.conditions, ExecutionCondition.ADMITTED)
    return found.last_transition_time if found and found.status == "True" else None
