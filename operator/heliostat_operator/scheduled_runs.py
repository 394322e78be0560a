"""The unfinished runs of each Agent's schedule, in memory, fed by the watch and by our own writes.

A tick of a thousand schedules must not begin with a thousand lists.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from heliostat_core.conditions import ExecutionCondition, FinishedReason, is_true
from heliostat_core.executions import Execution
from heliostat_core.schedules.status import RunResult
from heliostat_operator.seats import Key


class ScheduledRuns:
    """By Agent and name, each with the time that it is for; and how those ended that the watch saw
    end, until that is on record."""

    def __init__(self) -> None:
        self._live: dict[Key, dict[str, datetime | None]] = {}
        self._agents: dict[Key, Key] = {}
        self._results: dict[Key, dict[str, RunResult]] = {}

    def see(self, execution: Execution) -> None:
        """Note a run as it is now; one that is finished is no longer live."""
        meta, trigger = execution.metadata, execution.spec.trigger
        key = (meta.namespace, meta.name)
        agent = (meta.namespace, execution.spec.agent_ref.name)
        result = result_of(execution)
        if result is not None and key in self._agents:
            self._results.setdefault(agent, {})[meta.name] = result
        if not execution.is_scheduled or result is not None:
            self.forget(key)
            return
        self._agents[key] = agent
        self._live.setdefault(agent, {})[meta.name] = trigger.scheduled_time

    def forget(self, key: Key) -> None:
        """The run is gone or finished."""
        agent = self._agents.pop(key, None)
        if agent is None:
            return
        runs = self._live[agent]
        runs.pop(key[1], None)
        if not runs:
            del self._live[agent]

    def of(self, agent: Key) -> Mapping[str, datetime | None]:
        """Names of its unfinished runs and their times, the oldest first."""
        return dict(self._live.get(agent, {}))

    def results(self, agent: Key) -> Mapping[str, RunResult]:
        """How its runs ended that were seen to end."""
        return dict(self._results.get(agent, {}))

    def forget_results(self, agent: Key) -> None:
        """They are on record. One that came meanwhile is read."""
        self._results.pop(agent, None)

    def known(self) -> frozenset[Key]:
        return frozenset(self._agents)

    def keep_only(self, before: frozenset[Key], executions: Iterable[Key]) -> None:
        """Drop what a full list no longer shows of what was known before it was read."""
        for gone in before - set(executions):
            self.forget(gone)


def result_of(execution: Execution) -> RunResult | None:
    """How a run ended, None while it goes on."""
    if not execution.is_finished:
        return None
    if is_true(execution.status.conditions, ExecutionCondition.SUCCEEDED):
        return "Succeeded"
    stopped = execution.finished_reason in (FinishedReason.CANCELLED, FinishedReason.DELETED)
    return "Cancelled" if stopped else "Failed"
