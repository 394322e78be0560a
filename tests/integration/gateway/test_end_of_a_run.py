"""Revocation, kill -9, restart, shutdown: a run that has ended makes no further call."""

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import time

import aiohttp
import pytest

from support.waiting import until

from .gateway_process import GatewayProcess, small_request


class OpenStream:
    """A stream that stands still, read in the background."""

    def __init__(self, gateway: GatewayProcess, key: str, model: str = "scripted/stall") -> None:
        self.text = ""
        self._spoke = asyncio.Event()
        self._task = asyncio.create_task(self._read(gateway, key, model))

    async def _read(self, gateway: GatewayProcess, key: str, model: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{gateway.url}/v1/messages",
                json=small_request(model),
                headers={"x-api-key": key},
            ) as answer,
        ):
            assert answer.status == 200
            async for chunk in answer.content.iter_any():
                self.text += chunk.decode()
                if "One moment" in self.text:
                    self._spoke.set()

    async def until_it_stands_still(self) -> None:
        async with asyncio.timeout(30):
            await self._spoke.wait()

    async def end(self) -> str:
        async with asyncio.timeout(30):
            try:
                await self._task
            except aiohttp.ClientError as error:
                return type(error).__name__
        return "complete"


async def status_of(gateway: GatewayProcess, key: str) -> int:
    return (await gateway.message(key, "scripted/hello")).status


async def test_revocation_ends_streams_of_that_key_only_and_books_them(
    gateway: GatewayProcess,
) -> None:
    mine = [OpenStream(gateway, gateway.key("run")) for _ in range(3)]
    other = OpenStream(gateway, gateway.key("run", attempt=2))
    for stream in (*mine, other):
        await stream.until_it_stands_still()
    answer = await gateway.revoke("run")
    assert (answer.revoked, answer.streams_ended) == (True, 3)
    cost = await gateway.cost("run")
    assert [a.requests for a in cost.attempts] == [3, 1]
    for stream in mine:
        assert await stream.end() == "complete"
        assert stream.text.rstrip().split("\n\n")[-1].startswith("event: error")
        assert "revoked" in stream.text
    assert "event: error" not in other.text
    assert await status_of(gateway, gateway.key("run")) == 401
    assert await status_of(gateway, gateway.key("run", attempt=2)) == 200
    assert (await gateway.revoke("run")).streams_ended == 0
    assert (await gateway.revoke("run", 2)).streams_ended == 1
    bill = await gateway.bill("run")
    cost = await gateway.cost("run")
    assert (cost.cost_nanos, cost.settled, cost.estimated) == (bill.total_nanos, True, True)


