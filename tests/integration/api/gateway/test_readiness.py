"""The api is ready once the gateway knows its key; a gateway that is away does not hold it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2

from heliostat_api.gateway.client import GatewayPlace, Identity
from heliostat_core.keys import new_private_key
from support.real_gateway import RealGateway, utc_now
from support.shared_api import api_app

UNREAD = "the world is not read yet"


@asynccontextmanager
async def probing(folder: Path, place: GatewayPlace) -> AsyncIterator[httpx2.AsyncClient]:
    """A kubelet at an api that has read its world."""
    async with (
        api_app(folder, gateway=place) as api,
        api.serving() as url,
        httpx2.AsyncClient(base_url=url, timeout=10) as client,
        asyncio.timeout(20),
    ):
        while UNREAD in (await client.get("/readyz")).text:
            await asyncio.sleep(0.05)
        yield client


async def test_an_api_whose_key_the_gateway_has_not_read_yet_is_not_ready(
    gateway: RealGateway, tmp_path: Path
) -> None:
    """A browser that came a moment after the installation read "signed by a key that this server
    does not know" until the kubelet had brought the key to the gateway."""
    identity = Identity(new_private_key(), utc_now)
    async with probing(tmp_path, replace(gateway.place, identity=identity)) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert "does not know this api's public key" in answer.json()["detail"]
        name, pem = identity.published()
        (tmp_path / "gateway" / "api-keys" / name).write_text(pem)
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_an_api_whose_gateway_is_away_is_ready(gateway: RealGateway, tmp_path: Path) -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody listens", request=request)

    place = replace(gateway.place, transport=httpx2.MockTransport(away))
    async with probing(tmp_path, place) as client:
        assert (await client.get("/readyz")).status_code == 200
