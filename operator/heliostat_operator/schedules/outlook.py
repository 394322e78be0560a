"""What follows of an Agent's schedule from its spec alone: reckoned before a time comes, for at a
tick there are a thousand of them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice, pairwise

from heliostat_core.agents import Agent
from heliostat_core.schedules import Fire, Schedule, describe, jittered
from heliostat_core.schedules.fires import fires_after
from heliostat_operator.schedules.tick_ends import Tick

_RECKONED = 2  # one that is due next, and one that is ahead of it
_TIMING = (
    *("cron", "frequency", "time", "weekday", "month_day"),
    *("time_zone", "daylight_saving", "jitter_seconds"),
)


class Outlook:
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
                next_time = following.time if following else None
                due = jittered(fire.time, next_time, self._uid, self._schedule.jitter_seconds)
                yield Tick(fire.time, due, fire.blackout)


def digest_of(schedule: Schedule) -> str:
    """The same for schedules with the same times."""
    timing = {name: getattr(schedule, name) for name in _TIMING}
    return hashlib.sha256(json.dumps(timing).encode()).hexdigest()[:16]
