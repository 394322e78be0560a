"""The egress proxy with real sockets, before a real gateway that knows the keys."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from heliostat_core.egress import IpAddress
from heliostat_gateway.egress.callers import Callers
from heliostat_gateway.egress.decisions import DecisionBook
from heliostat_gateway.egress.proxy import EgressProxy
from heliostat_gateway.egress.settings import EgressSettings
from support.waiting import until

from .gateway_process import GatewayProcess

NAMES: Mapping[str, tuple[str, ...]] = {
    "echo.example.com": ("127.0.0.1",),
    "inside.example.com": ("10.0.0.1", "::ffff:169.254.169.254"),
    "both.example.com": ("10.0.0.1", "127.0.0.1"),
    "closed.example.com": ("127.0.0.1",),
    "server.example.com": ("127.0.0.3",),
    "beside.example.com": ("127.0.0.3", "127.0.0.1"),
}


async def resolve(name: str, _port: int) -> tuple[IpAddress, ...]:
    if name not in NAMES:
        raise OSError("no such name")
    return tuple(map(ip_address, NAMES[name]))


@dataclass
class Outside:
    """A server that sends back what it gets, and a proxy that leads to it."""

    gateway: GatewayProcess
    proxy: EgressProxy
    port: int
    book: DecisionBook
    lines: list[bytes] = field(default_factory=list)

    def key(self, execution: str, *hosts: str, refused: tuple[str, ...] = ()) -> str:
        egress = [(each, (self.port,)) for each in hosts]
        return self.gateway.key(execution, egress=egress, refused=refused)

    async def connect(
        self, target: str, key: str = "", rest: bytes = b""
    ) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
        """The answer's head, and what is left of the connection."""
        opened = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        credentials = base64.b64encode(f"heliostat:{key}".encode()).decode()
        proof = f"Proxy-Authorization: Basic {credentials}\r\n" if key else ""
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{proof}\r\n"
        opened[1].write(head.encode() + rest)
        answer = await opened[0].readuntil(b"\r\n\r\n")
        return answer.decode(), *opened

    async def status(self, target: str, key: str = "") -> int:
        answer, _, writer = await self.connect(target, key)
        writer.close()
        return int(answer.split()[1])

    @property
    def verdicts(self) -> list[object]:
        return [json.loads(each)["verdict"] for each in self.lines]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def outside(
    gateway: GatewayProcess,
    url: str = "",
    allowed: tuple[str, ...] = ("127.0.0.0/8",),
    **changes: float | tuple[str, ...],
) -> AsyncIterator[Outside]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    settings = EgressSettings(
        host="127.0.0.1",
        port=0,
        gateway_url=url or gateway.url,
        allowed_networks=allowed,
        drain_seconds=0,
    ).model_copy(update=changes)
    lines: list[bytes] = []
    book = DecisionBook(lines.append)
    callers = Callers(settings.gateway_url, settings.key_seconds, time.monotonic)
    proxy = EgressProxy(settings, callers, book, resolve)
    await proxy.start()
    port = server.sockets[0].getsockname()[1]
    try:
        yield Outside(gateway, proxy, port, book, lines)
    finally:
        await proxy.close()
        server.close()


async def test_a_named_host_is_reached_and_the_decision_told_without_the_key(
    shared: GatewayProcess,
) -> None:
    async with outside(shared) as around:
        target = f"Echo.Example.Com.:{around.port}"
        key = around.key("egress-1", "*.example.com")
        answer, reader, writer = await around.connect(target, key, rest=b"early ")
        assert answer.startswith("HTTP/1.1 200 ")
        big = b"x" * 3_000_000
        writer.write(big)
        writer.write_eof()
        assert await reader.read() == b"early " + big
        writer.close()
        (line,) = (json.loads(each) for each in around.lines)
        line.pop("time")
        assert line == {
            "level": "info",
            "logger": "heliostat_gateway.egress",
            "message": f"a tunnel to echo.example.com:{around.port}",
            "verdict": "Allowed",
            "target": f"echo.example.com:{around.port}",
            "address": "127.0.0.1",
            "execution": "egress-1",
            "attempt": 1,
            "agent": "default/tester",
            "correlationId": "corr-1",
        }
        await until(lambda: "heliostat_egress_open_tunnels 0.0" in around.book.text())
        text = around.book.text()
        assert 'heliostat_egress_decisions_total{verdict="Allowed"} 1.0' in text
        assert 'heliostat_egress_bytes_total{direction="out"} 3.000006e+06' in text
        assert key.encode() not in b"".join(around.lines)


