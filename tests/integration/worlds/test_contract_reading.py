"""What every World keeps to: selecting and watching."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from heliostat_core.worlds import (
    AGENT,
    EVENT,
    EXECUTION,
    SECRET,
    Change,
    Kind,
    Ref,
    Selection,
    World,
)
from support.objects import (
    make_agent,
    make_execution,
    mapping_at,
    name_of,
    smallest_object,
    value_at,
)
from support.worlds import Ground, document


async def names(world: World, selection: Selection) -> list[str]:
    return sorted([name_of(obj) async for obj in world.list(EXECUTION, selection)])


async def make_labelled(world: World, namespace: str) -> None:
    for name, labels in {
        "plain": {},
        "running": {"heliostat.dev/agent": "sales"},
        "finished": {"heliostat.dev/agent": "sales", "heliostat.dev/finished": "true"},
        "other": {"heliostat.dev/agent": "hr", "heliostat.dev/finished": "no"},
    }.items():
        await world.create(make_execution(namespace, name, metadata={"labels": labels}))


@pytest.mark.parametrize(
    ("labels", "terms", "expected"),
    [
        ({}, (), ["finished", "other", "plain", "running"]),
        ({"heliostat.dev/agent": "sales"}, (), ["finished", "running"]),
        ({"heliostat.dev/agent": "sales", "heliostat.dev/finished": "true"}, (), ["finished"]),
        ({}, ("!heliostat.dev/finished",), ["plain", "running"]),
        ({}, ("heliostat.dev/finished",), ["finished", "other"]),
        ({}, ("heliostat.dev/finished!=true",), ["other", "plain", "running"]),
        ({"heliostat.dev/agent": "sales"}, ("heliostat.dev/finished!=true",), ["running"]),
        ({"heliostat.dev/agent": "nobody"}, (), []),
    ],
)
async def test_labels_select(
    world: World,
    namespace: str,
    labels: dict[str, str],
    terms: tuple[str, ...],
    expected: list[str],
) -> None:
    await make_labelled(world, namespace)
    selection = Selection(namespace, labels=labels, label_terms=terms)
    assert await names(world, selection) == expected


async def test_fields_select(world: World, namespace: str) -> None:
    await world.create(make_execution(namespace, "a"))
    await world.create(make_execution(namespace, "b", agentRef={"name": "hr"}))
    await world.patch_status({**make_execution(namespace, "b"), "status": {"phase": "Running"}})
    for fields, expected in (
        ({"metadata.name": "a"}, ["a"]),
        ({"spec.agentRef.name": "hr"}, ["b"]),
        ({"status.phase": "Running"}, ["b"]),
        ({"status.phase": "Running", "spec.agentRef.name": "sales"}, []),
    ):
        assert await names(world, Selection(namespace, fields=fields)) == expected


async def test_events_are_selected_by_the_uid_of_what_they_are_about(
    world: World, namespace: str
) -> None:
    for name, uid in (("before", "uid-1"), ("now", "uid-2")):
        event = smallest_object(EVENT, namespace, name)
        about = {**mapping_at(event, "involvedObject"), "uid": uid}
        await world.create({**event, "involvedObject": about})
    selection = Selection(namespace, fields={"involvedObject.uid": "uid-2"})
    assert [name_of(each) async for each in world.list(EVENT, selection)] == ["now"]


async def test_without_a_namespace_those_of_all_are_listed(world: World, ground: Ground) -> None:
    spaces = {ground.make_namespace(), ground.make_namespace()}
    for namespace in spaces:
        await world.create(make_agent(namespace))
    found = [value_at(obj, "metadata", "namespace") async for obj in world.list(AGENT)]
    assert spaces <= set(found)


async def test_a_list_of_many_pages_has_each_object_once(world: World, namespace: str) -> None:
    wanted = [f"run-{number:04}" for number in range(520)]
    for start in range(0, len(wanted), 52):
        batch = wanted[start : start + 52]
        await asyncio.gather(*(world.create(make_execution(namespace, name)) for name in batch))
    assert await names(world, Selection(namespace)) == wanted


class Follower:
    """The changes of a watch, one at a time, each within ten seconds."""

    def __init__(self, changes: AsyncIterator[Change]) -> None:
        self._changes = changes

    async def next(self) -> tuple[str, str]:
        change = await self.change()
        return change.type, name_of(change.object)

    async def change(self) -> Change:
        async with asyncio.timeout(10):
            return await anext(self._changes)


@asynccontextmanager
async def watching(world: World, kind: Kind, selection: Selection) -> AsyncIterator[Follower]:
    changes = world.watch(kind, selection)
    try:
        yield Follower(changes)
    finally:
        if isinstance(changes, AsyncGenerator):
            await changes.aclose()


async def test_a_watch_begins_with_what_exists_and_goes_on_with_every_change(
    world: World, namespace: str
) -> None:
    await world.create(make_execution(namespace, "before"))
    async with watching(world, EXECUTION, Selection(namespace)) as changes:
        assert await changes.next() == ("ADDED", "before")
        await world.create(make_execution(namespace, "after"))
        assert await changes.next() == ("ADDED", "after")
        applied = await world.apply(document(EXECUTION, namespace, "after", spec={"cancel": True}))
        change = await changes.change()
        assert (change.type, change.object) == ("MODIFIED", applied)
        await world.patch_status(
            {**make_execution(namespace, "before"), "status": {"phase": "Running"}}
        )
        assert await changes.next() == ("MODIFIED", "before")
        await world.delete(Ref(EXECUTION, namespace, "after"))
        assert await changes.next() == ("DELETED", "after")


async def test_a_watch_sees_what_another_client_does(world: World, ground: Ground) -> None:
    namespace = ground.make_namespace()
    async with (
        ground.open() as other,
        watching(world, EXECUTION, Selection(namespace)) as changes,
    ):
        await other.create(make_execution(namespace))
        assert await changes.next() == ("ADDED", "run")


async def test_a_watch_of_labels_sees_objects_come_and_go(world: World, namespace: str) -> None:
    selection = Selection(namespace, label_terms=("!heliostat.dev/finished",))
    async with watching(world, EXECUTION, selection) as changes:
        await world.apply(make_execution(namespace))
        assert await changes.next() == ("ADDED", "run")
        finished = {"labels": {"heliostat.dev/finished": "true"}}
        await world.apply(make_execution(namespace, metadata=finished))
        assert await changes.next() == ("DELETED", "run")
        await world.apply(make_execution(namespace, metadata=finished, priority=1))
        await world.apply(make_execution(namespace, priority=2))
        change = await changes.change()
        assert (change.type, value_at(change.object, "spec", "priority")) == ("ADDED", 2)


async def test_a_watch_of_fields_sees_objects_come_and_go(world: World, namespace: str) -> None:
    selection = Selection(namespace, fields={"status.phase": "Running"})
    async with watching(world, EXECUTION, selection) as changes:
        await world.create(make_execution(namespace))
        for phase, type_ in (("Running", "ADDED"), ("Succeeded", "DELETED")):
            await world.patch_status({**make_execution(namespace), "status": {"phase": phase}})
            assert await changes.next() == (type_, "run")


async def test_a_watch_of_a_deletion_that_waits_sees_both_steps(
    world: World, namespace: str
) -> None:
    kept = {"finalizers": ["heliostat.dev/run"]}
    await world.apply(make_execution(namespace, metadata=kept))
    async with watching(world, EXECUTION, Selection(namespace)) as changes:
        assert await changes.next() == ("ADDED", "run")
        await world.delete(Ref(EXECUTION, namespace, "run"))
        change = await changes.change()
        assert change.type == "MODIFIED"
        assert value_at(change.object, "metadata", "deletionTimestamp")
        await world.apply(make_execution(namespace))
        types = [(await changes.change()).type]
        if types == ["MODIFIED"]:  # the write that takes the finalizer away may show, or not
            types.append((await changes.change()).type)
        assert types[-1] == "DELETED"


async def test_two_watches_see_the_same(world: World, namespace: str) -> None:
    selection = Selection(namespace)
    async with (
        watching(world, EXECUTION, selection) as one,
        watching(world, EXECUTION, selection) as two,
    ):
        await world.create(make_execution(namespace))
        assert await one.next() == await two.next() == ("ADDED", "run")


async def test_objects_of_built_in_kinds_say_their_kind(world: World, namespace: str) -> None:
    await world.create(smallest_object(SECRET, namespace, "one"))
    async with watching(world, SECRET, Selection(namespace)) as changes:
        first = await changes.change()
        await world.create(smallest_object(SECRET, namespace, "two"))
        second = await changes.change()
    assert [change.object["kind"] for change in (first, second)] == ["Secret", "Secret"]
    assert [change.object["apiVersion"] for change in (first, second)] == ["v1", "v1"]
