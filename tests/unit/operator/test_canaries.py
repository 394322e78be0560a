"""A watch that dies in silence is noticed by what it does not bring, and a quiet one is left
alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from heliostat_core.kinds import watches
from heliostat_core.worlds import (
    AGENT,
    Change,
    JsonObject,
    Kind,
    NotFoundError,
    Selection,
    WorldError,
)
from heliostat_operator.canaries import WatchCanary, WatchDeadError
from support.manual_loop import run

SECONDS = 60


@dataclass
class Cluster:
    """What is there, by kind, and an error that lists answer with."""

    heads: dict[Kind, list[JsonObject]] = field(default_factory=dict)
    error: WorldError | None = None
    lists: int = 0

    async def list_heads(self, kind: Kind, selection: Selection) -> AsyncIterator[JsonObject]:
        assert selection == watches()[kind], "what is compared is what is watched"
        self.lists += 1
        if self.error is not None:
            raise self.error
        for each in self.heads.get(kind, []):
            yield each


def head(name: str, version: int) -> JsonObject:
    return {
        "kind": "PartialObjectMetadata",
        "metadata": {"name": name, "namespace": "default", "resourceVersion": str(version)},
    }


def canary_of(cluster: Cluster) -> WatchCanary:
    return WatchCanary(cluster, watches(), SECONDS, asyncio.get_running_loop().time)


async def keep(canary: WatchCanary, seconds: float) -> None:
    """Lets it look for so long; raises what it raises."""
    try:
        await asyncio.wait_for(canary.keep(), seconds)
    except TimeoutError:
        return


@pytest.mark.parametrize("kind", watches(), ids=lambda kind: kind.plural)
def test_each_kind_that_is_watched_has_its_canary(kind: Kind) -> None:
    async def go() -> float:
        cluster = Cluster()
        canary = canary_of(cluster)
        canary.see(kind, Change("ADDED", head("sales", 7)))
        cluster.heads[kind] = [head("sales", 7)]
        await keep(canary, 3600)
        cluster.heads[kind] = [head("sales", 9)]  # written, and the watch does not tell
        began = asyncio.get_running_loop().time()
        with pytest.raises(WatchDeadError, match=f"did not bring {kind.plural}.*default/sales"):
            await keep(canary, 3600)
        return asyncio.get_running_loop().time() - began

    assert SECONDS <= run(go()) <= 2 * SECONDS


def test_an_object_that_is_new_is_missed_too() -> None:
    async def go() -> None:
        cluster = Cluster()
        canary = canary_of(cluster)
        await keep(canary, 3600)  # nothing is there: nothing can be said
        cluster.heads[AGENT] = [head("sales", 9)]
        with pytest.raises(WatchDeadError):
            await keep(canary, 3600)

    run(go())


def test_a_watch_that_is_late_but_lives_is_left_alone() -> None:
    async def go() -> None:
        cluster = Cluster(heads={AGENT: [head("a", 8), head("b", 9)]})
        canary = canary_of(cluster)
        for name, version in (("a", 7), ("a", 8), ("b", 9)):
            await keep(canary, SECONDS - 1)
            assert canary.silent_seconds > 0
            canary.see(AGENT, Change("MODIFIED", head(name, version)))
            assert canary.silent_seconds == 0
        await keep(canary, 3600)

    run(go())


def test_a_deletion_that_no_watch_told_accuses_nobody() -> None:
    """kopf never tells of what went while there was no connection."""

    async def go() -> None:
        cluster = Cluster()
        canary = canary_of(cluster)
        canary.see(AGENT, Change("ADDED", head("sales", 7)))
        await keep(canary, 3600)
        cluster.heads[AGENT] = [head("sales", 12)]  # of the same name, made later
        with pytest.raises(WatchDeadError):
            await keep(canary, 3600)

    run(go())


def test_what_was_deleted_and_told_is_forgotten() -> None:
    async def go() -> None:
        cluster = Cluster(heads={AGENT: [head("sales", 7)]})
        canary = canary_of(cluster)
        canary.see(AGENT, Change("ADDED", head("sales", 7)))
        canary.see(AGENT, Change("DELETED", head("sales", 8)))
        with pytest.raises(WatchDeadError):  # it is there again, in its old version
            await keep(canary, 3600)

    run(go())


def test_a_kind_that_cannot_be_listed_accuses_nobody() -> None:
    """Between the deletion of a CRD and its return, and while the API server is away."""

    async def go() -> None:
        cluster = Cluster(error=NotFoundError("the server could not find the requested resource"))
        canary = canary_of(cluster)
        canary.see(AGENT, Change("ADDED", head("sales", 7)))
        await keep(canary, 3600)
        assert canary.silent_seconds == 0

    run(go())


def test_a_busy_watch_costs_no_list() -> None:
    async def go() -> int:
        cluster = Cluster()
        canary = canary_of(cluster)
        looks = asyncio.create_task(canary.keep())
        for number in range(600):
            for kind in watches():
                canary.see(kind, Change("MODIFIED", head("sales", number)))
            await asyncio.sleep(1)
        looks.cancel()
        return cluster.lists

    assert run(go()) == 0
