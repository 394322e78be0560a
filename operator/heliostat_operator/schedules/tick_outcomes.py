"""Decides how one time of a schedule ends: small checks in order, the first that knows decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.conditions import TickReason
from heliostat_core.schedules import Blackout, Schedule
from heliostat_core.schedules.status import Outcome, SchedulePause

LATE = timedelta(seconds=60)


@dataclass(frozen=True)
class Tick:
    """A time of a schedule, when its run starts by the jitter, and the blackout it falls into."""

    scheduled: datetime
    due: datetime
    blackout: Blackout | None = None


@dataclass(frozen=True)
class End:
    """How a time ended. `stops` are runs that this one takes the place of."""

    tick: Tick
    outcome: Outcome
    reason: TickReason
    message: str = ""
    execution_name: str | None = None
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """A run is to be made; `stops` says whether those that are live go for it."""

    end: End
    stops: bool = False


@dataclass(frozen=True)
class Wait:
    """It waits for the run before."""


Verdict = End | Start | Wait


@dataclass(frozen=True)
class Case:
    """All that the checks look at. `queued` is the time that waits for the run before, `caught_up`
    are times of long ago that run all the same, `left` those of a schedule that was changed since,
    `blackout` the one that holds now."""

    agent: Agent
    schedule: Schedule
    now: datetime
    paused: SchedulePause | None
    live: tuple[str, ...]
    made: Mapping[datetime, datetime | None]
    queued: datetime | None = None
    caught_up: frozenset[datetime] = frozenset()
    left: frozenset[datetime] = frozenset()
    blackout: Blackout | None = None
    offered: frozenset[datetime] | None = None
    """Times for which the trigger outside made the Execution; None without such a trigger."""

    def is_filled(self, tick: Tick) -> bool:
        return self.offered is not None and tick.scheduled not in (*self.offered, *self.made)

    def is_stale(self, tick: Tick) -> bool:
        return self.now - tick.due > LATE

    def is_past_deadline(self, tick: Tick) -> bool:
        seconds = self.schedule.starting_deadline_seconds
        return seconds is not None and self.now - tick.due > timedelta(seconds=seconds)

    def with_run(self, tick: Tick, name: str) -> "Case":
        """After its run was made."""
        live = self.live if name in self.live else (*self.live, name)
        return replace(self.without(tick), live=live)

    def without(self, tick: Tick) -> "Case":
        """After its end: it waits no more."""
        return replace(self, queued=None) if self.queued == tick.scheduled else self


Check = Callable[[Tick, Case], Verdict | None]


def _already_made(tick: Tick, case: Case) -> Verdict | None:
    """Before a crash, or by somebody who made up for it."""
    if tick.scheduled not in case.made:
        return None
    stops = case.schedule.overlap == "Replace"  # not all of them, before the crash
    then = case.made[tick.scheduled] or case.now
    return Start(_run(tick, replace(case, now=min(then, case.now))), stops)


def _changed(tick: Tick, case: Case) -> Verdict | None:
    if tick.scheduled not in case.left:
        return None
    message = "Before it ran, the times of the schedule were changed."
    return End(tick, "Skipped", TickReason.CHANGED, message)


def _agent_suspended(tick: Tick, case: Case) -> Verdict | None:
    if not case.agent.spec.suspend:
        return None
    message = "The Agent is suspended. Set spec.suspend to false."
    return End(tick, "Skipped", TickReason.AGENT_SUSPENDED, message)


def _suspended(tick: Tick, case: Case) -> Verdict | None:
    if not case.schedule.suspend:
        return None
    message = "The schedule is suspended. Set spec.schedule.suspend to false."
    return End(tick, "Skipped", TickReason.SUSPENDED, message)


def _paused(tick: Tick, case: Case) -> Verdict | None:
    return End(tick, "Skipped", TickReason.PAUSED, case.paused.message) if case.paused else None


def _blacked_out(tick: Tick, case: Case) -> Verdict | None:
    blackout = tick.blackout or case.blackout
    if blackout is None:
        return None
    why = f": {blackout.reason}" if blackout.reason else "."
    return End(tick, "Skipped", TickReason.BLACKOUT, f"A blackout holds{why}"[:1024])


def _past_deadline(tick: Tick, case: Case) -> Verdict | None:
    if not case.is_past_deadline(tick):
        return None
    seconds = case.schedule.starting_deadline_seconds
    message = f"It could not start within startingDeadlineSeconds, {seconds} s."
    return End(tick, "Missed", TickReason.DEADLINE_PASSED, message)


def _not_caught_up(tick: Tick, case: Case) -> Verdict | None:
    """One that waits for the run before was in time."""
    if tick.scheduled in (*case.caught_up, case.queued) or not case.is_stale(tick):
        return None
    message = f"Nobody could keep it, and catchUp {case.schedule.catch_up} leaves it out."
    return End(tick, "Missed", TickReason.NOT_CAUGHT_UP, message)


def _overlapping(tick: Tick, case: Case) -> Verdict | None:
    """Whoever waits goes first."""
    waits = case.queued is not None and case.queued != tick.scheduled
    if not case.live and not waits:
        return None
    match case.schedule.overlap:
        case "Allow":
            return None
        case "Replace":
            return Start(_run(tick, case), stops=True)
        case "QueueOne" if not waits:
            return Wait()
        case _:
            first = case.live[0] if case.live else "the one that waits"
            message = f"Execution {first} of the schedule is not finished."
            return End(tick, "Skipped", TickReason.OVERLAP, message[:1024])


CHECKS: tuple[Check, ...] = (
    _already_made,  # it ran, whatever holds now
    _changed,  # it is no time any more
    _agent_suspended,  # the owner said wait
    _suspended,
    _paused,  # after failures
    _blacked_out,
    _past_deadline,  # too late in any case
    _not_caught_up,  # too late for catchUp
    _overlapping,  # the run before
)


def verdict_on(tick: Tick, case: Case) -> Verdict:
    """The first check that speaks, else the run starts."""
    found = (check(tick, case) for check in CHECKS)
    return next((each for each in found if each is not None), Start(_run(tick, case)))


def _run(tick: Tick, case: Case) -> End:
    if case.queued == tick.scheduled:
        reason, message = TickReason.WAITED, "It waited for the run before."
    elif case.is_stale(tick):
        reason, message = TickReason.CAUGHT_UP, "Nobody could keep its time; made up for."
    elif case.is_filled(tick):
        reason, message = (
            TickReason.FILLED,
            f"No {case.schedule.trigger} made it; the operator did.",
        )
    else:
        reason, message = TickReason.ON_TIME, ""
    return End(tick, "Late" if case.is_stale(tick) else "Ran", reason, message)
