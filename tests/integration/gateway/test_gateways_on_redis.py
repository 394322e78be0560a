"""Two gateway processes and a writer process on one Redis."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.redis_server import RedisServer

from .gateway_process import GatewayProcess, free_port
from .test_end_of_a_run import OpenStream

DEADLINE_SECONDS = 60
HELLO_NANOS = 2_400_000


@pytest.fixture
def gateways(redis_server: RedisServer, tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    port = free_port()
    environment = {
        "REDIS_URL": redis_server.url,
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_PORT": str(port),
        "HELIOSTAT_GATEWAY_DATA_DIR": str(tmp_path / "rows"),
    }
    command = [sys.executable, "-m", "heliostat_gateway.writer"]
    with (tmp_path / "writer.log").open("ab") as log:
        writer = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    found: list[GatewayProcess] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        gateway = GatewayProcess(folder)
        if found:
            gateway.private = found[0].private
        gateway.write_public_key()
        gateway.start(REDIS_URL=redis_server.url)
        found.append(gateway)
    yield found
    for gateway in found:
        gateway.kill()
    writer.terminate()
    assert writer.wait(timeout=DEADLINE_SECONDS) in (0, -15)
    assert b"Traceback" not in (tmp_path / "writer.log").read_bytes()


async def test_a_cap_and_its_sum_are_those_of_all_gateways(gateways: list[GatewayProcess]) -> None:
    for gateway in gateways:
        await gateway.until_shared()
    one, two = gateways
    key = one.key("run", cap=3 * HELLO_NANOS)
    replies = [
        await gateway.message(key, "scripted/hello", stream=stream)
        for gateway, stream in ((one, True), (two, False), (one, False), (two, True))
    ]
    assert [reply.status for reply in replies] == [200, 200, 200, 402]
    for gateway in gateways:
        cost = await gateway.cost("run")
        assert (cost.cost_nanos, cost.requests, cost.settled) == (3 * HELLO_NANOS, 3, True)


async def test_budgets_are_defined_over_http(gateways: list[GatewayProcess]) -> None:
    one, two = gateways
    await one.until_shared()
    await two.until_shared()
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


async def test_the_ledger_and_the_revocations_of_one_gateway_alone_are_taken_over(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    alone = GatewayProcess(tmp_path / "alone")
    alone.folder.mkdir()
    alone.write_public_key()
    alone.start()
    assert (await alone.message(alone.key("run"), "scripted/hello")).status == 200
    stream = OpenStream(alone, alone.key("run"))
    await stream.until_it_stands_still()
    await alone.revoke("run", 2)
    alone.kill()
    await stream.end()
    writer = GatewayProcess(tmp_path / "alone", private=alone.private)
    writer.start("heliostat_gateway.writer", REDIS_URL=redis_server.url)
    new = GatewayProcess(tmp_path / "new", private=alone.private)
    new.folder.mkdir()
    new.write_public_key()
    new.start(REDIS_URL=redis_server.url)
    await new.until_shared()
    cost = await new.cost("run")
    assert (cost.requests, cost.settled, cost.estimated) == (2, True, True)
    assert cost.cost_nanos > HELLO_NANOS
    revoked = await new.message(new.key("run", attempt=2), "scripted/hello")
    assert (revoked.status, "revoked" in revoked.text) == (401, True)
    await new.revoke("run")
    for process in (new, writer):
        assert process.stop() in (0, -15)
    alone.start()
    assert await alone.cost("run") == cost
    assert (await alone.message(alone.key("run"), "scripted/hello")).status == 401
    alone.kill()


def test_the_writer_without_redis_says_what_it_lacks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "heliostat_gateway.writer"]
    settings = {
        "HELIOSTAT_GATEWAY_PORT": str(free_port()),
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        command, env=settings, capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 2
    assert b"REDIS_URL must be set" in done.stderr


def test_two_writers_do_not_share_a_folder(gateways: list[GatewayProcess], tmp_path: Path) -> None:
    assert gateways
    settings = {
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "HELIOSTAT_GATEWAY_PORT": str(free_port()),
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_DATA_DIR": str(tmp_path / "rows"),
    }
    command = [sys.executable, "-m", "heliostat_gateway.writer"]
    done = subprocess.run(
        command, env=settings, capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, b"one writer" in done.stderr) == (2, True)


async def test_a_request_is_found_by_its_id_on_any_gateway(
    gateways: list[GatewayProcess],
) -> None:
    for gateway in gateways:
        await gateway.until_shared()
    one, two = gateways
    key = one.key("run")
    made = await one.message(key, "scripted/hello", stream=False)
    path = f"/v1/heliostat/requests/{made.headers['x-heliostat-request-id']}"
    for gateway in gateways:
        found = await gateway.ask(path, method="GET", headers={"x-api-key": key})
        assert found.status == 200, found.text
        figures = json.loads(found.body)
        assert (figures["open"], figures["costNanos"]) == (False, HELLO_NANOS)
    foreign = await two.ask(path, method="GET", headers={"x-api-key": one.key("another")})
    assert foreign.status == 404
