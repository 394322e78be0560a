"""Two gateway processes and a writer process on one Redis."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import aclosing, closing
from hashlib import sha256
from pathlib import Path

import pytest
from redis.asyncio import Redis

from heliostat_gateway.limits.restrictions import Kind, Restriction
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.restrictions import RedisRestrictionPublisher
from support.ports import free_port
from support.redis_server import RedisServer

from .gateway_process import GatewayProcess
from .replicas import WRITER, Replicas, prepare
from .test_end_of_a_run import OpenStream
from .test_keys_over_http import create, rotate, status

DEADLINE_SECONDS = 60
COMMAND = [sys.executable, "-m", WRITER]
STATES = ("away", "back")
HELLO_NANOS = 2_400_000


async def test_a_cap_and_its_sum_are_those_of_all_gateways(replicas: Replicas) -> None:
    await replicas.until_shared()
    one, two = replicas.gateways
    key = one.key("run", cap=3 * HELLO_NANOS)
    replies = [
        await gateway.message(key, "scripted/hello", stream=stream)
        for gateway, stream in ((one, True), (two, False), (one, False), (two, True))
    ]
    assert [reply.status for reply in replies] == [200, 200, 200, 402]
    for gateway in replicas.gateways:
        cost = await gateway.cost("run")
        assert (cost.cost_nanos, cost.requests, cost.settled) == (3 * HELLO_NANOS, 3, True)


async def test_budgets_are_defined_over_http(replicas: Replicas) -> None:
    await replicas.until_shared()
    one, two = replicas.gateways
    wanted = {"capNanos": 5000, "period": "month", "timeZone": "Europe/Berlin"}
    headers = one.admin_headers()
    made = await one.ask("/admin/budgets/team", method="PUT", document=wanted, headers=headers)
    assert made.status == 200, made.text
    seen = json.loads(await two.get("/admin/budgets/team"))
    assert seen == json.loads(made.body)
    assert (seen["leftNanos"], seen["capTokens"], seen["spentNanos"]) == (5000, None, 0)
    assert [b["name"] for b in json.loads(await two.get("/admin/budgets"))["budgets"]] == ["team"]
    gone = [
        await one.ask("/admin/budgets/team", method="DELETE", headers=headers) for _ in range(2)
    ]
    assert [reply.status for reply in gone] == [204, 404]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "capNanos or capTokens"),
        ({"capNanos": 1, "timeZone": "Mars/Base"}, "time zone"),
        ({"capNanos": -1}, "capNanos"),
        ({"capNanos": 1, "colour": "red"}, "colour"),
    ],
)
async def test_a_budget_that_is_none_is_refused_by_name(
    shared: GatewayProcess, document: dict[str, str | int], said: str
) -> None:
    reply = await shared.ask(
        "/admin/budgets/team", method="PUT", document=document, headers=shared.admin_headers()
    )
    assert (reply.status, said in reply.text) == (400, True), reply.text


async def test_budgets_need_the_admin_token(shared: GatewayProcess) -> None:
    reply = await shared.ask("/admin/budgets", method="GET", headers={"x-api-key": shared.key("e")})
    assert reply.status == 401


async def test_all_that_one_gateway_alone_has_is_taken_over_and_back(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    alone = prepare(tmp_path / "alone")
    alone.start()
    assert (await alone.message(alone.key("run"), "scripted/hello")).status == 200
    stream = OpenStream(alone, alone.key("run"))
    await stream.until_it_stands_still()
    await alone.revoke("run", 2)
    user, service, dead = [(await create(alone))["key"] for _ in range(3)]
    await end_key(alone, dead)
    alone.kill()
    await stream.end()
    writer = prepare(tmp_path / "alone", alone.private)
    writer.start(WRITER, REDIS_URL=redis_server.url)
    new = prepare(tmp_path / "new", alone.private)
    new.start(REDIS_URL=redis_server.url)
    await new.until_shared()
    cost = await new.cost("run")
    assert (cost.requests, cost.settled, cost.estimated) == (2, True, True)
    assert cost.cost_nanos > HELLO_NANOS
    revoked = await new.message(new.key("run", attempt=2), "scripted/hello")
    assert (revoked.status, "revoked" in revoked.text) == (401, True)
    await new.revoke("run")
    await until_complete(new)
    assert [await status(new, key) for key in (user, service, dead)] == [200, 200, 401]
    await end_key(new, service)
    turned = await rotate(new, id_of(user), 0)
    made = (await create(new))["key"]
    await until_kept(writer, made, turned)
    for process in (new, writer):
        assert process.stop() in (0, -15)
    alone.start()
    assert await alone.cost("run") == cost
    assert (await alone.message(alone.key("run"), "scripted/hello")).status == 401
    keys = (user, turned, service, dead, made)
    assert [await status(alone, key) for key in keys] == [401, 200, 401, 401, 200]
    alone.kill()


async def test_keys_outlive_a_redis_that_has_lost_its_memory(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    await replicas.until_shared()
    one, two = replicas.gateways
    good, dead = [(await create(one))["key"] for _ in range(2)]
    await end_key(one, dead)
    await until_kept(replicas.writer, good, dead)
    replicas.writer.kill()
    redis_server.forget_all()
    two.kill()
    two.start(REDIS_URL=redis_server.url)
    # It may exist: a client that asks again gets through.
    assert [await status(two, key) for key in (good, dead)] == [503, 503]
    reply = await two.ask(
        f"/admin/keys/{id_of(good)}/rotate", document={}, headers=two.admin_headers()
    )
    assert (reply.status, "not put the keys" in reply.text) == (503, True)
    replicas.writer.start(WRITER, REDIS_URL=redis_server.url)
    await until_complete(two)
    assert [await status(two, key) for key in (good, dead)] == [200, 401]


def id_of(key: str) -> str:
    return "_".join(key.split("_")[:2])


async def end_key(gateway: GatewayProcess, key: str) -> None:
    headers = gateway.admin_headers()
    reply = await gateway.ask(f"/admin/keys/{id_of(key)}", method="DELETE", headers=headers)
    assert reply.status == 200, reply.text


async def until_complete(gateway: GatewayProcess) -> None:
    """Waits until the gateway says of a key that nobody has made that it is not known."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await status(gateway, "hsk_000000000000_secret") != 401:
            await asyncio.sleep(0.02)


