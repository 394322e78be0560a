"""A schedule's life in plain data: an operator that comes and goes, runs that end at will."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.status import RunResult
from heliostat_operator.schedules.schedule_forecast import ScheduleForecast
from heliostat_operator.schedules.tick_history import receipts_of, with_receipts
from heliostat_operator.schedules.tick_outcomes import End
from heliostat_operator.schedules.ticks import Seen, Ticks, decide_ticks


@dataclass
class PlayedSchedule:
    """One Agent, what its operator decided, and the Executions that were made."""

    agent: Agent
    live: list[str] = field(default_factory=list)
    made: dict[str, datetime] = field(default_factory=dict)
    since: dict[datetime, datetime | None] = field(default_factory=dict)
    results: dict[str, RunResult] = field(default_factory=dict)
    unrecorded: dict[str, RunResult] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    starts: Counter[str] = field(default_factory=Counter)
    forecast: ScheduleForecast | None = None

    @property
    def schedule(self) -> Schedule:
        assert self.agent.spec.schedule is not None
        return self.agent.spec.schedule

    def look(self, now: datetime, *, dies_after: int | None = None) -> Ticks:
        """One look; with `dies_after` the operator dies after so many effects, before its write."""
        seen = Seen(
            live=tuple(self.live),
            made=dict(self.since),
            results=dict(self.unrecorded),
        )
        ticks = self._decide(seen, now)
        starts = [end for end in ticks.ends if end.execution_name]
        for end in starts[:dies_after]:
            self._start(end, now)
        if dies_after is None:
            self.ends.extend(ticks.ends)
            receipts = receipts_of(ticks.state.recent, ticks.ends, now)
            self._write(with_receipts(ticks.state, receipts))
        return ticks

    def _decide(self, seen: Seen, now: datetime) -> Ticks:
        """What was reckoned before changes no decision."""
        if self.forecast is None or not self.forecast.is_of(self.agent):
            self.forecast = ScheduleForecast(self.agent, self.schedule)
        ticks = decide_ticks(self.agent, self.schedule, seen, now, self.forecast)
        assert ticks == decide_ticks(self.agent, self.schedule, seen, now)
        self.forecast.reckon(ticks.state.decided_time)
        return ticks

    def look_until_done(self, now: datetime) -> None:
        while self.look(now).wake == 0:
            pass

    def finish(self, name: str, result: RunResult = "Succeeded") -> None:
        self.live.remove(name)
        self.results[name] = self.unrecorded[name] = result

    def _start(self, end: End, now: datetime) -> None:
        name = end.execution_name
        assert name is not None
        for each in end.stops:
            if each in self.live:
                self.stopped.add(each)
                self.finish(each, "Cancelled")
        if name not in self.made:  # else 409: it is there
            self.made[name] = end.tick.scheduled
            self.since[end.tick.scheduled] = now
            self.live.append(name)
            self.starts[name] += 1

    def _write(self, state: object) -> None:
        self.unrecorded.clear()
        status = self.agent.status.model_copy(update={"schedule": state})
        self.agent = self.agent.model_copy(update={"status": status})
