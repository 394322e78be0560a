"""What a guest has in the world becomes theirs when they sign in, and nothing else changes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from heliostat_api.account.guest_resources import MovingResources
from heliostat_api.gateway.caps import Caps, DailyCaps
from heliostat_api.gateway.client import Gateway
from heliostat_api.records.managers import APPLIER, MARKER, MOVER
from heliostat_core.names import OWNER_ANNOTATION, RECORDED_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Kind, Ref
from support.local_api import NAMESPACE, ApiPlace, api_place

GUEST, USER, OTHER = "guest-1", "user-1", "user-2"
NO_CAPS = Caps(Gateway(None), DailyCaps(), lambda: datetime.now(UTC))
SPECS: dict[str, JsonObject] = {
    "Agent": {"prompt": "Work."},
    "Execution": {"agentRef": {"name": "worker"}},
}


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[ApiPlace]:
    async with api_place(tmp_path) as opened:
        yield opened


async def give(place: ApiPlace, kind: Kind, name: str, owner: str) -> None:
    await place.world.as_manager(APPLIER).apply(
        {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "annotations": {OWNER_ANNOTATION: owner},
            },
            "spec": SPECS[kind.name],
        }
    )


async def annotations(place: ApiPlace, kind: Kind, name: str) -> dict[str, str]:
    found = await place.world.get(Ref(kind, NAMESPACE, name))
    assert found is not None
    return dict(ObjectHead.model_validate(found).metadata.annotations)


async def test_a_guests_resources_become_the_users_and_others_stay(place: ApiPlace) -> None:
    for kind in (AGENT, EXECUTION):
        await give(place, kind, "mine", GUEST)
        await give(place, kind, "theirs", OTHER)
    for _ in range(2):  # may be called again
        await MovingResources(place.world.as_manager(MOVER), NO_CAPS).move(GUEST, USER)
    for kind in (AGENT, EXECUTION):
        assert await annotations(place, kind, "mine") == {OWNER_ANNOTATION: USER}
        assert await annotations(place, kind, "theirs") == {OWNER_ANNOTATION: OTHER}


async def test_a_mark_of_another_manager_stays(place: ApiPlace) -> None:
    await give(place, EXECUTION, "mine", GUEST)
    await place.world.as_manager(MARKER).apply(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": "Execution",
            "metadata": {
                "name": "mine",
                "namespace": NAMESPACE,
                "annotations": {RECORDED_ANNOTATION: "now"},
            },
        }
    )
    await MovingResources(place.world.as_manager(MOVER), NO_CAPS).move(GUEST, USER)
    assert await annotations(place, EXECUTION, "mine") == {
        OWNER_ANNOTATION: USER,
        RECORDED_ANNOTATION: "now",
    }