async def until_kept(writer: GatewayProcess, *keys: str) -> None:
    """Waits until the writer's disk has these keys as they are now."""
    path = writer.folder / "data" / "ledger.sqlite"
    digests = [sha256(key.split("_", 2)[2].encode()).hexdigest() for key in keys]
    async with asyncio.timeout(DEADLINE_SECONDS):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as disk:
            while True:
                told = str(disk.execute("SELECT document FROM keys").fetchall())
                if all(f'"digest":"{each}"' in told for each in digests):
                    return
                await asyncio.sleep(0.02)


def test_the_writer_without_redis_says_what_it_lacks(tmp_path: Path) -> None:
    settings = {
        "HELIOSTAT_GATEWAY_PORT": str(free_port()),
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        COMMAND, env=settings, capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 2
    assert b"REDIS_URL must be set" in done.stderr


def test_two_writers_do_not_share_a_folder(replicas: Replicas) -> None:
    settings = {
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "HELIOSTAT_GATEWAY_PORT": str(free_port()),
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_DATA_DIR": str(replicas.writer.folder / "data"),
    }
    done = subprocess.run(
        COMMAND, env=settings, capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, b"one writer" in done.stderr) == (2, True)


async def test_a_request_is_found_by_its_id_on_any_gateway(replicas: Replicas) -> None:
    await replicas.until_shared()
    one, two = replicas.gateways
    key = one.key("run")
    made = await one.message(key, "scripted/hello", stream=False)
    path = f"/v1/heliostat/requests/{made.headers['x-heliostat-request-id']}"
    for gateway in replicas.gateways:
        found = await gateway.ask(path, method="GET", headers={"x-api-key": key})
        assert found.status == 200, found.text
        figures = json.loads(found.body)
        assert (figures["open"], figures["costNanos"]) == (False, HELLO_NANOS)
    foreign = await two.ask(path, method="GET", headers={"x-api-key": one.key("another")})
    assert foreign.status == 404


async def test_an_outage_is_said_once_and_so_is_its_end(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    await replicas.until_shared()
    one, _ = replicas.gateways
    channels = ("revocations", "keys", "breakers", "restrictions")
    await until_heard(redis_server, [f"heliostat:{each}" for each in channels])
    redis_server.kill()
    await until_turned_away(redis_server.port, 150)
    reply = await one.message(one.key("run"), "scripted/hello")
    assert (reply.status, reply.headers["x-heliostat-alone"]) == (200, "true")
    redis_server.start()
    await replicas.until_shared()
    assert "x-heliostat-alone" not in (await one.message(one.key("run"), "scripted/hello")).headers
    words = [f"Redis is {state} (heliostat:{each})" for each in channels for state in STATES]
    words += ["the shared ledger is away"]
    expected = dict.fromkeys(words, 1) | {'"the shared ledger is there"': 2}  # the first at start
    await until_said(one, expected)
    await until_said(replicas.writer, {"the writer waits": 1, '"the writer works"': 2})


async def until_said(process: GatewayProcess, expected: dict[str, int]) -> None:
    """Waits until each of these words was said, then sees that none was said more often."""
    found: dict[str, int] = {}
    async with asyncio.timeout(DEADLINE_SECONDS):
        while any(found.get(each, 0) < times for each, times in expected.items()):
            log = process.log.read_text()
            found = {each: log.count(each) for each in expected}
            await asyncio.sleep(0.05)
    assert found == expected


async def until_heard(server: RedisServer, channels: Sequence[str]) -> None:
    """Waits until both gateways listen to each channel: what was never there is not away."""
    async with Redis.from_url(server.url) as client, asyncio.timeout(DEADLINE_SECONDS):
        while min(count for _, count in await client.pubsub_numsub(*channels)) < 2:
            await asyncio.sleep(0.05)


async def until_turned_away(port: int, times: int) -> None:
    """Closes every connection to a port at once, until there were so many."""
    turned_away = asyncio.Semaphore(0)

    async def turn_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turned_away.release()
        writer.close()

    server = await asyncio.start_server(turn_away, "127.0.0.1", port)
    async with server, asyncio.timeout(DEADLINE_SECONDS):
        for _ in range(times):
            await turned_away.acquire()


async def test_who_is_told_of_a_pause_is_told_where_it_ends(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    await replicas.until_shared()
    one, _ = replicas.gateways
    async with aclosing(open_redis(redis_server.url)) as redis:
        pause = Restriction("default/tester", Kind.PAUSE, "execution e cost $9.", "e", 1)
        await RedisRestrictionPublisher(redis).publish([pause])
    where = "of the ledger's writer (the Service heliostat-gateway-writer)"
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (state := json.loads(await one.get("/admin/agents/default/tester")))["paused"]:
            await asyncio.sleep(0.05)
    assert state["resumeWith"] == f"POST /admin/agents/default/tester/resume {where}"
    refused = await one.message(one.key("run"), "scripted/hello")
    assert (refused.status, where in refused.error[1]) == (403, True)
    headers = one.admin_headers()
    path = "/admin/agents/default/tester/resume"
    assert (await one.ask(path, headers=headers)).status == 404
    assert (await replicas.writer.ask(path, headers=headers)).status == 200
