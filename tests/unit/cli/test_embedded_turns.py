"""The embedded world does its work in place, and the other tasks of the process have turns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import PAGE_SIZE, EmbeddedWorld
from heliostat_core.worlds import CONFIG_MAP, JsonObject, Ref
from support.worlds import document

CALLS = 40


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[EmbeddedWorld]:
    with closing(Store(tmp_path / "world.sqlite")) as store:
        yield EmbeddedWorld(store)


def config_map(number: int, value: str = "") -> JsonObject:
    return document(CONFIG_MAP, "default", f"m-{number}", data={"key": value})


async def turns_beside(work: Callable[[], Awaitable[object]]) -> int:
    """How often another task had a turn while the work went on."""
    turns = 0
    is_over = False

    async def count() -> None:
        nonlocal turns
        while not is_over:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(count())
    await asyncio.sleep(0)
    begun = turns
    await work()
    found = turns - begun
    is_over = True
    await task
    return found


async def test_others_have_a_turn_after_each_write(world: EmbeddedWorld) -> None:
    async def write() -> None:
        for number in range(CALLS):
            await world.create(config_map(number))
            await world.apply(config_map(number, "other"))
            await world.delete(Ref(CONFIG_MAP, "default", f"m-{number}"))

    assert await turns_beside(write) >= 3 * CALLS - 1


async def test_many_writers_have_one_turn_together(world: EmbeddedWorld) -> None:
    """The sixteen of a bulk cancel, the operator's workers: a request waits for one of them."""

    async def write(number: int) -> None:
        await world.as_manager("other").create(config_map(number))

    async def write_all() -> None:
        await asyncio.gather(*(write(number) for number in range(CALLS)))

    assert await turns_beside(write_all) >= CALLS - 1


async def test_others_have_a_turn_between_two_pages_of_a_list(world: EmbeddedWorld) -> None:
    for number in range(2 * PAGE_SIZE + 1):
        await world.create(config_map(number))

    async def read() -> None:
        assert len([each async for each in world.list(CONFIG_MAP)]) == 2 * PAGE_SIZE + 1

    assert await turns_beside(read) >= 2
