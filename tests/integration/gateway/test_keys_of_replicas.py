"""Two gateways on one Redis: keys and revocations of one are those of the other."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pytest

from support.redis_server import RedisServer

from .gateway_process import GatewayProcess
from .replicas import Replicas
from .test_end_of_a_run import OpenStream
from .test_keys_over_http import create, listed, rotate, status

SECOND = 1.0


@pytest.fixture
async def pair(replicas: Replicas) -> list[GatewayProcess]:
    await replicas.until_shared()
    return replicas.gateways


async def within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.02)


async def test_a_key_is_made_rotated_and_revoked_for_all(pair: list[GatewayProcess]) -> None:
    one, two = pair
    issued = await create(one)
    key_id = issued["details"]["id"]

    async def has_status(key: str, wanted: int) -> bool:
        return await status(two, key) == wanted

    await within(SECOND, lambda: has_status(issued["key"], 200))
    rotated = await rotate(two, key_id, 0)
    assert await status(two, issued["key"]) == 401
    await within(SECOND, lambda: has_status(rotated, 200))
    stream = OpenStream(two, rotated)
    await stream.until_it_stands_still()
    reply = await one.ask(f"/admin/keys/{key_id}", method="DELETE", headers=one.admin_headers())
    answer = json.loads(reply.body)
    assert (answer["streamsEnded"], answer["everywhere"]) == (1, True)
    assert await stream.end() == "complete"
    assert "revoked" in stream.text
    assert [await status(each, rotated) for each in pair] == [401, 401]
    assert [each["revokedTime"] is not None for each in await listed(two, key_id)] == [True]


async def test_a_revocation_ends_streams_everywhere_and_is_kept_without_redis(
    pair: list[GatewayProcess], redis_server: RedisServer
) -> None:
    one, two = pair
    stream = OpenStream(two, two.key("run"))
    await stream.until_it_stands_still()
    begin = time.monotonic()
    answer = await one.revoke("run")
    assert time.monotonic() - begin < SECOND
    assert answer.streams_ended == 1
    assert await stream.end() == "complete"
    assert [await status(each, each.key("run")) for each in pair] == [401, 401]

    redis_server.kill()
    assert [await status(each, each.key("run")) for each in pair] == [401, 401]
    two.kill()
    await asyncio.to_thread(two.start, REDIS_URL=redis_server.url)  # over a restart too
    assert await status(two, two.key("run")) == 401
    assert (await one.revoke("later")).revoked
    assert await status(one, one.key("later")) == 401
    assert await status(two, two.key("later")) == 200  # it can't know yet

    redis_server.start()

    async def is_refused() -> bool:
        return await status(two, two.key("later")) == 401

    await within(10, is_refused)


async def test_keys_without_redis(pair: list[GatewayProcess], redis_server: RedisServer) -> None:
    one, _ = pair
    issued = await create(one)
    assert await status(one, issued["key"]) == 200
    redis_server.kill()
    assert await status(one, issued["key"]) == 200  # known ones work
    headers = one.admin_headers()
    body = {"name": "trial", "kind": "service"}
    reply = await one.ask("/admin/keys", document=body, headers=headers)
    assert (reply.status, "Redis" in reply.error[1]) == (503, True)

    async def can_not_tell() -> bool:
        return await status(one, "hsk_000000000000_secret") == 503

    await within(10, can_not_tell)  # another replica may have made it
    redis_server.start()

    async def is_unknown() -> bool:
        return await status(one, "hsk_000000000000_secret") == 401

    await within(10, is_unknown)
    assert await status(one, (await create(one))["key"]) == 200