async def test_nothing_else_is(shared: GatewayProcess) -> None:
    async with outside(shared) as around:
        port, key = around.port, around.key("egress-2", "*.example.com")
        asked = {
            f"echo.example.com:{port + 1}": 403,
            f"other.example.org:{port}": 403,
            f"example.com:{port}": 403,
            f"127.0.0.1:{port}": 403,
            f"0x7f.1:{port}": 400,
            f"inside.example.com:{port}": 403,
            f"unknown.example.com:{port}": 502,
        }
        for target, status in asked.items():
            assert await around.status(target, key) == status, target
        assert around.verdicts == [
            *["NotNamed"] * 4,
            "TargetUnreadable",
            "AddressRefused",
            "NotResolved",
        ]


async def test_who_asks_for_an_address_is_told_to_go_without_the_proxy(
    shared: GatewayProcess,
) -> None:
    async with outside(shared) as around:
        key = around.key("egress-17", "*.example.com")
        for target, said in {"203.0.113.7:443": True, "other.example.org:443": False}.items():
            _, reader, writer = await around.connect(target, key)
            assert (b"without the proxy" in await reader.read()) is said
            writer.close()


async def test_a_private_address_beside_an_allowed_one_is_not_tried(
    shared: GatewayProcess,
) -> None:
    async with outside(shared) as around:
        key = around.key("egress-3", "*.example.com")
        assert await around.status(f"both.example.com:{around.port}", key) == 200
        assert json.loads(around.lines[0])["address"] == "127.0.0.1"


async def test_private_addresses_are_refused_until_a_value_allows_them(
    shared: GatewayProcess,
) -> None:
    async with outside(shared, allowed=()) as around:
        named = around.key("egress-4", "*.example.com", "127.0.0.1", "10.0.0.0/8")
        for host in ("echo.example.com", "127.0.0.1", "[::ffff:127.0.0.1]", "10.1.2.3"):
            assert await around.status(f"{host}:{around.port}", named) == 403, host
        assert around.verdicts == ["AddressRefused"] * 4


@pytest.mark.parametrize(("by_key", "by_admin"), [(("127.0.0.3/32",), ()), ((), ("127.0.0.3/32",))])
async def test_what_no_run_reaches_is_refused_under_whatever_name(
    shared: GatewayProcess, by_key: tuple[str, ...], by_admin: tuple[str, ...]
) -> None:
    """The Kubernetes API as the key has it, or a network that an admin refuses."""
    async with outside(shared, refused_networks=by_admin) as around:
        key = around.key("egress-16", "*.example.com", "0.0.0.0/0", refused=by_key)
        for host in ("127.0.0.3", "[::ffff:127.0.0.3]", "server.example.com"):
            assert await around.status(f"{host}:{around.port}", key) == 403, host
        assert around.verdicts == ["AddressRefused"] * 3
        assert await around.status(f"beside.example.com:{around.port}", key) == 200
        assert json.loads(around.lines[-1])["address"] == "127.0.0.1"


async def test_only_the_key_of_a_run_opens_anything_and_only_while_it_is_good(
    shared: GatewayProcess,
) -> None:
    async with outside(shared, key_seconds=0.001) as around:
        target = f"echo.example.com:{around.port}"
        foreign = GatewayProcess(shared.folder).key("egress-5", egress=[("*.example.com", (443,))])
        assert await around.status(target) == 407
        assert await around.status(target, "not.a.key") == 407
        assert await around.status(target, foreign) == 407
        assert await around.status(target, around.key("egress-5")) == 403
        good = around.key("egress-5", "echo.example.com")
        assert await around.status(target, good) == 200
        await shared.revoke("egress-5")
        assert await around.status(target, good) == 407
        assert around.verdicts == [
            "NoKey",
            *["KeyRefused"] * 2,
            "NotNamed",
            "Allowed",
            "KeyRefused",
        ]


async def test_the_longest_list_of_hosts_fits_into_a_key(shared: GatewayProcess) -> None:
    async with outside(shared) as around:
        labels = ".".join("a" * 58 for _ in range(4))
        longest = [f"h{place:02}.{labels}.example.com" for place in range(31)]
        assert len(longest[0]) == 251
        key = around.key("egress-15", *longest, "echo.example.com")
        assert await around.status(f"echo.example.com:{around.port}", key) == 200


async def test_nobody_gets_out_while_no_gateway_answers(shared: GatewayProcess) -> None:
    async with outside(shared, url="http://127.0.0.1:9") as around:
        key = around.key("egress-6", "echo.example.com")
        assert await around.status(f"echo.example.com:{around.port}", key) == 503


async def test_a_host_that_refuses_is_a_bad_gateway(shared: GatewayProcess) -> None:
    async with outside(shared) as around:
        key = shared.key("egress-7", egress=[("closed.example.com", (9,))])
        assert await around.status("closed.example.com:9", key) == 502