async def test_a_client_that_does_not_read_holds_no_revocation_up(gateway: GatewayProcess) -> None:
    """The stream is longer than all buffers between; `endless` is a scenario of the test's own."""
    own = gateway.folder / "own"
    own.mkdir()
    (own / "endless.yaml").write_text(
        "description: Says more than fits into any buffer.\n"
        'prices: {input: "4", output: "20", cacheRead: "1", cacheWrite5m: "1", cacheWrite1h: "1"}\n'
        "pace: {characters: 50000}\n"
        f"turns: [{{steps: [{{text: {'x' * 20_000_000}}}], usage: {{input: 1, output: 1}}}}]\n"
    )
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)
    await asyncio.to_thread(gateway.start, HELIOSTAT_GATEWAY_SCENARIOS_DIR=str(own))
    body = json.dumps(small_request("scripted/endless")).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
    writer.write(
        f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {gateway.key('deaf')}\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await reader.readuntil(b"message_start")
    started = time.monotonic()
    assert (await gateway.revoke("deaf")).streams_ended == 1
    assert time.monotonic() - started < 15
    cost = await gateway.cost("deaf")
    assert (cost.settled, cost.estimated) == (True, True)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_revocation_before_the_first_event_is_a_401(gateway: GatewayProcess) -> None:
    call = asyncio.create_task(gateway.message(gateway.key("early"), "scripted/stall-start"))
    async with asyncio.timeout(30):
        while not (await gateway.bill("early")).entries:
            await asyncio.sleep(0.02)
    assert (await gateway.revoke("early")).streams_ended == 1
    answer = await call
    assert answer.status == 401
    assert answer.headers["x-should-retry"] == "false"


async def test_kill_in_a_stream_then_restart_on_the_same_port(gateway: GatewayProcess) -> None:
    await gateway.revoke("stopped")
    stream = OpenStream(gateway, gateway.key("killed"))
    await stream.until_it_stands_still()
    async with asyncio.timeout(30):  # the open row follows the stream
        while (await gateway.cost("killed")).usage["outputTokens"] != 5:
            await asyncio.sleep(0.02)
    assert not (await gateway.cost("killed")).settled
    gateway.kill()
    assert await stream.end() != "complete"
    gateway.start()
    cost, bill = await gateway.cost("killed"), await gateway.bill("killed")
    assert (cost.settled, cost.estimated, cost.requests) == (True, True, 1)
    assert cost.cost_nanos == bill.total_nanos == 500 * 4_000 + 5 * 20_000
    assert await status_of(gateway, gateway.key("stopped")) == 401
    assert await status_of(gateway, gateway.key("killed")) == 200
    assert (await gateway.cost("killed")).requests == 2


async def test_shutdown_ends_streams_with_an_error_event(gateway: GatewayProcess) -> None:
    stream = OpenStream(gateway, gateway.key("run"))
    await stream.until_it_stands_still()
    started = time.monotonic()
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGTERM)
    assert await stream.end() == "complete"
    assert "shutting down" in stream.text
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)
    assert time.monotonic() - started < 15
    gateway.start()
    cost = await gateway.cost("run")
    assert (cost.settled, cost.estimated) == (True, True)


async def test_a_shutdown_waits_for_open_streams_as_long_as_it_may(
    gateway: GatewayProcess,
) -> None:
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)
    await asyncio.to_thread(gateway.start, HELIOSTAT_GATEWAY_DRAIN_SECONDS="3")
    whole = OpenStream(gateway, gateway.key("run"), "scripted/slow")
    stuck = OpenStream(gateway, gateway.key("run"))
    await stuck.until_it_stands_still()
    started = time.monotonic()
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGTERM)
    assert await whole.end() == "complete"
    assert "message_stop" in whole.text
    with pytest.raises(aiohttp.ClientError):
        await status_of(gateway, gateway.key("run"))
    assert await stuck.end() == "complete"
    assert "shutting down" in stuck.text
    assert time.monotonic() - started >= 3
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)


class KeptConnection:
    """One connection of a client that keeps it between its requests."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._headers = {"x-api-key": gateway.key("run")}
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)

    def ask(self, model: str = "scripted/hello") -> http.client.HTTPResponse:
        """An answer that was not read yet."""
        body = json.dumps(small_request(model))
        self._connection.request("POST", "/v1/messages", body, self._headers)
        return self._connection.getresponse()


def refuses(gateway: GatewayProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gateway.port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


async def test_a_kept_connection_may_ask_once_more_while_its_gateway_leaves(
    gateway: GatewayProcess,
) -> None:
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)
    await asyncio.to_thread(gateway.start, HELIOSTAT_GATEWAY_DRAIN_SECONDS="30")
    idle, streaming = KeptConnection(gateway), KeptConnection(gateway)
    assert idle.ask().read()
    open_answer = streaming.ask("scripted/slow")
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGTERM)
    await until(lambda: refuses(gateway), 30)
    last = idle.ask()
    assert (last.status, last.getheader("connection")) == (200, "close")
    assert b"message_stop" in last.read()
    assert b"message_stop" in open_answer.read()
    last = streaming.ask()
    assert (last.status, last.getheader("connection")) == (200, "close")
    assert b"message_stop" in last.read()
    started = time.monotonic()
    assert await asyncio.to_thread(gateway.stop) in (0, -signal.SIGTERM)
    assert time.monotonic() - started < 10  # nobody is connected any more


async def test_an_expired_key_says_so(gateway: GatewayProcess) -> None:
    answer = await gateway.message(gateway.key("old", seconds=-1), "scripted/hello")
    assert answer.status == 401
    assert "expired" in answer.error[1]
    assert answer.headers["x-should-retry"] == "false"
