"""The proxy itself: a request is read, decided, and becomes a tunnel or an answer."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Final

from heliostat_core.egress import IpAddress
from heliostat_gateway.egress.addresses import Reach, read_networks
from heliostat_gateway.egress.callers import (
    Caller,
    Callers,
    GatewayAwayError,
    KeyIsNoGoodError,
)
from heliostat_gateway.egress.decisions import Decision, DecisionBook, Verdict
from heliostat_gateway.egress.request_head import (
    ESTABLISHED,
    MOST_HEAD_BYTES,
    Head,
    HeadError,
    HeadReader,
    build_answer,
)
from heliostat_gateway.egress.settings import EgressSettings
from heliostat_gateway.egress.targets import Target, TargetError, is_named, read_target
from heliostat_gateway.egress.tunnels import PIECE, End, Limits, carry
from heliostat_gateway.tasks import end_task

_HEAD_SECONDS: Final = 10
_SHARE_OF_UNKNOWN: Final = 4
"""Who has not said yet what they want have at most such a part of the tunnels, for each address:
one pod that only connects does not keep the others out."""
_STATUS: Final = {
    Verdict.NO_KEY: 407,
    Verdict.KEY_REFUSED: 407,
    Verdict.GATEWAY_AWAY: 503,
    Verdict.NOT_TUNNELLED: 403,
    Verdict.TARGET_UNREADABLE: 400,
    Verdict.NOT_NAMED: 403,
    Verdict.ADDRESS_REFUSED: 403,
    Verdict.NOT_RESOLVED: 502,
    Verdict.NOT_CONNECTED: 502,
    Verdict.TOO_MANY: 429,
}
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


_DIRECT: Final = ". An address is reached without the proxy, as NO_PROXY says"


Resolve = Callable[[str, int], Awaitable[tuple[IpAddress, ...]]]
"""The addresses of a name. Raises OSError."""


class RefusedError(Exception):
    """No tunnel; the decision says why."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.message)
        self.decision = decision


