"""The unfinished runs of each Agent's schedule, in memory, fed by the watch and by our own writes.

A tick of a thousand schedules must not begin with a thousand lists.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from heliostat_core.conditions import ExecutionCondition, find_condition, is_true
from heliostat_core.executions import STOPS, Execution
from heliostat_core.schedules.status import RunResult
from heliostat_operator.runs.seats import Key

Times: TypeAlias = dict[str, datetime | None]


class ScheduledRuns:
    """By Agent and name, each with the time that it is for, offers apart; and how those ended that
    the watch saw end, until that is on record."""

    def __init__(self) -> None:
        self._live: dict[Key, Times] = {}
        self._offers: dict[Key, Times] = {}
        self._agents: dict[Key, Key] = {}
        self._results: dict[Key, dict[str, RunResult]] = {}
        self._since: dict[Key, datetime | None] = {}

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
        runs = self._offers if execution.is_offer else self._live
        self._note(runs, agent, meta.name, trigger.scheduled_time)
        self._since[key] = let_run_time(execution)

    def started(self, agent: Key, name: str, time: datetime, since: datetime) -> None:
        """Note a run that we made or let go just now."""
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
        """Drop what a full list no longer shows of what was known before it was read."""
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
