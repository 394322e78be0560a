"""What becomes of the times of a schedule: by a table, and over years of outages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.agents import Agent
from heliostat_core.conditions import TickReason
from heliostat_core.names import RESUMED_ANNOTATION, scheduled_name
from heliostat_core.schedules import Blackout, Schedule
from heliostat_core.schedules.fires import blackout_at, fires_after
from heliostat_core.schedules.status import MOST_RECEIPTS, SchedulePause, ScheduleStatus
from heliostat_operator.schedules.tick_history import receipts_of
from heliostat_operator.schedules.tick_outcomes import LATE, Case, End, Start, Tick, verdict_on
from heliostat_operator.schedules.ticks import Seen, decide_ticks, ripe_time
from support.builders.resources import NOW, make_agent, seconds
from support.scheduled_year import PlayedSchedule

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CREATED = NOW - HOUR  # 11:00
RAN = (12, "Ran", "OnTime")
SKIPPED = ("Skipped", "Overlap")


def played(**fields: object) -> PlayedSchedule:
    """Hourly from 11:00 on, when the Agent was made, unless something else is said."""
    when = {} if "cron" in fields else {"frequency": "hourly"}
    return PlayedSchedule(make_agent(schedule={**when, **fields}))


def told(schedule: PlayedSchedule) -> list[tuple[int, str, str]]:
    """Hour, outcome and reason of each end."""
    return [(each.tick.scheduled.hour, each.outcome, each.reason) for each in schedule.ends]


def edited(agent: Agent, **changes: object) -> Agent:
    """Its owner changed the schedule."""
    assert agent.spec.schedule is not None
    schedule = agent.spec.schedule.model_copy(update=changes)
    spec = agent.spec.model_copy(update={"schedule": schedule})
    meta = agent.metadata.model_copy(update={"generation": agent.metadata.generation + 1})
    return agent.model_copy(update={"spec": spec, "metadata": meta})


def test_a_time_runs_when_it_comes_and_not_before() -> None:
    schedule = played()
    ticks = schedule.look(NOW - seconds(1.5))
    assert (schedule.ends, ticks.wake) == ([], 1.5)
    assert ticks.state.next == NOW
    ticks = schedule.look(NOW + seconds(0.01))
    assert told(schedule) == [(12, "Ran", "OnTime")]
    assert list(schedule.made) == [scheduled_name("sales", NOW)] == ["sales-20261121t120000z"]
    assert ticks.state.next == NOW + HOUR
    assert ticks.wake == 60  # the clock of a machine that slept does not run


def test_a_schedule_begins_with_its_agent_and_anew_with_each_edit() -> None:
    schedule = played()
    schedule.look_until_done(NOW + 3 * HOUR)
    assert [hour for hour, *_ in told(schedule)] == [12, 13, 14, 15]
    schedule.agent = edited(schedule.agent, time="00:30")
    schedule.look_until_done(NOW + 3 * HOUR + 10 * MINUTE)
    assert len(schedule.ends) == 4
    schedule.look_until_done(NOW + 3 * HOUR + 31 * MINUTE)
    assert schedule.ends[-1].tick.scheduled == NOW + 3 * HOUR + 30 * MINUTE


def test_an_edit_fires_for_no_time_before_it() -> None:
    schedule = played()
    schedule.look_until_done(NOW + 3 * HOUR)
    schedule.agent = edited(schedule.agent, time="00:05")
    schedule.look_until_done(NOW + 3 * HOUR + 10 * MINUTE)
    assert len(schedule.ends) == 4
    schedule.look_until_done(NOW + 4 * HOUR + 5 * MINUTE)
    assert [each.tick.scheduled for each in schedule.ends[4:]] == [NOW + 4 * HOUR + 5 * MINUTE]


def test_an_agent_that_gets_a_schedule_later_has_no_past() -> None:
    agent = make_agent(generation=2, schedule={"frequency": "hourly"})
    schedule = PlayedSchedule(agent)
    schedule.look_until_done(NOW + 3 * HOUR + MINUTE)
    assert schedule.ends == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"catchUp": "None"}, ["Missed", "Missed", "Missed", "Ran"]),
        ({"catchUp": "Latest"}, ["Missed", "Missed", "Missed", "Ran"]),
        (
            {"catchUp": "All", "overlap": "Allow", "maxCatchUp": 2},
            ["Missed", "Late", "Late", "Ran"],
        ),
        ({"catchUp": "All", "maxCatchUp": 2}, ["Missed", "Late", "Skipped", "Skipped"]),
    ],
)
def test_after_an_outage_that_ends_with_a_tick_the_declared_is_caught_up(
    fields: dict[str, object], expected: list[str]
) -> None:
    schedule = played(**fields)
    schedule.look_until_done(NOW + 3 * HOUR)
    assert [outcome for _, outcome, _ in told(schedule)] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"catchUp": "None"}, ["Missed", "Missed", "Missed"]),
        ({"catchUp": "Latest"}, ["Missed", "Missed", "Late"]),
        ({"catchUp": "Latest", "startingDeadlineSeconds": 60}, ["Missed", "Missed", "Missed"]),
        ({"catchUp": "All", "overlap": "Allow"}, ["Late", "Late", "Late"]),
        (
            {"catchUp": "All", "overlap": "Allow", "startingDeadlineSeconds": 7200},
            ["Missed", "Late", "Late"],
        ),
    ],
)
def test_after_an_outage_between_ticks_the_declared_is_caught_up(
    fields: dict[str, object], expected: list[str]
) -> None:
    schedule = played(**fields)
    schedule.look_until_done(NOW + 2 * HOUR + 30 * MINUTE)
    assert [outcome for _, outcome, _ in told(schedule)] == expected


@pytest.mark.parametrize(
    ("overlap", "expected", "stopped"),
    [
        (
            "Skip",
            [(12, "Ran", "OnTime"), (13, "Skipped", "Overlap"), (14, "Skipped", "Overlap")],
            0,
        ),
        ("QueueOne", [(12, "Ran", "OnTime"), (14, "Skipped", "Overlap")], 0),
        ("Replace", [(12, "Ran", "OnTime"), (13, "Ran", "OnTime"), (14, "Ran", "OnTime")], 2),
        ("Allow", [(12, "Ran", "OnTime"), (13, "Ran", "OnTime"), (14, "Ran", "OnTime")], 0),
    ],
)
def test_a_run_that_is_not_finished_is_in_the_way(
    overlap: str, expected: list[tuple[int, str, str]], stopped: int
) -> None:
    schedule = played(overlap=overlap)
    for hour in range(3):
        schedule.look_until_done(NOW + hour * HOUR)
    assert told(schedule) == expected
    assert len(schedule.stopped) == stopped


def test_what_waited_runs_when_the_one_before_has_ended() -> None:
    schedule = played(overlap="QueueOne")
    schedule.look_until_done(NOW)
    schedule.look_until_done(NOW + HOUR)
    schedule.finish(scheduled_name("sales", NOW))
    schedule.look_until_done(NOW + HOUR + 30 * MINUTE)
    assert told(schedule)[1:] == [(13, "Late", "WaitedForRun")]
    schedule.look_until_done(NOW + 2 * HOUR)
    schedule.agent = edited(schedule.agent, time="00:30")
    schedule.look_until_done(NOW + 2 * HOUR + MINUTE)
    assert told(schedule)[2:] == [(14, "Skipped", "ScheduleChanged")]


def test_what_waits_is_in_time_until_its_jitter_is_over() -> None:
    schedule = played(overlap="QueueOne", jitterSeconds=600, startingDeadlineSeconds=60)
    first = schedule.look(CREATED).state.next
    assert first is not None
    schedule.look_until_done(first)
    second = schedule.look(first).state.next
    assert second is not None
    assert second > NOW + HOUR + 2 * MINUTE
    schedule.look_until_done(second)
    schedule.look_until_done(second + seconds(30))
    assert told(schedule) == [RAN]
    schedule.finish(scheduled_name("sales", NOW))
    schedule.look_until_done(second + seconds(50))
    assert told(schedule)[1:] == [(13, "Ran", "WaitedForRun")]


@pytest.mark.parametrize("kept_by", ["a look in between", "nobody"])
def test_an_edit_of_the_jitter_loses_no_time(kept_by: str) -> None:
    schedule = played(frequency="daily", time="12:00", jitterSeconds=3600)
    due = schedule.look(CREATED).state.next
    assert due is not None
    assert due > NOW + 20 * MINUTE
    schedule.agent = edited(schedule.agent, jitter_seconds=3000)
    if kept_by != "nobody":
        schedule.look_until_done(NOW + 5 * MINUTE)
    schedule.look_until_done(NOW + HOUR)
    [(hour, outcome, _)] = told(schedule)
    assert (hour, outcome) in ((12, "Ran"), (12, "Late"))


@pytest.mark.parametrize("minutes", [5, 90])
def test_a_time_that_an_edit_of_the_times_overtakes_has_a_receipt(minutes: int) -> None:
    """It waited for its jitter, or the operator was away."""
    schedule = played(frequency="daily", time="12:00", jitterSeconds=3600)
    due = schedule.look(CREATED).state.next
    assert due is not None
    assert due > NOW + 5 * MINUTE
    schedule.agent = edited(schedule.agent, time="15:00")
    schedule.look_until_done(NOW + minutes * MINUTE)
    assert told(schedule) == [(12, "Skipped", "ScheduleChanged")]
    schedule.look_until_done(NOW + 5 * HOUR)
    assert [hour for hour, *_ in told(schedule)] == [12, 15]


def test_a_time_that_ran_before_an_edit_is_on_record_as_ran() -> None:
    schedule = played(frequency="daily", time="12:00")
    schedule.look(CREATED)
    schedule.look(NOW, dies_after=1)
    schedule.agent = edited(schedule.agent, time="15:00")
    schedule.look_until_done(NOW + MINUTE)
    assert told(schedule) == [RAN]


@pytest.mark.parametrize(
    ("fields", "following"),
    [
        (
            {
                "cron": "* * * * *",
                "blackouts": [
                    {"startTime": "2026-11-21T11:30:00Z", "endTime": "2026-11-23T00:00:00Z"}
                ],
            },
            datetime(2026, 11, 23, tzinfo=UTC),
        ),
        (
            {
                "cron": "*/5 * * * *",
                "blackouts": [
                    {"cron": "0 0 * * 6", "durationSeconds": 172_800},
                    {"cron": "0 0 * * *", "durationSeconds": 28_801},
                ],
            },
            datetime(2026, 11, 23, 8, 5, tzinfo=UTC),
        ),
    ],
)
def test_in_a_long_blackout_the_next_run_is_known(
    fields: dict[str, object], following: datetime
) -> None:
    assert played(**fields).look(NOW).state.next == following


@pytest.mark.parametrize("minutes", [9_000, 10_050])
def test_after_a_long_outage_that_ends_with_a_blackout_the_latest_before_it_runs(
    minutes: int,
) -> None:
    end = CREATED + minutes * MINUTE
    night = {
        "startTime": (end - 5 * HOUR).isoformat(),
        "endTime": (end + seconds(1)).isoformat(),
    }
    schedule = played(cron="* * * * *", catchUp="Latest", blackouts=[night])
    schedule.look_until_done(end + seconds(30))
    late = [each for each in schedule.ends if each.outcome == "Late"]
    assert [each.tick.scheduled for each in late] == [end - 5 * HOUR - MINUTE]
    assert len(schedule.ends) == minutes


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (make_agent(schedule={"frequency": "hourly", "suspend": True}), "ScheduleSuspended"),
        (make_agent(suspend=True, schedule={"frequency": "hourly"}), "AgentSuspended"),
        (
            make_agent(
                schedule={
                    "frequency": "hourly",
                    "blackouts": [{"cron": "0 12 * * *", "durationSeconds": 60}],
                }
            ),
            "Blackout",
        ),
    ],
)
def test_a_time_that_the_spec_leaves_out_is_skipped_with_the_reason(
    agent: Agent, reason: str
) -> None:
    schedule = PlayedSchedule(agent)
    ticks = schedule.look(NOW)
    assert told(schedule) == [(12, "Skipped", reason)]
    assert (ticks.state.next is None) == (reason != "Blackout")


def test_nothing_starts_late_into_a_blackout() -> None:
    schedule = played(catchUp="Latest", blackouts=[{"cron": "30 12 * * *", "durationSeconds": 600}])
    schedule.look_until_done(NOW + 35 * MINUTE)
    assert told(schedule) == [(12, "Skipped", "Blackout")]


def test_replace_stops_what_is_older_and_never_what_is_newer() -> None:
    """The newer one was made before a crash; the older time is made up for."""
    schedule = played(overlap="Replace", catchUp="All")
    newer, older = (scheduled_name("sales", NOW + hours * HOUR) for hours in (1, 0))
    schedule.made[newer] = NOW + HOUR
    schedule.since[NOW + HOUR] = NOW + HOUR
    schedule.live.append(newer)
    schedule.look_until_done(NOW + HOUR + 5 * MINUTE)
    assert schedule.stopped == {older}
    assert schedule.live == [newer]


def test_jitter_makes_no_run_late() -> None:
    """What was asked of it is no delay."""
    schedule = played(jitterSeconds=600)
    due = schedule.look(NOW).state.next
    assert due is not None
    assert due > NOW + MINUTE
    schedule.look(due)
    assert told(schedule) == [RAN]


def test_of_several_reasons_the_first_that_a_person_can_mend_is_told() -> None:
    schedule = played(
        pauseAfterFailures=1,
        startingDeadlineSeconds=60,
        blackouts=[{"cron": "0 13 * * *", "durationSeconds": 3600}],
    )
    fail(schedule, NOW)
    schedule.look_until_done(NOW + HOUR + 5 * MINUTE)
    assert told(schedule)[1:] == [(13, "Skipped", "SchedulePaused")]


def test_the_reason_that_stands_before_the_others_is_told_first() -> None:
    """One after the other is mended; a run that was made is one, whatever holds now."""
    tick = Tick(NOW, NOW)
    pause = SchedulePause(time=NOW, reason="RunsFailed", message="It failed.", generation=1)
    hourly = Schedule(frequency="hourly", catch_up="None", overlap="Skip")
    suspended = hourly.model_copy(update={"suspend": True, "starting_deadline_seconds": 60})
    worst = Case(
        make_agent(suspend=True),
        suspended,
        NOW + HOUR,
        pause,
        live=("sales-before",),
        made={NOW: NOW},
        left=frozenset({NOW}),
        blackout=Blackout(cron="0 12 * * *", duration_seconds=7200),
    )
    not_made = replace(worst, made={})
    unchanged = replace(not_made, left=frozenset())
    active = replace(unchanged, agent=make_agent())
    on = replace(active, schedule=suspended.model_copy(update={"suspend": False}))
    resumed = replace(on, paused=None)
    light = replace(resumed, blackout=None)
    patient = replace(light, schedule=hourly)
    caught_up = replace(patient, caught_up=frozenset({NOW}))
    alone = replace(caught_up, live=())
    steps = (worst, not_made, unchanged, active, on, resumed, light, patient, caught_up, alone)
    verdicts = [verdict_on(tick, each) for each in steps]
    assert [each.reason if isinstance(each, End) else type(each) for each in verdicts] == [
        Start,
        TickReason.CHANGED,
        TickReason.AGENT_SUSPENDED,
        TickReason.SUSPENDED,
        TickReason.PAUSED,
        TickReason.BLACKOUT,
        TickReason.DEADLINE_PASSED,
        TickReason.NOT_CAUGHT_UP,
        TickReason.OVERLAP,
        Start,
    ]


@pytest.mark.parametrize(
    ("fields", "seen", "jitter", "waits"),
    [
        ({}, Seen(), 0, 0),
        ({}, Seen(fired_by="CronJob"), 0, 30),
        ({}, Seen(fired_by="CronJob"), 10, 30),
        ({}, Seen(fired_by="CronJob"), 600, 600),
        ({}, Seen(fired_by="CronJob", offers=frozenset({NOW})), 0, 0),
        ({}, Seen(fired_by="CronJob", offers=frozenset({NOW - HOUR})), 0, 30),
        ({}, Seen(fired_by="CronJob", made={NOW: None}), 0, 0),
        # 02:00 in New York is skipped, and no timer fires for what the operator makes up for.
        ({"time_zone": "America/New_York"}, Seen(fired_by="CronJob"), 0, 0),
    ],
)
def test_a_trigger_outside_has_half_a_minute_for_what_it_is_to_make(
    fields: dict[str, str], seen: Seen, jitter: int, waits: int
) -> None:
    skipped = datetime(2026, 3, 8, 7, tzinfo=UTC)
    schedule = Schedule(cron="30 2 * * *" if fields else "0 * * * *").model_copy(update=fields)
    time = skipped if fields else NOW
    tick = Tick(time, time + seconds(jitter))
    ripe = time + seconds(waits)
    assert ripe_time(tick, schedule, seen, tick.due) == ripe
    assert ripe_time(tick, schedule, seen, ripe) <= ripe


def fail(schedule: PlayedSchedule, at: datetime) -> None:
    schedule.look_until_done(at)
    schedule.finish(scheduled_name("sales", at), "Failed")


def test_failures_in_a_row_pause_the_schedule_until_an_edit() -> None:
    schedule = played(pauseAfterFailures=2)
    fail(schedule, NOW)
    fail(schedule, NOW + HOUR)
    schedule.look_until_done(NOW + 2 * HOUR)
    assert told(schedule)[2:] == [(14, "Skipped", "SchedulePaused")]
    state = schedule.agent.status.schedule
    assert state is not None
    assert state.paused is not None
    assert (state.failures, state.next) == (2, None)
    assert "heliostat resume sales" in state.paused.message
    schedule.agent = edited(schedule.agent)
    for hours in (3, 4):  # one good look is not enough: the count begins anew
        schedule.look_until_done(NOW + hours * HOUR)
        schedule.finish(scheduled_name("sales", NOW + hours * HOUR), "Cancelled")
    assert told(schedule)[3:] == [(15, "Ran", "OnTime"), (16, "Ran", "OnTime")]


def test_a_success_between_failures_begins_the_count_anew() -> None:
    schedule = played(pauseAfterFailures=2)
    fail(schedule, NOW)
    schedule.look_until_done(NOW + HOUR)
    schedule.finish(scheduled_name("sales", NOW + HOUR), "Succeeded")
    fail(schedule, NOW + 2 * HOUR)
    schedule.look_until_done(NOW + 3 * HOUR)
    assert {outcome for _, outcome, _ in told(schedule)} == {"Ran"}


def test_runs_that_fail_long_after_their_receipts_are_gone_pause_the_schedule() -> None:
    """Each goes on for 40 minutes, beside 39 others."""
    schedule = played(cron="* * * * *", overlap="Allow", pauseAfterFailures=3)
    for minute in range(50):
        schedule.look_until_done(NOW + minute * MINUTE)
        old = scheduled_name("sales", NOW + (minute - 40) * MINUTE)
        if old in schedule.live:
            schedule.finish(old, "Failed")
    state = schedule.agent.status.schedule
    assert state is not None
    assert state.paused is not None
    assert state.paused.time == NOW + 42 * MINUTE  # that of 11:59 was the first


def test_results_that_come_together_count_in_the_order_of_their_times() -> None:
    schedule = played(pauseAfterFailures=1, overlap="Allow")
    for hours in (0, 1):
        schedule.look_until_done(NOW + hours * HOUR)
    schedule.finish(scheduled_name("sales", NOW), "Failed")
    schedule.finish(scheduled_name("sales", NOW + HOUR), "Succeeded")
    schedule.look_until_done(NOW + 2 * HOUR)
    assert told(schedule)[2:] == [(14, "Ran", "OnTime")]


@pytest.mark.parametrize(("minutes", "is_over"), [(5, False), (15, True)])
def test_a_pause_ends_by_a_good_run_after_it(minutes: int, is_over: bool) -> None:
    schedule = played(pauseAfterFailures=1)
    fail(schedule, NOW)
    schedule.look_until_done(NOW + 10 * MINUTE)
    seen = Seen(good_by_hand=NOW + minutes * MINUTE)
    ticks = decide_ticks(schedule.agent, schedule.schedule, seen, NOW + 20 * MINUTE)
    assert (ticks.state.paused is None) == is_over


def resumed(agent: Agent, at: datetime) -> Agent:
    """By command, on a machine where it is that time."""
    marks = {RESUMED_ANNOTATION: at.isoformat()}
    meta = agent.metadata.model_copy(update={"annotations": marks})
    return agent.model_copy(update={"metadata": meta})


@pytest.mark.parametrize("skew", [-HOUR, timedelta(), HOUR])
def test_a_pause_ends_by_command_whatever_the_clock_there_shows_and_only_that_one(
    skew: timedelta,
) -> None:
    schedule = played(pauseAfterFailures=1)
    fail(schedule, NOW)
    schedule.look_until_done(NOW + MINUTE)
    schedule.agent = resumed(schedule.agent, NOW + 2 * MINUTE + skew)
    assert schedule.look(NOW + 2 * MINUTE).state.paused is None
    fail(schedule, NOW + HOUR)
    for minute in (1, 2):
        assert schedule.look(NOW + HOUR + minute * MINUTE).state.paused is not None
    schedule.agent = resumed(schedule.agent, NOW + HOUR + 3 * MINUTE + skew)
    assert schedule.look(NOW + HOUR + 3 * MINUTE).state.paused is None


def test_times_in_a_row_that_end_alike_share_a_receipt() -> None:
    schedule = played(cron="* * * * *", catchUp="Latest")
    schedule.look_until_done(NOW + 24 * HOUR + seconds(30))
    state = schedule.agent.status.schedule
    assert state is not None
    [ran, missed] = state.recent
    assert (ran.outcome, ran.scheduled_time) == ("Ran", NOW + 24 * HOUR)
    assert (missed.outcome, missed.count) == ("Missed", 25 * 60 - 1)
    assert (missed.scheduled_time, missed.last_time) == (
        CREATED + MINUTE,
        NOW + 24 * HOUR - MINUTE,
    )


def test_only_times_in_a_row_without_a_run_and_of_one_reason_share_a_receipt() -> None:
    ends = [
        End(Tick(NOW, NOW), "Ran", TickReason.ON_TIME, execution_name="sales-1"),
        End(Tick(NOW, NOW), "Ran", TickReason.ON_TIME, execution_name="sales-2"),
        End(Tick(NOW, NOW), "Missed", TickReason.REFUSED, execution_name="sales-3"),
        End(Tick(NOW, NOW), "Missed", TickReason.REFUSED),
        End(Tick(NOW, NOW), "Missed", TickReason.REFUSED),
        End(Tick(NOW, NOW), "Missed", TickReason.NOT_CAUGHT_UP),
        End(Tick(NOW, NOW), "Skipped", TickReason.OVERLAP),
        End(Tick(NOW, NOW), "Skipped", TickReason.SUSPENDED),
        End(Tick(NOW, NOW), "Skipped", TickReason.SUSPENDED),
        End(Tick(NOW, NOW), "Skipped", TickReason.SUSPENDED),
    ]
    receipts = reversed(receipts_of((), ends, NOW))
    assert [(each.reason, each.count, each.execution_name) for each in receipts] == [
        ("OnTime", 1, "sales-1"),
        ("OnTime", 1, "sales-2"),
        (TickReason.REFUSED, 1, "sales-3"),
        (TickReason.REFUSED, 2, None),
        (TickReason.NOT_CAUGHT_UP, 1, None),
        (TickReason.OVERLAP, 1, None),
        (TickReason.SUSPENDED, 3, None),
    ]


def test_a_month_of_minutes_is_judged_in_parts() -> None:
    schedule = played(cron="* * * * *", catchUp="All", overlap="Allow", maxCatchUp=3)
    schedule.look_until_done(NOW + timedelta(days=8) + seconds(30))
    outcomes = [each.outcome for each in schedule.ends]
    assert len(outcomes) == 8 * 24 * 60 + 60
    assert outcomes[-4:] == ["Late", "Late", "Late", "Ran"]
    assert set(outcomes[:-4]) == {"Missed"}


BLACKOUTS = (
    {"cron": "0 0 * * 6", "durationSeconds": 172_800},
    {"cron": "0 2 * * *", "durationSeconds": 10_800},
    {"cron": "0 0 1 * *", "durationSeconds": 1_209_600},
    {"startTime": "2026-12-24T00:00:00Z", "endTime": "2027-01-04T00:00:00Z"},
)
Result = Literal["Succeeded", "Failed"]
Edit = dict[str, object]
specs = st.fixed_dictionaries(
    {
        "cron": st.sampled_from(("0 8 * * *", "30 */6 * * *", "0 2 * * 1", "15 1 1,15 * *")),
        "timeZone": st.sampled_from(("UTC", "America/New_York", "Australia/Lord_Howe")),
        "overlap": st.sampled_from(("Skip", "QueueOne", "Replace", "Allow")),
        "catchUp": st.sampled_from(("None", "Latest", "All")),
        "daylightSaving": st.sampled_from(("Wall", "Once", "UTC")),
        "jitterSeconds": st.sampled_from((0, 600, 3600)),
        "maxCatchUp": st.integers(1, 4),
        "blackouts": st.lists(st.sampled_from(BLACKOUTS), max_size=2),
    },
    optional={
        "startingDeadlineSeconds": st.sampled_from((60, 7_200)),
        "pauseAfterFailures": st.integers(1, 3),
    },
)
edits = st.fixed_dictionaries(
    {},
    optional={
        "cron": st.sampled_from(("0 8 * * *", "45 */6 * * *")),
        "jitter_seconds": st.sampled_from((0, 3600)),
        "suspend": st.booleans(),
    },
)
outages = st.lists(
    st.tuples(
        st.integers(1, 60 * 24 * 40),  # minutes in which nobody looks
        st.none() | st.integers(0, 3),  # then the operator dies after so many effects
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from(("Succeeded", "Failed")))),
        st.just({}) | st.just({}) | edits,  # then its owner changes it
    ),
    max_size=25,
)


def play(
    schedule: PlayedSchedule,
    course: list[tuple[int, int | None, list[tuple[int, Result]], Edit]],
) -> Iterator[tuple[datetime, bool]]:
    """Instants, and whether the operator was through with its look then."""
    now = CREATED
    schedule.look(now)
    for minutes, dies_after, finishes, changes in course:
        now += minutes * MINUTE
        if dies_after is None:
            schedule.look_until_done(now)
        else:
            schedule.look(now, dies_after=dies_after)
        yield now, dies_after is None
        for number, result in finishes:
            if number < len(schedule.live):
                schedule.finish(schedule.live[number], result)
        if changes:
            schedule.agent = edited(schedule.agent, **changes)
    schedule.look_until_done(now)
    yield now, True


@given(specs, outages)
@settings(max_examples=30, deadline=None)
def test_over_years_of_outages_each_time_ends_in_exactly_one_way(
    fields: dict[str, object],
    course: list[tuple[int, int | None, list[tuple[int, Result]], Edit]],
) -> None:
    schedule = PlayedSchedule(make_agent(schedule=fields))
    for _ in play(schedule, [(*each[:3], Edit()) for each in course]):
        pass
    state = state_of(schedule)
    ahead = fires_after(schedule.schedule, CREATED)
    expected = [
        fire.time for fire in takewhile(lambda fire: fire.time <= state.decided_time, ahead)
    ]
    ended = [each.tick.scheduled for each in schedule.ends]
    waiting = [state.queued_time] if state.queued_time else []
    assert sorted([*ended, *waiting]) == expected
    judge_ends(schedule)


@given(specs, outages)
@settings(max_examples=30, deadline=None)
def test_over_years_of_edits_no_time_ends_twice_and_what_was_known_of_one_ends(
    fields: dict[str, object],
    course: list[tuple[int, int | None, list[tuple[int, Result]], Edit]],
) -> None:
    schedule = PlayedSchedule(make_agent(schedule=fields))
    awaited: set[datetime] = set()
    for now, is_through in play(schedule, course):
        if not is_through:
            continue
        ended = {each.tick.scheduled for each in schedule.ends}
        state = state_of(schedule)
        known = {state.queued_time, state.next_scheduled_time}  # may wait for its jitter
        assert {each for each in awaited if each <= now} - ended <= known
        awaited = set(filter(None, known))
    times = [each.tick.scheduled for each in schedule.ends]
    assert len(times) == len(set(times))
    judge_ends(schedule)


def state_of(schedule: PlayedSchedule) -> ScheduleStatus:
    state = schedule.agent.status.schedule
    assert state is not None
    return state


def judge_ends(schedule: PlayedSchedule) -> None:
    """No run twice, none in a blackout, none too late, each as late as its end says; and the
    receipts that are kept are of the last ends."""
    assert max(schedule.starts.values(), default=1) == 1
    ran = {each.tick.scheduled for each in schedule.ends if each.execution_name}
    assert ran == set(schedule.made.values())
    for each in schedule.ends:
        made = schedule.since.get(each.tick.scheduled)
        is_late = made is not None and made - each.tick.due > LATE
        assert (each.outcome == "Late") == is_late, each
    deadline = schedule.schedule.starting_deadline_seconds
    for time, since in schedule.since.items():
        assert since is not None
        assert not any(blackout_at(schedule.schedule, each) for each in (time, since))
        assert deadline is None or since - time <= seconds(deadline + 3600)
    receipts = schedule.agent.status.schedule.recent if schedule.agent.status.schedule else ()
    told = [
        (each.scheduled_time, each.outcome, each.reason)
        for each in reversed(receipts)
        if each.count == 1
    ]
    ends = [(each.tick.scheduled, each.outcome, str(each.reason)) for each in schedule.ends]
    assert [each for each in ends if each in told] == told
    of_last = sum(each.count for each in receipts)
    assert of_last == len(ends) if len(receipts) < MOST_RECEIPTS else of_last <= len(ends)
