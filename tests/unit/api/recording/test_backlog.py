"""What waits to be recorded: every change while few wait, of many only where things are by then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from heliostat_api.recording.backlog import latest
from heliostat_core.worlds import Change, JsonObject, UnavailableError


def change(name: str, version: int, *, head: bool = False, gone: bool = False) -> Change:
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": str(version)}
    whole: JsonObject = {} if head else {"spec": {}}
    obj: JsonObject = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Execution",
        "metadata": metadata,
    }
    return Change("DELETED" if gone else "MODIFIED", {**obj, **whole})


class Watch:
    """Brings these changes at once, and then ends as it is told."""

    def __init__(self, *changes: Change, error: Exception | None = None) -> None:
        self.brought = 0
        self._changes, self._error = changes, error

    async def __call__(self) -> AsyncIterator[Change]:
        for each in self._changes:
            self.brought += 1
            yield each
        if self._error is not None:
            raise self._error


async def read_late(watch: Watch, short: int, most: int = 1000) -> list[Change]:
    """All that is left when the watch has brought what it may."""
    found = list[Change]()
    async with aclosing(latest(watch(), short, most)) as changes:
        async for each in changes:
            found.append(each)
            for _ in range(20):
                await asyncio.sleep(0)
    return found


BEGUN = [change("a", 1)]  # taken before the others come


async def test_while_few_wait_every_change_is_recorded() -> None:
    brought = [*BEGUN, change("b", 2), change("b", 3), change("b", 4)]
    assert await read_late(Watch(*brought), short=32) == brought


async def test_of_many_that_wait_only_the_last_of_each_object_is_recorded() -> None:
    brought = [*BEGUN, change("b", 2), change("c", 3), change("b", 4), change("c", 5)]
    assert await read_late(Watch(*brought), short=0) == [*BEGUN, *brought[3:]]


async def test_what_went_is_told_with_its_last_state() -> None:
    whole = [*BEGUN, change("b", 2), change("b", 3, gone=True)]
    assert await read_late(Watch(*whole), short=0) == [*BEGUN, whole[2]]
    by_head = [*BEGUN, change("b", 2), change("b", 3, gone=True, head=True)]
    assert await read_late(Watch(*by_head), short=0) == by_head


async def test_what_ends_the_watch_is_raised_after_what_came_before() -> None:
    brought = [*BEGUN, change("b", 2)]
    changes = latest(Watch(*brought, error=UnavailableError("away"))())
    assert [await anext(changes) for _ in brought] == brought
    with pytest.raises(UnavailableError):
        await anext(changes)


async def test_a_watch_waits_for_a_reader_that_is_late() -> None:
    watch = Watch(*[change(f"run-{number}", number) for number in range(50)])
    async with aclosing(latest(watch(), most=10)) as changes:
        await anext(changes)
        for _ in range(200):
            await asyncio.sleep(0)
        assert watch.brought <= 12
