"""What every World keeps to: what an object owns goes with it."""

import asyncio
from collections.abc import Iterator

import pytest

from heliostat_core.worlds import EXECUTION, JOB, SECRET, JsonObject, Ref, World
from support.control_plane import Address
from support.controllers import run_garbage_collector
from support.objects import make_execution, smallest_object, uid_of, with_metadata
from support.worlds import Ground
from tools.machine import find_control_plane_programs


@pytest.fixture(scope="module")
def collecting(
    ground: Ground, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """An API server alone collects nothing: it gets its controller for these tests."""
    if ground.name != "cluster":
        yield
        return
    programs = find_control_plane_programs()
    program = programs / "kube-controller-manager" if programs else None
    if program is None or not program.exists():
        pytest.skip(
            "no kube-controller-manager beside kube-apiserver (envtest has none). Remedy: set"
            " HELIOSTAT_KUBE to the folder of the `cluster` script"
        )
    address = request.getfixturevalue("api_server_with_crds")
    assert isinstance(address, Address)
    with run_garbage_collector(program, address, tmp_path_factory.mktemp("controllers")):
        yield


def owned_by(owner: JsonObject, obj: JsonObject) -> JsonObject:
    reference: JsonObject = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": "run",
        "uid": uid_of(owner),
        "controller": True,
    }
    return with_metadata(obj, ownerReferences=[reference])


async def gone(world: World, ref: Ref) -> None:
    """Returns once the object is gone; its deadline is that of the test."""
    async with asyncio.timeout(60):
        while await world.get(ref) is not None:
            await asyncio.sleep(0.1)


@pytest.mark.usefixtures("collecting")
async def test_what_an_object_owns_goes_with_it_and_nothing_else(
    world: World, namespace: str
) -> None:
    owner = await world.create(make_execution(namespace))
    for kind in (SECRET, JOB):
        await world.create(owned_by(owner, smallest_object(kind, namespace, "owned")))
    await world.create(smallest_object(SECRET, namespace, "free"))
    assert await world.delete(Ref(EXECUTION, namespace, "run"))
    assert await world.get(Ref(EXECUTION, namespace, "run")) is None, "not kept for its dependents"
    for kind in (SECRET, JOB):
        await gone(world, Ref(kind, namespace, "owned"))
    assert await world.get(Ref(SECRET, namespace, "free")) is not None


@pytest.mark.usefixtures("collecting")
async def test_what_is_owned_by_the_owned_goes_too(world: World, namespace: str) -> None:
    owner = await world.create(make_execution(namespace))
    middle = await world.create(owned_by(owner, smallest_object(JOB, namespace, "run")))
    await world.create(owned_by(middle, smallest_object(SECRET, namespace, "leaf")))
    await world.delete(Ref(EXECUTION, namespace, "run"))
    await gone(world, Ref(SECRET, namespace, "leaf"))


@pytest.mark.usefixtures("collecting")
async def test_what_waits_for_a_finalizer_keeps_what_it_owns(world: World, namespace: str) -> None:
    finalizers = {"finalizers": ["heliostat.dev/run"]}
    owner = await world.apply(make_execution(namespace, metadata=finalizers))
    await world.create(owned_by(owner, smallest_object(SECRET, namespace, "owned")))
    await world.delete(Ref(EXECUTION, namespace, "run"))
    probe = await world.create(owned_by(owner, smallest_object(SECRET, namespace, "later")))
    assert uid_of(probe)
    assert await world.get(Ref(SECRET, namespace, "owned")) is not None
    await world.apply(make_execution(namespace))
    await gone(world, Ref(SECRET, namespace, "owned"))


@pytest.mark.usefixtures("collecting")
async def test_what_is_born_after_its_owner_went_goes_too(world: World, namespace: str) -> None:
    owner = await world.create(make_execution(namespace))
    await world.delete(Ref(EXECUTION, namespace, "run"))
    await world.create(owned_by(owner, smallest_object(SECRET, namespace, "late")))
    await gone(world, Ref(SECRET, namespace, "late"))
