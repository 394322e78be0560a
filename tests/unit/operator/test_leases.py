"""Two replicas, one Lease: never both lead, whatever the clocks say; the watch is proved alive."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from heliostat_core.worlds import LEASE, Change, ForbiddenError, Ref, UnavailableError
from heliostat_operator.canaries import WatchDeadError
from heliostat_operator.leases import (
    LEASE_NAME,
    FencedWorld,
    Leadership,
    LeadershipLostError,
)
from support.builders.resources import NOW, make_execution
from support.manual_loop import run
from support.memory_world import MemoryWorld

SECONDS = 15
REF = Ref(LEASE, "heliostat-system", LEASE_NAME)


@dataclass
class Clocks:
    """One machine's clocks: the monotonic one runs, the wall clock may jump."""

    monotonic: float = 0.0
    wall: timedelta = field(default_factory=timedelta)

    def make(self, world: MemoryWorld, identity: str) -> Leadership:
        return Leadership(
            world,
            "heliostat-system",
            identity,
            SECONDS,
            60,
            monotonic=lambda: self.monotonic,
            now=lambda: NOW + timedelta(seconds=self.monotonic) + self.wall,
        )


class Replicas(RuleBasedStateMachine):
    """Two replicas look at the Lease in any order, while time passes and wall clocks jump."""

    def __init__(self) -> None:
        super().__init__()
        self.world = MemoryWorld()
        self.clocks = {name: Clocks() for name in "ab"}
        self.replicas = {name: self.clocks[name].make(self.world, name) for name in "ab"}
        self.loop = asyncio.new_event_loop()

    @rule(name=st.sampled_from("ab"), reachable=st.booleans())
    def look(self, name: str, reachable: bool) -> None:
        if not reachable:
            self.world.failures["get"] = UnavailableError("away")
        self.loop.run_until_complete(self.replicas[name].renew())
        self.world.failures.clear()

    @rule(name=st.sampled_from("ab"), count=st.sampled_from([-3600, -20, 20, 3600]))
    def a_wall_clock_jumps(self, name: str, count: int) -> None:
        self.clocks[name].wall += timedelta(seconds=count)

    @rule(count=st.sampled_from([1.0, 3.0, 9.0, 16.0]))
    def pass_time(self, count: float) -> None:
        for each in self.clocks.values():
            each.monotonic += count

    @rule(name=st.sampled_from("ab"))
    def restart(self, name: str) -> None:
        self.replicas[name] = self.clocks[name].make(self.world, name)

    @rule(name=st.sampled_from("ab"))
    def release(self, name: str) -> None:
        self.loop.run_until_complete(self.replicas[name].release())

    @invariant()
    def at_most_one_leads(self) -> None:
        assert sum(each.is_leader for each in self.replicas.values()) <= 1

    def teardown(self) -> None:
        self.loop.close()


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_a_holder_whose_wall_clock_went_back_is_still_seen_to_renew() -> None:
    async def go() -> None:
        world = MemoryWorld()
        mine, other = Clocks(), Clocks()
        holder, waiter = mine.make(world, "a"), other.make(world, "b")
        assert await holder.renew()
        mine.wall -= timedelta(hours=1)
        for _ in range(10):
            assert not await waiter.renew()
            mine.monotonic += 3
            other.monotonic += 3
            assert await holder.renew()

    run(go())


def test_a_silent_holder_is_replaced_after_the_lease_and_not_before() -> None:
    async def go() -> None:
        world, clocks = MemoryWorld(), Clocks()
        assert await clocks.make(world, "a").renew()
        waiter = clocks.make(world, "b")
        assert not await waiter.renew()
        clocks.monotonic += SECONDS
        assert not await waiter.renew()
        clocks.monotonic += 0.1
        assert await waiter.renew()

    run(go())


def test_a_released_lease_is_free_at_once() -> None:
    async def go() -> None:
        world, clocks = MemoryWorld(), Clocks()
        holder = clocks.make(world, "a")
        assert await holder.renew()
        await holder.release()
        assert not holder.is_leader
        assert await clocks.make(world, "b").renew()

    run(go())


def make_kept(world: MemoryWorld, canary: float = 60) -> Leadership:
    """A leadership on the running loop's own clock."""
    time = asyncio.get_running_loop().time
    return Leadership(
        world,
        "heliostat-system",
        "a",
        SECONDS,
        canary,
        monotonic=time,
        now=lambda: NOW + timedelta(seconds=time()),
    )


def test_a_watch_that_brings_nothing_back_ends_the_operator() -> None:
    async def go() -> float:
        leadership = make_kept(MemoryWorld())
        await leadership.acquire()
        with pytest.raises(WatchDeadError, match="did not bring back our own Lease"):
            await leadership.keep()
        return asyncio.get_running_loop().time()

    assert 60 < run(go()) <= 66


def test_a_watch_that_brings_the_lease_back_is_alive() -> None:
    async def go() -> None:
        world = MemoryWorld()
        leadership = make_kept(world)
        await leadership.acquire()
        kept = asyncio.create_task(leadership.keep())
        for _ in range(200):
            await asyncio.sleep(2)
            leadership.see(Change("MODIFIED", world.objects[REF]))
        assert not kept.done()
        assert leadership.silent_seconds == 0
        kept.cancel()

    run(go())


def test_an_api_server_that_does_not_know_its_roles_yet_ends_no_leader() -> None:
    """For a second after its start it forbids what it allowed before."""

    async def go() -> None:
        world = MemoryWorld()
        leadership = make_kept(world)
        await leadership.acquire()
        kept = asyncio.create_task(leadership.keep())
        world.failures["get"] = ForbiddenError("leases are forbidden")
        await asyncio.sleep(SECONDS / 2)
        world.failures.clear()
        await asyncio.sleep(SECONDS)
        assert not kept.done()
        assert leadership.is_leader
        kept.cancel()

    run(go())


def test_a_leader_that_cannot_renew_ends_and_writes_nothing_more() -> None:
    async def go() -> None:
        world = MemoryWorld()
        leadership = make_kept(world)
        await leadership.acquire()
        fenced = FencedWorld(world, leadership)
        await fenced.create(make_execution("before").to_json())
        world.failures["get"] = UnavailableError("away")
        with pytest.raises(LeadershipLostError):
            await leadership.keep()
        assert asyncio.get_running_loop().time() < SECONDS
        with pytest.raises(LeadershipLostError):
            await fenced.create(make_execution("after").to_json())

    run(go())
