"""What the Kubernetes world does when the API server hesitates, forgets or goes away."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kubernetes.aio.client import Configuration

from heliostat_core.worlds import (
    EXECUTION,
    Change,
    ForbiddenError,
    InvalidError,
    JsonObject,
    NotFoundError,
    Ref,
    UnavailableError,
    World,
)
from heliostat_kubernetes.cluster import KubernetesWorld, collection_path
from heliostat_kubernetes.connection import Connection, Target
from heliostat_kubernetes.watching import watch
from support.objects import make_execution, name_of
from support.ports import free_port

RUN = Ref(EXECUTION, "default", "run")
PATH = collection_path(EXECUTION, "default")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Script:
    """Answers in their order, the last one for ever; remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@asynccontextmanager
async def connected(
    script: Script, renew: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Connection]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.handle)
    async with TestServer(app) as server:
        configuration = Configuration(host=str(server.make_url("")).rstrip("/"))
        connection = Connection(Target("cluster test", configuration, renew))
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def cluster(script: Script) -> AsyncIterator[World]:
    async with connected(script) as connection:
        yield KubernetesWorld(connection, "cluster test")


def says(status: int, document: JsonObject, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(document, status=status, headers=headers)

    return answer


def refuses(code: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return says(code, {"kind": "Status", "code": code, "message": message}, headers)


def is_plain(code: int, text: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=text)

    return answer


def lists(version: str, *names: str) -> Answer:
    items = [execution(name) for name in names]
    return says(200, {"metadata": {"resourceVersion": version}, "items": items})


def execution(name: str, version: str = "1") -> JsonObject:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version}}


def event(type_: str, obj: JsonObject) -> bytes:
    return json.dumps({"type": type_, "object": obj}).encode() + b"\n"