async def test_a_run_has_so_many_tunnels_and_no_more(shared: GatewayProcess) -> None:
    async with outside(shared, most_tunnels_each=1) as around:
        target, key = f"echo.example.com:{around.port}", around.key("egress-8", "*.example.com")
        answer, reader, writer = await around.connect(target, key)
        assert " 200 " in answer
        assert await around.status(target, key) == 429
        assert await around.status(target, around.key("egress-9", "*.example.com")) == 200
        writer.close()
        await reader.read()
        await until(lambda: "heliostat_egress_open_tunnels 0.0" in around.book.text())
        assert await around.status(target, key) == 200


async def test_who_connects_and_says_nothing_keeps_nobody_out(shared: GatewayProcess) -> None:
    async with outside(shared, most_tunnels=8) as around:
        target, key = f"echo.example.com:{around.port}", around.key("egress-10", "*.example.com")
        silent = [await asyncio.open_connection("127.0.0.1", around.proxy.port) for _ in range(20)]
        ends = [asyncio.ensure_future(reader.read()) for reader, _ in silent]
        await until(lambda: sum(each.done() for each in ends) == 18)
        host = ("127.0.0.2", 0)
        opened = await asyncio.open_connection("127.0.0.1", around.proxy.port, local_addr=host)
        opened[1].write(b"GET /readyz HTTP/1.1\r\nHost: proxy\r\n\r\n")
        assert b" 200 " in await opened[0].readuntil(b"\r\n\r\n")
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*ends, return_exceptions=True)
        opened[1].close()
        assert await around.status(target, key) == 200


@pytest.mark.parametrize(("idle", "longest"), [(0.2, 600), (600, 0.2)])
async def test_a_tunnel_ends_when_nothing_moves_or_its_time_is_over(
    shared: GatewayProcess, idle: float, longest: float
) -> None:
    async with outside(shared, idle_seconds=idle, longest_seconds=longest) as around:
        key = around.key("egress-10", "*.example.com")
        _, reader, writer = await around.connect(f"echo.example.com:{around.port}", key)
        writer.write(b"still here")
        async with asyncio.timeout(5):
            assert await reader.read() == b"still here"
        writer.close()


async def test_at_a_stop_tunnels_end_by_themselves_for_a_while(shared: GatewayProcess) -> None:
    async with outside(shared, drain_seconds=30) as around:
        key = around.key("egress-11", "*.example.com")
        _, reader, writer = await around.connect(f"echo.example.com:{around.port}", key)
        port = around.proxy.port
        closing = asyncio.ensure_future(around.proxy.close())
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"last words")
        writer.write_eof()
        assert await reader.read() == b"last words"
        writer.close()
        async with asyncio.timeout(5):
            await closing


async def test_and_are_cut_then(shared: GatewayProcess) -> None:
    async with outside(shared) as around:
        key = around.key("egress-12", "*.example.com")
        _, reader, writer = await around.connect(f"echo.example.com:{around.port}", key)
        async with asyncio.timeout(5):
            await around.proxy.close()
            assert await reader.read() == b""
        writer.close()


async def test_plain_requests_are_refused_in_words_and_probes_answered(
    shared: GatewayProcess,
) -> None:
    async with outside(shared) as around:
        key = around.key("egress-13", "*.example.com")

        async def ask(head: str) -> str:
            reader, writer = await asyncio.open_connection("127.0.0.1", around.proxy.port)
            writer.write(head.encode())
            answer = await reader.read()
            writer.close()
            return answer.decode()

        proof = f"Proxy-Authorization: Bearer {key}"
        plain = await ask(f"GET http://echo.example.com/ HTTP/1.1\r\nHost: a\r\n{proof}\r\n\r\n")
        assert plain.startswith("HTTP/1.1 403 ")
        assert "Plain HTTP is not carried" in plain
        assert (await ask("\x16\x03\x01\r\n\r\n")).startswith("HTTP/1.1 400 ")
        for path in ("/healthz", "/readyz", "/metrics"):
            found = await ask(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
            assert found.startswith("HTTP/1.1 200 "), path
        assert (await ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).startswith("HTTP/1.1 404 ")


async def test_the_gateway_tells_what_a_key_opens_to_its_bearer_only(
    shared: GatewayProcess,
) -> None:
    hosts = [("a.example", (443, 8443))]
    key = shared.key("egress-14", egress=hosts, refused=["10.96.0.1/32"])
    path = "/v1/heliostat/egress"
    told = await shared.ask(path, method="GET", headers={"authorization": f"Bearer {key}"})
    assert json.loads(told.body) == {
        "execution": "egress-14",
        "attempt": 1,
        "agent": "default/tester",
        "correlationId": "corr-1",
        "egress": [{"host": "a.example", "ports": [443, 8443]}],
        "refused": ["10.96.0.1/32"],
    }
    assert (await shared.ask(path, method="GET")).status == 401
