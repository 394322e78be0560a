"""Forecasts what follows from an Agent's spec alone, before a time comes: at a tick there are a
thousand of them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, islice, pairwise

from heliostat_core.agents import Agent
from heliostat_core.schedules import Fire, Schedule, describe, jittered
from heliostat_core.schedules.fires import end_of_blackouts, fires_after, times_after
from heliostat_operator.schedules.tick_outcomes import Tick

_RECKONED = 2  # one that is due next, and one that is ahead of it
_INSTANT = timedelta(microseconds=1)
_MOST_BLACKOUTS = 300  # in a row
_TIMING = ("cron", "frequency", "time", "weekday", "month_day", "time_zone", "daylight_saving")


class ScheduleForecast:
    """The times of a schedule, its words and its digest. `reckon` only saves time later: what is
    answered is the same."""

    def __init__(self, agent: Agent, schedule: Schedule) -> None:
        self._uid, self._generation = agent.metadata.uid, agent.metadata.generation
        self._schedule = schedule
        self._ticks: tuple[Tick, ...] = ()
        self._after: datetime | None = None
        self.digest = digest_of(schedule)
        self.words = describe(schedule, "en")[:256]

    def is_of(self, agent: Agent) -> bool:
        """Whether the Agent's spec is still the one that this was made from."""
        meta = agent.metadata
        return (meta.uid, meta.generation) == (self._uid, self._generation)

    def reckon(self, after: datetime) -> None:
        """Have the next times after that one ready."""
        self._ticks = tuple(islice(self.ticks_after(after), _RECKONED))
        self._after = after

    def ticks_after(self, after: datetime) -> Iterator[Tick]:
        """All of them, in order, without end."""
        if self._after is not None and self._after <= after:
            for tick in self._ticks:
                if tick.scheduled > after:
                    yield tick
                    after = tick.scheduled
        yield from self._reckoned(after)

    def tick_of(self, time: datetime) -> Tick:
        """That time of the schedule."""
        following = next(times_after(self._schedule, time), None)
        return Tick(time, self._due(time, following))

    def free_from(self, tick: Tick | None) -> Tick | None:
        """That one, or the next that no blackout leaves out."""
        for _ in range(_MOST_BLACKOUTS):
            if tick is None or tick.blackout is None:
                return tick
            end = end_of_blackouts(self._schedule, tick.scheduled) or tick.scheduled
            tick = next(self.ticks_after(max(end - _INSTANT, tick.scheduled)), None)
        return None

    def _reckoned(self, after: datetime) -> Iterator[Tick]:
        ahead = fires_after(self._schedule, after)
        if self._schedule.jitter_seconds:
            yield from self._jittered(ahead)
        else:
            yield from (Tick(each.time, each.time, each.blackout) for each in ahead)

    def _jittered(self, ahead: Iterator[Fire]) -> Iterator[Tick]:
        with_end: Iterator[Fire | None] = chain(ahead, (None,))
        for fire, following in pairwise(with_end):
            if fire is not None:
                due = self._due(fire.time, following.time if following else None)
                yield Tick(fire.time, due, fire.blackout)

    def _due(self, time: datetime, following: datetime | None) -> datetime:
        return jittered(time, following, self._uid, self._schedule.jitter_seconds)


def digest_of(schedule: Schedule) -> str:
    """The same for schedules with the same times."""
    timing = {name: getattr(schedule, name) for name in _TIMING}
    return hashlib.sha256(json.dumps(timing).encode()).hexdigest()[:16]