def streams(*chunks: bytes, then: str = "end") -> Answer:
    """Sends the chunks, then ends well, breaks off, or says nothing more."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then == "break" and request.transport:
            request.transport.abort()
        elif then == "silence":
            await asyncio.sleep(30)
        return response

    return answer


# one request


async def test_it_waits_as_long_as_it_is_told_and_asks_again() -> None:
    busy = refuses(429, "too many requests", {"Retry-After": "0.1"})
    script = Script(busy, busy, says(200, {"kind": "Execution"}))
    async with cluster(script) as world:
        assert await world.get(RUN) == {"kind": "Execution"}
    assert len(script.asked) == 3


async def test_it_does_not_wait_for_ever() -> None:
    script = Script(refuses(429, "too many requests", {"Retry-After": "0.1"}))
    async with cluster(script) as world:
        with pytest.raises(UnavailableError, match="too many requests"):
            await world.get(RUN)
    assert len(script.asked) == 5


@pytest.mark.parametrize("code", [500, 502, 503, 504])
async def test_a_server_that_fails_is_unavailable_and_not_asked_again(code: int) -> None:
    script = Script(refuses(code, "etcdserver: leader changed"))
    async with cluster(script) as world:
        with pytest.raises(UnavailableError, match="leader changed"):
            await world.create(make_execution("default"))
    assert len(script.asked) == 1


async def test_a_server_that_is_away_is_unavailable() -> None:
    port = free_port()
    nobody = Target("cluster test", Configuration(host=f"http://127.0.0.1:{port}"))
    async with KubernetesWorld(Connection(nobody), "cluster test") as world:
        with pytest.raises(UnavailableError):
            await world.get(RUN)


async def test_an_answer_that_breaks_off_is_unavailable() -> None:
    async with cluster(Script(streams(b'{"kind": "Exec', then="break"))) as world:
        with pytest.raises(UnavailableError):
            await world.get(RUN)


async def test_the_page_of_a_proxy_is_no_object() -> None:
    async with cluster(Script(is_plain(200, "<html>Sign in</html>"))) as world:
        with pytest.raises(UnavailableError, match="Sign in"):
            await world.get(RUN)


async def test_a_kind_that_is_not_served_is_an_error_and_not_a_missing_object() -> None:
    async with cluster(Script(is_plain(404, "404 page not found"))) as world:
        with pytest.raises(NotFoundError):
            await world.get(RUN)
        with pytest.raises(NotFoundError):
            await world.delete(RUN)


async def test_credentials_that_ran_out_are_renewed_once() -> None:
    renewed: list[bool] = []

    async def renew() -> None:
        renewed.append(True)

    script = Script(refuses(401, "Unauthorized"), says(200, {"kind": "Execution"}))
    async with connected(script, renew) as connection:
        assert (await connection.request("GET", PATH))[1] == {"kind": "Execution"}
    script = Script(refuses(401, "Unauthorized"))
    async with connected(script, renew) as connection:
        with pytest.raises(ForbiddenError, match="Unauthorized"):
            await connection.request("GET", PATH)
    assert len(renewed) == 2


async def test_a_stray_schema_error_of_an_apply_is_the_objects_fault() -> None:
    message = "failed to create typed patch object (/run): .spec.nonsense: not declared in schema"
    async with cluster(Script(refuses(500, message))) as world:
        with pytest.raises(InvalidError, match=r"\.spec\.nonsense"):
            await world.apply(make_execution("default"))


# watching


async def collect(connection: Connection, count: int, silence_seconds: float = 5) -> list[str]:
    """The first changes of a watch, as words, within ten seconds."""
    words: list[str] = []
    changes = watch(connection, EXECUTION, PATH, {}, silence_seconds)
    async with asyncio.timeout(10):
        async for change in changes:
            words.append(_word(change))
            if len(words) == count:
                break
    return words


def _word(change: Change) -> str:
    return f"{change.type} {name_of(change.object)}"


async def test_a_watch_that_the_server_ends_goes_on_where_it_was() -> None:
    script = Script(
        lists("10", "a"),
        streams(event("ADDED", execution("b", "11"))),
        streams(event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})),
        streams(event("DELETED", execution("b", "21")), then="silence"),
    )
    async with connected(script) as connection:
        assert await collect(connection, 3) == ["ADDED a", "ADDED b", "DELETED b"]
    watched = [request.query.get("resourceVersion") for request in script.asked]
    assert watched == [None, "10", "11", "20"]


@pytest.mark.parametrize("expired", ["event", "answer"])
async def test_a_watch_that_the_server_forgot_lists_again_and_tells_what_went(expired: str) -> None:
    status: JsonObject = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    gone = streams(event("ERROR", status)) if expired == "event" else refuses(410, "too old")
    script = Script(
        lists("10", "a", "b"),
        gone,
        lists("90", "b", "c"),
        streams(event("MODIFIED", execution("c", "91")), then="silence"),
    )
    async with connected(script) as connection:
        words = await collect(connection, 6)
    assert words[:2] == ["ADDED a", "ADDED b"]
    assert words[2:] == ["ADDED b", "ADDED c", "DELETED a", "MODIFIED c"]


async def test_a_watch_whose_connection_breaks_ends() -> None:
    script = Script(lists("10", "a"), streams(event("ADDED", execution("b")), then="break"))
    async with connected(script) as connection:
        with pytest.raises(UnavailableError):
            await collect(connection, 3)


async def test_a_watch_whose_connection_is_silent_makes_a_new_one() -> None:
    script = Script(
        lists("10"),
        streams(event("ADDED", execution("a", "11")), then="silence"),
        streams(event("ADDED", execution("b", "12")), then="silence"),
    )
    async with connected(script) as connection:
        assert await collect(connection, 2, silence_seconds=0.2) == ["ADDED a", "ADDED b"]
    assert script.asked[-1].query["resourceVersion"] == "11"


async def test_a_watch_ends_when_the_server_does_not_answer_at_all() -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with connected(Script(lists("10"), hang)) as connection:
        with pytest.raises(UnavailableError, match="no answer in time"):
            await collect(connection, 1, silence_seconds=0.2)


async def test_a_watch_outlives_its_credentials() -> None:
    async def renew() -> None:
        pass

    script = Script(
        lists("10"),
        streams(event("ADDED", execution("a", "11"))),
        refuses(401, "Unauthorized"),
        streams(event("ADDED", execution("b", "12")), then="silence"),
    )
    async with connected(script, renew) as connection:
        assert await collect(connection, 2) == ["ADDED a", "ADDED b"]


async def test_a_watch_asks_for_bookmarks_and_for_its_end() -> None:
    script = Script(lists("10"), streams(event("ADDED", execution("a")), then="silence"))
    async with connected(script) as connection:
        await collect(connection, 1)
    query = script.asked[-1].query
    assert query["allowWatchBookmarks"] == "true"
    assert 240 <= int(query["timeoutSeconds"]) <= 360


async def test_an_event_of_a_megabyte_arrives_whole() -> None:
    big: JsonObject = {**execution("a"), "spec": {"input": "x" * 3_000_000}}
    raw = event("ADDED", big)
    pieces = [raw[start : start + 65_536] for start in range(0, len(raw), 65_536)]
    script = Script(lists("10"), streams(*pieces, then="silence"))
    async with connected(script) as connection:
        assert await collect(connection, 1) == ["ADDED a"]


# the end


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that signs itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def deaf_server(tls: ssl.SSLContext, words: bytes) -> AsyncIterator[int]:
    """Its port. Says the words to each client and then neither reads nor says goodbye."""
    with ThreadPoolExecutor(1) as pool, socket.create_server(("127.0.0.1", 0)) as listener:
        clients: list[ssl.SSLSocket] = []

        def serve() -> None:
            plain, _ = listener.accept()
            clients.append(tls.wrap_socket(plain, server_side=True))
            clients[-1].recv(65_536)
            with suppress(OSError):  # the client may hang up before it has heard all of them
                clients[-1].sendall(words)

        served = asyncio.get_running_loop().run_in_executor(pool, serve)
        try:
            yield int(listener.getsockname()[1])
            await served
        finally:
            for client in clients:
                client.close()


def sockets_to(port: int) -> list[str]:
    """State of each socket of this process whose other end is that port."""
    found = psutil.Process().net_connections("tcp4")
    return [each.status for each in found if each.raddr and each.raddr.port == port]


BEGUN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("then", ["an answer begun", "a flood", "no answer"])
async def test_no_socket_outlives_a_connection_whose_server_says_no_goodbye(
    tls: ssl.SSLContext, then: str
) -> None:
    flood = b"%x\r\n%s\r\n" % (200_000, b"x" * 200_000)
    words = {"an answer begun": BEGUN, "a flood": BEGUN + flood, "no answer": b""}[then]
    async with deaf_server(tls, words) as port:
        configuration = Configuration(host=f"https://127.0.0.1:{port}")
        configuration.verify_ssl = False
        connection = Connection(Target("cluster test", configuration))
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(0.5 if then == "no answer" else 10),
                connection.stream("/watch", {}, aiohttp.ClientTimeout(total=None)),
            ):
                pass
        await connection.close()
        assert sockets_to(port) == []


# logs


async def test_a_log_comes_line_by_line_whatever_is_in_it() -> None:
    script = Script(streams(b"one\ntw", b"o\n\n\xff", b"\n", b"x" * 5_000_000, b"\nlast"))
    async with connected(script) as connection:
        logs = KubernetesWorld(connection, "cluster test")
        lines = [line async for line in logs.read_log("default", "pod", follow=True, tail=5)]
    assert lines == ["one", "two", "", "�", "x" * 5_000_000, "last"]
    asked = dict(script.asked[0].query)
    assert asked == {"container": "agent", "follow": "true", "tailLines": "5"}
