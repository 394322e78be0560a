"""A soak's course comes to its end only after all that its plan says."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import aiohttp

from heliostat_core.names import FINISHED_LABEL
from heliostat_core.worlds import EVERYTHING, Change, JsonObject, JsonValue, Kind, Selection
from soak.course import Course, Options, Record
from soak.hands import Hands
from soak.place import Ledger
from soak.programs import Use
from soak.restarts import PARTS, Part
from soak.seen import Run
from support.builders.pods import make_condition
from support.kubectl import Kubectl
from support.memory_world import MemoryWorld
from support.objects import with_metadata


class QuickWorld(MemoryWorld):
    """Every Execution is done as soon as it is made."""

    async def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        while True:
            async for change in super().watch(kind, selection):
                yield change
            await asyncio.sleep(0.01)

    async def create(self, obj: JsonObject) -> JsonObject:
        conditions: list[JsonValue] = [
            make_condition(kind, "True", "Because") for kind in ("Succeeded", "Settled")
        ]
        status: JsonObject = {"phase": "Succeeded", "conditions": conditions}
        return await super().create(
            {**with_metadata(obj, labels={FINISHED_LABEL: "true"}), "status": status}
        )


@dataclass
class QuietPlace:
    """Implements soak.place.Place. What is broken takes longer than all the runs."""

    record: Record
    broken: list[Part] = field(default_factory=list)
    parts: frozenset[Part] = frozenset(PARTS)
    kubectl: Kubectl = field(default_factory=lambda: cast("Kubectl", SimpleNamespace()))
    gateway_url: str = ""
    signing_key: str = ""

    async def evict(self, pod: str) -> bool:
        raise NotImplementedError(pod)

    async def restart(self, part: Part, times: int) -> None:
        assert times == 0
        while self.record.done < self.record.options.runs:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # a course looks ten times a second whether the rest is done
        self.broken.append(part)

    def measure_operator(self) -> Use | None:
        return None

    def revive_operator(self) -> bool:
        return False

    async def read_ledger(self, runs: Iterable[Run]) -> Ledger:
        raise NotImplementedError(runs)


async def soak(options: Options) -> QuietPlace:
    world, place = QuickWorld(), QuietPlace(Record(options))
    hands = Hands(world, place, cast("aiohttp.ClientSession", SimpleNamespace()), place.record.seen)
    await Course(place, world, hands, place.record, lambda _: None).run()
    return place


async def test_runs_that_are_quicker_than_what_is_broken_do_not_end_the_soak_before_it() -> None:
    place = await soak(Options(runs=20, at_once=20, stuck_seconds=5))
    assert place.record.done == 20
    assert sorted(place.broken) == sorted(PARTS)


async def test_a_soak_whose_time_is_over_does_not_wait_for_the_rest_of_its_plan() -> None:
    place = await soak(Options(runs=20, seconds=0, stuck_seconds=5))
    assert (place.record.done, place.broken) == (0, [])
    assert place.record.seconds < place.record.options.stuck_seconds
