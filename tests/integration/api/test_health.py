"""What the kubelet is told: an api of which a part broke is to be started again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from heliostat_api.app.main import create_app
from heliostat_api.records.managers import APPLIER
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.worlds import EVERYTHING, JsonObject, Kind, Selection
from support.local_api import api_place, client_of


class FaultyWorld(EmbeddedWorld):
    """Has a fault that no reader expects."""

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        raise RuntimeError(f"a fault of ours: {kind.plural}, {selection}")
        yield {}  # for it is a generator


async def test_an_api_that_works_is_alive(tmp_path: Path) -> None:
    async with api_place(tmp_path) as place, client_of(place.app()) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_an_api_that_records_nothing_any_more_is_not_alive(tmp_path: Path) -> None:
    async with api_place(tmp_path) as place:
        with closing(Store(place.folder.world_file)) as store:
            dependencies = place.surroundings_with(FaultyWorld(store, manager=APPLIER))
            async with client_of(create_app(dependencies)) as client, asyncio.timeout(20):
                while (answer := await client.get("/healthz")).status_code == 200:
                    await asyncio.sleep(0.01)
    assert answer.status_code == 503
    assert "Recorder.run" in answer.json()["detail"]