class EgressProxy:
    """Serves connections until it is closed."""

    def __init__(
        self,
        settings: EgressSettings,
        callers: Callers,
        book: DecisionBook,
        resolve: Resolve | None = None,
    ) -> None:
        self._settings = settings
        self._resolve = resolve or look_up
        self._callers = callers
        self._book = book
        self._reach = Reach(
            read_networks(settings.allowed_networks), read_networks(settings.refused_networks)
        )
        self._limits = Limits(settings.idle_seconds, settings.longest_seconds)
        self._connections: set[asyncio.Task[None]] = set()
        self._tunnels: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._is_draining = False

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(
            self._accept, self._settings.host, self._settings.port, limit=PIECE
        )

    async def close(self) -> None:
        """No new connection; tunnels in flight may end by themselves for a while, then are cut."""
        self._is_draining = True
        assert self._server is not None
        self._server.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=self._settings.drain_seconds)
        await end_task(*self._connections)
        await self._callers.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        most = self._settings.most_tunnels
        is_full = len(self._connections) >= 2 * most
        if is_full or self._unknown[peer] >= max(1, most // _SHARE_OF_UNKNOWN):
            writer.transport.abort()
            return
        self._unknown[peer] += 1
        task = asyncio.ensure_future(self._serve(End(reader, writer), peer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, client: End, peer: str) -> None:
        try:
            with suppress(OSError):
                if head := await self._hear(client, peer):
                    await self._answer(client, head)
        finally:
            await client.close()

    async def _hear(self, client: End, peer: str) -> Head | None:
        """What it asks for; None when it left, or was told that nothing could be read."""
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                return await read_head(client)
        except TimeoutError:
            await say(client, build_answer(408, "No request came.\n"))
        except HeadError as error:
            await say(client, build_answer(400, f"This is no request: {error}.\n"))
        finally:
            self._unknown[peer] -= 1
            self._unknown += Counter()  # forgets whom nothing is counted of
        return None

    async def _answer(self, client: End, head: Head) -> None:
        if head.method in ("GET", "HEAD") and head.target.startswith("/"):
            await say(client, self._probe(head.target))
            return
        await self._tunnel(client, head)

    def _probe(self, path: str) -> bytes:
        match path:
            case "/metrics":
                return build_answer(200, self._book.text(), _METRICS_TYPE)
            case "/readyz" if self._is_draining:
                return build_answer(503, "stopping\n")
            case "/healthz" | "/readyz":
                return build_answer(200, "ok\n")
        return build_answer(404, "This is a proxy: ask it for a tunnel (CONNECT).\n")

    async def _tunnel(self, client: End, head: Head) -> None:
        try:
            caller = await self._caller(head)
            target = _target_of(head, caller)
            with self._seat(target, caller):
                server, address = await self._connect(target, caller)
                words = f"a tunnel to {target}"
                self._book.note(Decision(Verdict.ALLOWED, words, str(target), str(address), caller))
                await self._carry(client, server, head.rest)
        except RefusedError as error:
            self._book.note(error.decision)
            status = _STATUS[error.decision.verdict]
            await say(client, build_answer(status, f"{error.decision.message}.\n"))

    @contextmanager
    def _seat(self, target: Target, caller: Caller) -> Iterator[None]:
        """A place among the tunnels. Raises RefusedError when there is none."""
        settings, execution = self._settings, caller.execution
        is_full = self._tunnels.total() >= settings.most_tunnels
        if is_full or self._tunnels[execution] >= settings.most_tunnels_each:
            raise _refusal(Verdict.TOO_MANY, "Too many tunnels are open", target, caller)
        self._tunnels[execution] += 1
        self._book.show_open(self._tunnels.total())
        try:
            yield
        finally:
            self._tunnels[execution] -= 1
            self._tunnels += Counter()  # forgets those at nothing
            self._book.show_open(self._tunnels.total())

    async def _carry(self, client: End, server: End, rest: bytes) -> None:
        try:
            server.writer.write(rest)
            self._book.count("out", len(rest))
            await say(client, ESTABLISHED)
            await carry(client, server, self._limits, self._book.count)
        finally:
            await server.close()

    async def _connect(self, target: Target, caller: Caller) -> tuple[End, IpAddress]:
        """Decided, resolved once, and connected to what was decided on. Raises RefusedError."""
        if not is_named(target, caller.egress):
            words = (
                f"{target} is not among the hosts of this agent: name it in "
                "spec.workspace.egress, with its port"
                f"{_DIRECT if not isinstance(target.host, str) else ''}"
            )
            raise _refusal(Verdict.NOT_NAMED, words, target, caller)
        found = await self._addresses(target, caller)
        reach = self._reach.without(caller.refused)
        allowed = tuple(each for each in found if reach.covers(each))
        if not allowed:
            words = (
                f"{target} has no address that may be reached: "
                f"{', '.join(map(str, found[:3]))} is private, the cluster's own or refused"
            )
            raise _refusal(Verdict.ADDRESS_REFUSED, words, target, caller)
        return await self._open(target, allowed, caller)

    async def _caller(self, head: Head) -> Caller:
        if not head.key:
            words = "No key. The address of the proxy that a run is given holds it"
            raise RefusedError(Decision(Verdict.NO_KEY, words, head.target[:300]))
        try:
            return await self._callers.find(head.key)
        except KeyIsNoGoodError as error:
            raise RefusedError(
                Decision(Verdict.KEY_REFUSED, str(error), head.target[:300])
            ) from error
        except GatewayAwayError as error:
            raise RefusedError(
                Decision(Verdict.GATEWAY_AWAY, str(error), head.target[:300])
            ) from error

    async def _addresses(self, target: Target, caller: Caller) -> tuple[IpAddress, ...]:
        if not isinstance(target.host, str):
            return (target.host,)
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                return await self._resolve(target.host, target.port)
        except (OSError, TimeoutError, UnicodeError) as error:
            words = f"{target.host} can't be looked up: {error or 'no answer in time'}"
            raise _refusal(Verdict.NOT_RESOLVED, words, target, caller) from error

    async def _open(
        self, target: Target, addresses: Sequence[IpAddress], caller: Caller
    ) -> tuple[End, IpAddress]:
        """The first that answers."""
        faults = []
        for address in addresses:
            try:
                async with asyncio.timeout(self._settings.connect_seconds):
                    opened = await asyncio.open_connection(str(address), target.port, limit=PIECE)
                return End(*opened), address
            except (OSError, TimeoutError) as error:
                faults.append(f"{address}: {error or 'no answer in time'}")
        words = f"{target} can't be reached: {'; '.join(faults)}"
        raise _refusal(Verdict.NOT_CONNECTED, words, target, caller)


def _target_of(head: Head, caller: Caller) -> Target:
    if head.method != "CONNECT":
        words = (
            "Plain HTTP is not carried: ask for https:// addresses, or tunnel it "
            "(curl --proxytunnel)"
        )
        raise RefusedError(Decision(Verdict.NOT_TUNNELLED, words, head.target[:300], caller=caller))
    try:
        return read_target(head.target)
    except TargetError as error:
        words = f"The target {error}"
        raise RefusedError(
            Decision(Verdict.TARGET_UNREADABLE, words, head.target[:300], caller=caller)
        ) from error


def _refusal(verdict: Verdict, words: str, target: Target, caller: Caller) -> RefusedError:
    return RefusedError(Decision(verdict, words, str(target), caller=caller))


async def read_head(client: End) -> Head | None:
    """None when the client went without a word. Raises HeadError."""
    reader, received = HeadReader(), 0
    while piece := await client.reader.read(MOST_HEAD_BYTES):
        received += len(piece)
        if (head := reader.take(piece)) is not None:
            return head
    if received:
        raise HeadError("it ended too early")
    return None


async def say(client: End, answer: bytes) -> None:
    client.writer.write(answer)
    await client.writer.drain()


async def look_up(name: str, port: int) -> tuple[IpAddress, ...]:
    """The addresses of a whole name: no search domain of the cluster is tried. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(f"{name}.", port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(_address(each[4]) for each in found))


def _address(place: Sequence[object]) -> IpAddress:
    return ip_address(str(place[0]).partition("%")[0])
