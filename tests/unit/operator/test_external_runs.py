"""Offers: what a CronJob or Cloud Scheduler makes runs when the schedule says so, never else."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.agents import Agent
from heliostat_core.conditions import ExecutionCondition, find_condition, is_true
from heliostat_core.executions import Execution
from heliostat_core.names import OFFERED_ANNOTATION, scheduled_name
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Ref, UnavailableError, WorldError
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.runs.admission import Candidate, first_block
from heliostat_operator.schedules.reconcile import RECORD_SECONDS, ScheduleReconciler
from heliostat_operator.schedules.ticks import OFFER_GRACE
from support.builders.resources import NOW, make_agent, make_execution, make_slots, seconds
from support.memory_world import MemoryWorld

KEY = ("default", "sales")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Dying(MemoryWorld):
    """Its operator dies at a write, before or after it was done."""

    deaths: int = 0
    is_done = False

    async def create(self, obj: JsonObject) -> JsonObject:
        self._die(done=False)
        made = await super().create(obj)
        self._die(done=True)
        return made

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self._die(done=False)
        written = await super().patch_status(obj)
        self._die(done=True)
        return written

    def _die(self, *, done: bool) -> None:
        if self.deaths and done == self.is_done:
            self.deaths -= 1
            raise UnavailableError("the operator dies here")


class Played:
    """One Agent with the trigger CronJob, its operator, and the pods of the CronJob."""

    def __init__(self, **schedule: object) -> None:
        self.world = Dying()
        when = {} if "cron" in schedule else {"frequency": "hourly"}
        document = dict(make_agent(schedule={**when, **schedule}).to_json())
        document.pop("status")
        self.world.put(document)

    def offer(self, time: datetime, at: datetime | None = None) -> str:
        """A pod makes the Execution, unless it is there."""
        name = scheduled_name("sales", time)
        if Ref(EXECUTION, "default", name) not in self.world.objects:
            made = make_execution(
                name,
                created=at or time,
                trigger={"kind": "Schedule", "id": "CronJob", "scheduledTime": time},
            )
            marked = {"annotations": {OFFERED_ANNOTATION: "CronJob"}}
            meta = made.metadata.model_copy(update=marked)
            self.world.put(made.model_copy(update={"metadata": meta}).to_json())
        return name

    async def look(self, now: datetime) -> float | None:
        """An operator that has just started looks until it has nothing to do at once."""
        agents, runs = KnownAgents(), ScheduledRuns()
        async for found in self.world.list(EXECUTION):
            runs.see(Execution.model_validate(found))
        reconciler = ScheduleReconciler(self.world, agents, runs, lambda: now, triggers={"CronJob"})
        again = await reconciler.reconcile(KEY)
        while again is not None and again.seconds in (0, RECORD_SECONDS):
            again = await reconciler.reconcile(KEY)
        return again.seconds if again else None

    async def receipts(self) -> list[tuple[int, str, str]]:
        """Minutes after NOW, outcome and reason, the oldest first."""
        state = await self.state()
        return [
            (int((each.scheduled_time - NOW) / MINUTE), each.outcome, each.reason)
            for each in reversed(state.recent)
        ]

    async def state(self) -> ScheduleStatus:
        state = Agent.model_validate(await self.world.get(Ref(AGENT, *KEY))).status.schedule
        assert state is not None
        return state

    def execution(self, time: datetime) -> Execution:
        name = scheduled_name("sales", time)
        return Execution.model_validate(self.world.objects[Ref(EXECUTION, "default", name)])

    def may_run(self, time: datetime) -> bool:
        return is_true(self.execution(time).status.conditions, ExecutionCondition.DUE)

    def why_skipped(self, time: datetime) -> tuple[str, str] | None:
        stop = self.execution(time).status.cancellation
        return (stop.reason, stop.message) if stop else None


async def test_an_offer_in_time_is_let_go_and_no_second_run_is_made() -> None:
    played = Played()
    played.offer(NOW)
    await played.look(NOW + seconds(3))
    assert await played.receipts() == [(0, "Ran", "OnTime")]
    assert played.may_run(NOW)
    due = find_condition(played.execution(NOW).status.conditions, "Due")
    assert due is not None
    assert due.reason == "OnTime"
    assert len([ref for ref in played.world.objects if ref.kind == EXECUTION]) == 1


async def test_the_operator_waits_for_the_cronjob_and_then_makes_the_run_itself() -> None:
    played = Played()
    await played.look(NOW - HOUR + OFFER_GRACE)
    assert await played.look(NOW + seconds(5)) == (OFFER_GRACE - seconds(5)).total_seconds()
    assert await played.receipts() == []
    await played.look(NOW + OFFER_GRACE)
    assert await played.receipts() == [(0, "Ran", "Filled")]
    assert not played.execution(NOW).is_offer
    assert (await played.state()).fired_by == "CronJob"


async def test_what_the_cronjob_cannot_say_is_made_at_its_time() -> None:
    played = Played(cron="30 2 * * *", timeZone="America/New_York", overlap="Allow")
    gap = datetime.fromisoformat("2027-03-14T07:00:00+00:00")
    await played.look(gap - MINUTE)
    assert await played.look(gap - seconds(10)) == 10
    await played.look(gap)
    assert (await played.receipts())[-1][1:] == ("Ran", "Filled")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"suspend": True}, "ScheduleSuspended"),
        ({"blackouts": [{"cron": "0 12 * * *", "durationSeconds": 600}]}, "Blackout"),
    ],
)
async def test_an_offer_for_a_time_that_is_left_out_ends_as_skipped(
    fields: dict[str, object], reason: str
) -> None:
    played = Played(**fields)
    played.offer(NOW)
    await played.look(NOW + seconds(3))
    assert await played.receipts() == [(0, "Skipped", reason)]
    assert not played.may_run(NOW)
    stop = played.why_skipped(NOW)
    assert stop is not None
    assert stop[0] == "Skipped"
    assert stop[1].startswith(f"Skipped: {reason}.")


async def test_overlap_is_decided_by_the_schedule_and_not_by_the_pod() -> None:
    played = Played()
    played.offer(NOW)
    await played.look(NOW + seconds(3))
    played.offer(NOW + HOUR)
    await played.look(NOW + HOUR + seconds(3))
    assert await played.receipts() == [(0, "Ran", "OnTime"), (60, "Skipped", "Overlap")]
    assert played.why_skipped(NOW) is None
    assert played.why_skipped(NOW + HOUR) is not None


async def test_what_waits_for_the_run_before_is_let_go_after_it() -> None:
    played = Played(overlap="QueueOne")
    played.offer(NOW)
    await played.look(NOW + seconds(3))
    played.offer(NOW + HOUR)
    await played.look(NOW + HOUR + seconds(3))
    assert played.execution(NOW + HOUR).is_offer
    assert played.why_skipped(NOW + HOUR) is None
    played.world.remove(Ref(EXECUTION, "default", scheduled_name("sales", NOW)))
    await played.look(NOW + HOUR + seconds(30))
    assert played.may_run(NOW + HOUR)
    assert await played.receipts() == [(0, "Ran", "OnTime"), (60, "Ran", "WaitedForRun")]


async def test_after_an_outage_the_offers_are_judged_by_catch_up() -> None:
    played = Played(catchUp="Latest")
    for hour in range(3):
        played.offer(NOW + hour * HOUR)
    await played.look(NOW + 2 * HOUR + 30 * MINUTE)
    assert await played.receipts() == [(0, "Missed", "NotCaughtUp"), (120, "Late", "CaughtUp")]
    assert [played.may_run(NOW + hour * HOUR) for hour in range(3)] == [False, False, True]
    assert [played.why_skipped(NOW + hour * HOUR) is None for hour in range(3)] == [
        False,
        False,
        True,
    ]


async def test_an_offer_that_comes_late_ends_as_skipped() -> None:
    played = Played(suspend=True)
    await played.look(NOW + MINUTE)
    played.offer(NOW)
    await played.look(NOW + 2 * MINUTE)
    assert await played.receipts() == [(0, "Skipped", "ScheduleSuspended")]
    assert played.why_skipped(NOW) is not None


async def test_an_offer_for_no_time_of_the_schedule_ends_as_skipped() -> None:
    played = Played(cron="0 12 L * *")
    await played.look(NOW - MINUTE)
    played.offer(NOW + 7 * 24 * HOUR)  # the 28th of November
    await played.look(NOW + 7 * 24 * HOUR + seconds(3))
    assert played.why_skipped(NOW + 7 * 24 * HOUR) == ("Skipped", "The schedule has no such time.")
    assert await played.receipts() == []


async def test_an_offer_of_an_agent_without_a_schedule_ends_as_skipped() -> None:
    played = Played()
    played.world.remove(Ref(AGENT, *KEY))
    played.offer(NOW)
    await played.look(NOW + seconds(3))
    assert played.why_skipped(NOW) == ("Skipped", "The Agent has no schedule.")


async def test_jitter_holds_an_offer_back() -> None:
    played = Played(jitterSeconds=600)
    played.offer(NOW)
    delay = await played.look(NOW + seconds(3))
    state = await played.state()
    assert played.execution(NOW).is_offer
    assert state.next is not None
    assert delay is not None
    await played.look(state.next)
    assert played.may_run(NOW)


def test_an_offer_is_not_admitted_before_its_time_is_decided() -> None:
    played = Played()
    played.offer(NOW)
    block = first_block(Candidate(played.execution(NOW), make_agent(), make_slots(), NOW))
    assert block is not None
    assert block.reason == "NotDue"


steps = st.lists(
    st.tuples(
        st.sampled_from(("offer", "look", "look", "finish")),
        st.integers(0, 5),  # which minute, for an offer
        st.integers(1, 50),  # seconds that go by
        st.integers(0, 2),  # deaths of the operator
        st.booleans(),
    ),
    min_size=4,
    max_size=16,
)


@settings(max_examples=25, deadline=None)
@given(
    steps=steps,
    overlap=st.sampled_from(("Skip", "QueueOne", "Replace", "Allow")),
    catch_up=st.sampled_from(("None", "Latest", "All")),
)
async def test_each_time_ends_once_whenever_pods_come_and_operators_die(
    steps: list[tuple[str, int, int, int, bool]], overlap: str, catch_up: str
) -> None:
    played = Played(cron="* * * * *", overlap=overlap, catchUp=catch_up)
    now = NOW
    await played.look(now)
    for step, minute, gone, deaths, is_done in steps:
        now += seconds(gone)
        match step:
            case "offer" if NOW + minute * MINUTE <= now:
                played.offer(NOW + minute * MINUTE, now)
            case "look":
                played.world.deaths, played.world.is_done = deaths, is_done
                await survive(played, now)
            case "finish":
                remove_one_that_runs(played)
    await survive(played, now)
    await check_ends(played)


async def survive(played: Played, now: datetime) -> None:
    while True:
        try:
            await played.look(now)
        except WorldError:
            continue
        return


def remove_one_that_runs(played: Played) -> None:
    for ref, found in sorted(played.world.objects.items(), key=lambda each: each[0].name):
        if ref.kind == EXECUTION and not Execution.model_validate(found).is_offer:
            played.world.remove(ref)
            return


async def check_ends(played: Played) -> None:
    """Receipts name each time once; only what they name as run may run."""
    state = await played.state()
    ran = {each.scheduled_time for each in state.recent if each.execution_name}
    ended = [each.scheduled_time for each in state.recent]
    assert len(ended) == len(set(ended))
    for ref, found in played.world.objects.items():
        if ref.kind != EXECUTION:
            continue
        execution = Execution.model_validate(found)
        time = execution.spec.trigger.scheduled_time
        assert time is not None
        if not execution.is_offer:
            assert time in ran, (time, state)
        elif time <= state.decided_time and time != state.queued_time:
            assert execution.status.cancellation is not None
