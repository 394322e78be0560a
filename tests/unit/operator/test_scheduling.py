"""Schedules over a world in memory: what is made, what is written, and what a crash leaves."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.keys import new_private_key
from heliostat_core.names import FINISHED_LABEL, scheduled_name
from heliostat_core.schedules.status import ScheduleStatus
from heliostat_core.worlds import (
    AGENT,
    EVENT,
    EXECUTION,
    ForbiddenError,
    JsonObject,
    JsonValue,
    Ref,
    UnavailableError,
    WorldError,
)
from heliostat_operator.engine import Engine
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.model.indexes import KnownAgents, ScheduledRuns
from heliostat_operator.observability.metrics import Metrics
from heliostat_operator.schedules.reconcile import RECORD_SECONDS, Again, ScheduleReconciler
from support.builders.resources import (
    NOW,
    make_agent,
    make_condition_status,
    make_execution,
    make_settings,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import MemoryWorld

KEY = ("default", "sales")
HOUR = timedelta(hours=1)
NAME = scheduled_name("sales", NOW)


class FailingWorld(MemoryWorld):
    """Its write number `fails_at` ends the operator: before it, or after it was done."""

    def __init__(self, fails_at: int = 0, *, is_done: bool = False) -> None:
        super().__init__()
        self.writes = 0
        self.fails_at = fails_at
        self.is_done = is_done

    async def create(self, obj: JsonObject) -> JsonObject:
        self._before()
        made = await super().create(obj)
        self._after()
        return made

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self._before()
        written = await super().patch_status(obj)
        self._after()
        return written

    def _before(self) -> None:
        self.writes += 1
        if self.writes == self.fails_at and not self.is_done:
            raise UnavailableError("the operator dies here")

    def _after(self) -> None:
        if self.writes == self.fails_at and self.is_done:
            raise UnavailableError("the operator dies here")


def put_agent(world: MemoryWorld, **schedule: object) -> None:
    agent = make_agent(schedule={"frequency": "hourly", **schedule})
    document: dict[str, JsonValue] = {**agent.to_json()}
    document.pop("status")
    world.put(document)


async def start(world: MemoryWorld, now: datetime) -> tuple[ScheduleReconciler, ScheduledRuns]:
    """An operator that has just listed what is there."""
    world.now = now
    agents, runs = KnownAgents(), ScheduledRuns()
    async for found in world.list(EXECUTION):
        runs.see(Execution.model_validate(found))
    return ScheduleReconciler(world, agents, runs, lambda: now), runs


async def look(world: MemoryWorld, now: datetime) -> Again | None:
    reconciler, _ = await start(world, now)
    while (again := await reconciler.reconcile(KEY)) and again.seconds <= RECORD_SECONDS:
        pass
    return again


async def state_of(world: MemoryWorld) -> ScheduleStatus:
    found = await world.get(Ref(AGENT, *KEY))
    state = Agent.model_validate(found).status.schedule
    assert state is not None
    return state


async def names(world: MemoryWorld) -> list[str]:
    found = [Execution.model_validate(each) async for each in world.list(EXECUTION)]
    return sorted(each.metadata.name for each in found)


async def events(world: MemoryWorld) -> list[tuple[JsonValue, JsonValue]]:
    return [(each["reason"], each["message"]) async for each in world.list(EVENT)]


def finish(world: MemoryWorld, name: str, *, succeeded: bool, at: datetime) -> None:
    reason = FinishedReason.VERIFIED if succeeded else FinishedReason.AGENT_ERROR
    status = make_condition_status(succeeded="True" if succeeded else "False", reason=reason, at=at)
    found = world.objects[Ref(EXECUTION, "default", name)]
    world.put({**found, "status": status.to_json()})


async def test_the_execution_says_what_it_is_for() -> None:
    world = MemoryWorld()
    put_agent(world, startingDeadlineSeconds=600)
    await look(world, NOW)
    found = await world.get(Ref(EXECUTION, "default", NAME))
    spec = Execution.model_validate(found).spec
    assert spec.agent_ref.name == "sales"
    assert (spec.trigger.kind, spec.trigger.id) == ("Schedule", "Builtin")
    assert spec.trigger.scheduled_time == NOW
    assert spec.deadline_time == NOW + seconds(600)
    [receipt] = (await state_of(world)).recent
    assert (receipt.execution_name, receipt.outcome) == (NAME, "Ran")
    assert await events(world) == []


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("overlap", ["Skip", "QueueOne", "Replace", "Allow"])
async def test_an_operator_that_dies_at_any_write_loses_and_doubles_nothing(
    overlap: str, is_done: bool
) -> None:
    whole = FailingWorld()
    expected = await through_three_hours(whole, overlap)
    assert whole.writes > 5
    for number in range(1, whole.writes + 1):
        world = FailingWorld(number, is_done=is_done)
        assert await through_three_hours(world, overlap) == expected, number


async def through_three_hours(world: MemoryWorld, overlap: str) -> object:
    """What is there after an outage of three hours and a run that ended; the operator restarts
    whenever it dies."""
    put_agent(world, overlap=overlap, catchUp="All")
    for now in (NOW, NOW + 3 * HOUR + seconds(90), NOW + 4 * HOUR):
        await survive(world, now)
    for name in await names(world):
        finish(world, name, succeeded=True, at=NOW + 4 * HOUR)
    await survive(world, NOW + 4 * HOUR + seconds(30))
    state = await state_of(world)
    made = await names(world)
    receipts = [(each.scheduled_time, each.outcome, each.result) for each in state.recent]
    return receipts, made, state.queued_time


async def survive(world: MemoryWorld, now: datetime) -> None:
    while True:
        try:
            await look(world, now)
        except WorldError:
            continue
        return


async def test_what_the_api_server_refuses_is_missed_in_its_words() -> None:
    class Refusing(MemoryWorld):
        async def create(self, obj: JsonObject) -> JsonObject:
            if obj["kind"] == "Execution":
                raise ForbiddenError("exceeded quota")
            return await super().create(obj)

    world = Refusing()
    put_agent(world)
    await look(world, NOW)
    [receipt] = (await state_of(world)).recent
    assert (receipt.outcome, receipt.reason, receipt.message) == (
        "Missed",
        "Refused",
        "exceeded quota",
    )
    assert await events(world) == [
        ("ScheduleMissed", "No run for 2026-11-21T12:00:00Z: Refused. exceeded quota")
    ]


async def test_a_name_that_is_anothers_is_no_run_of_the_schedule() -> None:
    world = MemoryWorld()
    put_agent(world)
    world.put(make_execution(NAME).to_json())
    await look(world, NOW)
    [receipt] = (await state_of(world)).recent
    assert (receipt.outcome, receipt.reason) == ("Missed", "Refused")


async def test_replace_asks_the_run_before_to_stop() -> None:
    world = MemoryWorld()
    put_agent(world, overlap="Replace")
    await look(world, NOW)
    await look(world, NOW + HOUR)
    found = Execution.model_validate(await world.get(Ref(EXECUTION, "default", NAME)))
    assert found.status.cancellation is not None
    assert found.status.cancellation.reason == "Cancelled"
    assert scheduled_name("sales", NOW + HOUR) in found.status.cancellation.message


async def test_failures_pause_it_and_a_good_run_by_hand_resumes_it() -> None:
    world = MemoryWorld()
    put_agent(world, pauseAfterFailures=1)
    await look(world, NOW)
    finish(world, NAME, succeeded=False, at=NOW + seconds(60))
    await look(world, NOW + seconds(61))
    state = await state_of(world)
    assert state.paused is not None
    assert [each.result for each in state.recent] == ["Failed"]
    by_hand = make_execution("by-hand", created=NOW + seconds(100))
    world.put(by_hand.to_json())
    finish(world, "by-hand", succeeded=True, at=NOW + seconds(120))
    await look(world, NOW + seconds(121))
    assert (await state_of(world)).paused is None
    assert [reason for reason, _ in await events(world)] == ["SchedulePaused", "ScheduleResumed"]


async def test_a_run_that_was_deleted_before_its_end_was_seen_is_gone() -> None:
    world = MemoryWorld()
    put_agent(world)
    await look(world, NOW)
    world.remove(Ref(EXECUTION, "default", NAME))
    await look(world, NOW + seconds(60))
    assert [each.result for each in (await state_of(world)).recent] == ["Gone"]


async def test_without_a_schedule_the_status_has_none() -> None:
    world = MemoryWorld()
    put_agent(world)
    await look(world, NOW)
    found = world.objects[Ref(AGENT, *KEY)]
    spec = {key: value for key, value in _mapping(found["spec"]).items() if key != "schedule"}
    world.put({**found, "spec": spec})
    assert await look(world, NOW + seconds(60)) is None
    agent = Agent.model_validate(await world.get(Ref(AGENT, *KEY)))
    assert agent.status.schedule is None


async def test_a_run_that_was_made_stays_one_whatever_comes_before_it_is_on_record() -> None:
    world = MemoryWorld()
    put_agent(world)
    now = NOW
    agents, runs = KnownAgents(), ScheduledRuns()
    reconciler = ScheduleReconciler(world, agents, runs, lambda: now)
    await reconciler.reconcile(KEY)
    finish(world, NAME, succeeded=True, at=NOW)
    runs.see(Execution.model_validate(world.objects[Ref(EXECUTION, "default", NAME)]))
    found = world.objects[Ref(AGENT, *KEY)]
    changed = world.put({**found, "spec": {**_mapping(found["spec"]), "suspend": True}})
    agents.see(Agent.model_validate(changed))
    now += seconds(1)
    await reconciler.reconcile(KEY)
    [receipt] = (await state_of(world)).recent
    assert (receipt.outcome, receipt.execution_name) == ("Ran", NAME)


async def test_a_run_that_was_made_before_a_crash_is_no_skipped_time() -> None:
    world = MemoryWorld()
    put_agent(world)
    first, _ = await start(world, NOW)
    await first.reconcile(KEY)  # and dies before it is on record
    finish(world, NAME, succeeded=True, at=NOW)
    found = world.objects[Ref(AGENT, *KEY)]
    world.put({**found, "spec": {**_mapping(found["spec"]), "suspend": True}})
    await look(world, NOW + seconds(1))
    [receipt] = (await state_of(world)).recent
    assert (receipt.outcome, receipt.execution_name) == ("Ran", NAME)


async def test_each_time_is_counted_once_with_its_end_and_its_lateness() -> None:
    world = MemoryWorld()
    put_agent(world, catchUp="All", overlap="Allow")
    moments = [NOW, NOW + seconds(5), NOW + HOUR + seconds(90), NOW + HOUR + seconds(95)]
    metrics = Metrics()
    reconciler = ScheduleReconciler(
        world, KnownAgents(), ScheduledRuns(), lambda: moments[0], metrics.schedules
    )
    while moments:
        await reconciler.reconcile(KEY)
        moments.pop(0)
    value = metrics.registry.get_sample_value
    ticks = "heliostat_schedule_ticks_total"
    assert [value(ticks, {"end": end}) for end in ("ran", "late", "missed")] == [1, 1, 0]
    assert value("heliostat_schedule_lateness_seconds_count") == 2
    assert value("heliostat_schedule_lateness_seconds_sum") == 90


async def test_more_receipts_at_once_than_are_kept_are_told_all() -> None:
    world = MemoryWorld()
    put_agent(world, catchUp="All", maxCatchUp=100, overlap="Allow")
    await look(world, NOW + 80 * HOUR + seconds(300))
    assert len(await names(world)) == 81
    told = [message for _, message in await events(world)]
    late = [f"Execution {name} for " for name in await names(world)]
    assert [each for each in late if not any(str(one).startswith(each) for one in told)] == []


async def test_failures_of_runs_whose_receipts_are_gone_pause_it() -> None:
    world = MemoryWorld()
    put_agent(world, catchUp="All", maxCatchUp=100, overlap="Allow", pauseAfterFailures=3)
    now, runs, agents = NOW + 80 * HOUR + seconds(300), ScheduledRuns(), KnownAgents()
    reconciler = ScheduleReconciler(world, agents, runs, lambda: now)
    await reconciler.reconcile(KEY)
    await reconciler.reconcile(KEY)
    kept = {each.execution_name for each in (await state_of(world)).recent}
    for number, name in enumerate((await names(world))[:3]):
        assert name not in kept
        finish(world, name, succeeded=False, at=now)
        runs.see(Execution.model_validate(world.objects[Ref(EXECUTION, "default", name)]))
        now += seconds(60)
        await reconciler.reconcile(KEY)
        state = await state_of(world)
        assert state.failures == number + 1
    assert state.paused is not None


async def test_a_result_that_comes_while_the_last_ones_are_written_is_counted() -> None:
    runs = ScheduledRuns()

    class Slow(MemoryWorld):
        async def patch_status(self, obj: JsonObject) -> JsonObject:
            written = await super().patch_status(obj)
            for name in late:
                finish(self, name, succeeded=False, at=now)
                runs.see(Execution.model_validate(self.objects[Ref(EXECUTION, "default", name)]))
            return written

    world, late, now = Slow(), list[str](), NOW + 80 * HOUR + seconds(300)
    put_agent(world, catchUp="All", maxCatchUp=100, overlap="Allow")
    reconciler = ScheduleReconciler(world, KnownAgents(), runs, lambda: now)
    await reconciler.reconcile(KEY)
    await reconciler.reconcile(KEY)
    first, second, *_ = await names(world)
    finish(world, first, succeeded=False, at=now)
    runs.see(Execution.model_validate(world.objects[Ref(EXECUTION, "default", first)]))
    late.append(second)
    await reconciler.reconcile(KEY)
    late.clear()
    await reconciler.reconcile(KEY)
    assert (await state_of(world)).failures == 2


async def test_what_was_told_to_wait_for_the_run_before_is_no_lateness_of_ours() -> None:
    world = MemoryWorld()
    put_agent(world, overlap="QueueOne")
    now, runs, metrics = NOW, ScheduledRuns(), Metrics()
    reconciler = ScheduleReconciler(world, KnownAgents(), runs, lambda: now, metrics.schedules)
    for now in (NOW, NOW + seconds(1), NOW + HOUR, NOW + HOUR + seconds(600)):
        if now > NOW + HOUR:
            finish(world, NAME, succeeded=True, at=now)
            runs.see(Execution.model_validate(world.objects[Ref(EXECUTION, "default", NAME)]))
        await reconciler.reconcile(KEY)
    assert len(await names(world)) == 2
    value = metrics.registry.get_sample_value
    assert value("heliostat_schedule_lateness_seconds_count") == 1


@pytest.mark.parametrize("is_over", [True, False])
async def test_a_run_that_was_made_in_time_before_a_crash_is_not_late(is_over: bool) -> None:
    """Though nobody was there to write it down for ten minutes."""
    world = MemoryWorld()
    put_agent(world)
    first, _ = await start(world, NOW)
    await first.reconcile(KEY)  # and dies before it is on record
    if is_over:
        finish(world, NAME, succeeded=True, at=NOW)
    await look(world, NOW + seconds(600))
    [receipt] = (await state_of(world)).recent
    assert (receipt.outcome, receipt.reason) == ("Ran", "OnTime")


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    assert isinstance(value, Mapping)
    return value


def test_the_engine_fires_by_its_own_timer_and_a_second_one_makes_nothing_twice() -> None:
    world = MemoryWorld()
    put_agent(world, cron="* * * * *", frequency=None, overlap="Allow")

    async def ten_minutes() -> None:
        loop = asyncio.get_running_loop()
        signer = Signer(new_private_key(), lambda: NOW)

        def clock() -> datetime:
            return NOW + seconds(loop.time())

        settings = make_settings()
        engines = [Engine(world, FakeGateway(), signer, settings, clock) for _ in range(2)]
        tasks = [asyncio.create_task(each.run()) for each in engines]
        await asyncio.sleep(600.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(ten_minutes())
    made = [
        Execution.model_validate(each)
        for ref, each in world.objects.items()
        if ref.kind == EXECUTION
    ]
    on_time = [
        each.spec.trigger.scheduled_time
        for each in made
        if (each.spec.trigger.scheduled_time or NOW) > NOW
    ]
    assert sorted(filter(None, on_time)) == [NOW + minute * seconds(60) for minute in range(1, 11)]
    assert all(FINISHED_LABEL not in each.metadata.labels for each in made)
