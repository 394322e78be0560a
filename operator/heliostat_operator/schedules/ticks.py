"""What becomes of the times of a schedule: pure, total, with the clock passed in.

Each time ends in exactly one way. `decide_ticks` may be asked at any time: what it starts has a
name that follows from the time, so that no crash and no second operator starts it twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from heliostat_core.agents import Agent
from heliostat_core.names import scheduled_name
from heliostat_core.schedules import Schedule
from heliostat_core.schedules.fires import blackout_at
from heliostat_core.schedules.model import TriggerKind
from heliostat_core.schedules.status import RunResult, ScheduleStatus
from heliostat_core.schedules.timers import is_fired
from heliostat_operator.schedules.pauses import with_pause, with_results
from heliostat_operator.schedules.schedule_forecast import ScheduleForecast
from heliostat_operator.schedules.tick_outcomes import Case, End, Start, Tick, Wait, verdict_on

MOST_DUE = 10_000
OFFER_GRACE = timedelta(seconds=30)
"""So long a CronJob or Cloud Scheduler may take; then the operator makes the run itself."""
_KEPT_DUE = 200  # of those that are due and in no blackout, so many are judged with what follows
_LONGEST_WAKE = 60.0


@dataclass(frozen=True)
class Seen:
    """What is there: names of unfinished runs of the schedule, times for which an Execution was
    made (and when that was let run, where it is known), how runs on record ended, when a run by
    hand last went well, who starts runs, and the times that were offered."""

    live: tuple[str, ...] = ()
    made: Mapping[datetime, datetime | None] = field(default_factory=dict)
    results: Mapping[str, RunResult] | None = None
    good_by_hand: datetime | None = None
    fired_by: TriggerKind = "Builtin"
    offers: frozenset[datetime] = frozenset()

    @property
    def offered(self) -> frozenset[datetime] | None:
        """Times that a trigger outside of the operator offered, None where none is at hand."""
        return self.offers if self.fired_by != "Builtin" else None

    def with_made(self, times: Mapping[datetime, datetime | None]) -> "Seen":
        """The same with further times that have an Execution."""
        return replace(self, made={**times, **self.made})


@dataclass(frozen=True)
class Ticks:
    """`state` is to be written once the starts are made and the ends recorded in it.

    `wake` is in how many seconds to look again.
    """

    state: ScheduleStatus
    ends: tuple[End, ...]
    wake: float

    @property
    def is_due_then(self) -> bool:
        """Whether there is a time to decide at the next look, which is else a glance at the
        clock."""
        return self.wake < _LONGEST_WAKE


def decide_ticks(
    agent: Agent,
    schedule: Schedule,
    seen: Seen,
    now: datetime,
    forecast: ScheduleForecast | None = None,
) -> Ticks:
    """What to do about each time that is due, and when the next one is.

    `forecast` is that of this Agent, where one was made before.
    """
    forecast = forecast or ScheduleForecast(agent, schedule)
    state, left = _begun(agent, forecast, seen, now)
    state = with_results(state, seen.results or {})
    state = with_pause(agent, schedule, state, seen.good_by_hand, now)
    due, ahead = _due_and_ahead(forecast, schedule, state, seen, now)
    whole = len(due) < MOST_DUE
    due = due if whole else _first_part(due)
    case = _case(agent, schedule, state, seen, now)
    caught_up = _caught_up(schedule, due, case) if whole else frozenset()
    case = replace(case, caught_up=caught_up, left=frozenset(each.scheduled for each in left))
    waiting = [forecast.tick_of(state.queued_time)] if state.queued_time else []
    decided = due[-1].scheduled if due else state.decided_time
    ends, queued = _judge((*left, *waiting, *due), case)
    following = None if _is_still(case) else forecast.free_from(ahead)
    known: dict[str, object] = {
        "decided_time": decided,
        "queued_time": queued,
        "next": following.due if following else None,
        "next_scheduled_time": following.scheduled if following else None,
        "words": forecast.words,
        "fired_by": seen.fired_by,
    }
    wake = _wake(schedule, ahead, seen, now) if whole else 0
    return Ticks(state.model_copy(update=known), tuple(ends), wake)


def _begun(
    agent: Agent, forecast: ScheduleForecast, seen: Seen, now: datetime
) -> tuple[ScheduleStatus, list[Tick]]:
    """The state to go on from. Another schedule begins anew; what the old one left undecided, as
    far as its state and its runs tell, ends."""
    known, digest = agent.status.schedule, forecast.digest
    if known is not None and known.digest == digest:
        return known, []
    created = agent.metadata.creation_timestamp
    is_new = known is None and agent.metadata.generation == 1 and created is not None
    start = created if is_new and created else now
    if known is None:
        return ScheduleStatus(decided_time=start, digest=digest), []
    made = (each for each in seen.made if each > known.decided_time)
    undecided = {known.queued_time, known.next_scheduled_time, *made}
    left = [Tick(each, each) for each in sorted(filter(None, undecided)) if each <= now]
    start = start.replace(microsecond=0)
    anew: dict[str, object] = {"decided_time": start, "digest": digest, "queued_time": None}
    return known.model_copy(update=anew), left


# ---- which times are due -------------------------------------------------------------------------


def _due_and_ahead(
    forecast: ScheduleForecast, schedule: Schedule, state: ScheduleStatus, seen: Seen, now: datetime
) -> tuple[list[Tick], Tick | None]:
    """The times since the last that was decided, and the one ahead of them."""
    due: list[Tick] = []
    for tick in forecast.ticks_after(state.decided_time):
        if ripe_time(tick, schedule, seen, now) > now:
            return due, tick  # none overtakes another
        due.append(tick)
        if len(due) == MOST_DUE:
            break
    return due, None


def _first_part(due: Sequence[Tick]) -> list[Tick]:
    """All but the last that may yet run late, and what follows these."""
    free = [number for number, tick in enumerate(due) if tick.blackout is None]
    cut = free[-_KEPT_DUE:][0] if free else len(due)
    return list(due[:cut] or due[:-_KEPT_DUE])


def ripe_time(tick: Tick, schedule: Schedule, seen: Seen, now: datetime) -> datetime:
    """From when on it is decided: a trigger outside gets a while for what it is to make.

    `now` only saves the question for times that are ripe in any case, or not due.
    """
    latest = tick.scheduled + OFFER_GRACE
    is_there = seen.offered is None or tick.scheduled in (*seen.offered, *seen.made)
    if is_there or not tick.due <= now < latest:
        return tick.due
    return latest if is_fired(schedule, tick.scheduled) else tick.due


# ---- what becomes of them ------------------------------------------------------------------------


def _case(
    agent: Agent, schedule: Schedule, state: ScheduleStatus, seen: Seen, now: datetime
) -> Case:
    return Case(
        agent=agent,
        schedule=schedule,
        now=now,
        paused=state.paused,
        live=seen.live,
        made=seen.made,
        queued=state.queued_time,
        offered=seen.offered,
    )


def _caught_up(schedule: Schedule, due: list[Tick], case: Case) -> frozenset[datetime]:
    """The times of long ago that may run all the same."""
    eligible = [tick for tick in due if not tick.blackout and not case.is_past_deadline(tick)]
    stale = [tick.scheduled for tick in eligible if case.is_stale(tick)]
    match schedule.catch_up:
        case "None":
            return frozenset()
        case "Latest":
            return frozenset(stale[-1:] if len(stale) == len(eligible) else ())
        case "All":
            return frozenset(stale[-schedule.max_catch_up :])


def _judge(ticks: Sequence[Tick], case: Case) -> tuple[list[End], datetime | None]:
    """One after the other: what one starts is in the way of the next. Also which one waits."""
    ends: list[End] = []
    if ticks:
        case = replace(case, blackout=blackout_at(case.schedule, case.now))
    for tick in ticks:
        match verdict_on(tick, case):
            case Wait():
                case = replace(case, queued=tick.scheduled)
            case Start() as start:
                name = scheduled_name(case.agent.metadata.name, tick.scheduled)
                # Names of one Agent sort by time: what is later is not in the way.
                stops = tuple(each for each in case.live if each < name) if start.stops else ()
                ends.append(replace(start.end, execution_name=name, stops=stops))
                case = case.with_run(tick, name)
            case End() as end:
                ends.append(end)
                case = case.without(tick)
    return ends, case.queued


# ---- what is ahead -------------------------------------------------------------------------------


def _is_still(case: Case) -> bool:
    """Whether no run will start."""
    return case.schedule.suspend or case.agent.spec.suspend or case.paused is not None


def _wake(schedule: Schedule, ahead: Tick | None, seen: Seen, now: datetime) -> float:
    """Not for long: the clock of a machine that slept has not run."""
    if ahead is None:
        return _LONGEST_WAKE
    ripe = ripe_time(ahead, schedule, seen, max(now, ahead.due))
    return min((ripe - now).total_seconds(), _LONGEST_WAKE)
