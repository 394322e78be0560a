"""Each provider against a local server: address, credentials, headers, streams, failures."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.providers.catalog import BUILT_IN
from heliostat_gateway.providers.credentials import NO_CREDENTIAL, Credential
from heliostat_gateway.providers.http import AnthropicProvider, CompatibleProvider, HttpProvider
from heliostat_gateway.providers.session import SharedSession
from support.ports import free_port

from .upstream import Upstream, upstream

KEY = "sk-of-the-provider"
CREDENTIAL = Credential("SOME_API_KEY", SecretStr(KEY))
MESSAGES, CHAT, COUNT = "/v1/messages", "/v1/chat/completions", "/v1/messages/count_tokens"
HEADERS = [
    ("user-agent", "tests/1"),
    ("content-type", "application/json"),
    ("accept-encoding", "gzip"),
    ("authorization", "Bearer caller-secret"),
    ("x-api-key", "caller-secret"),
    ("x-goog-api-key", "caller-secret"),
    ("cookie", "session=caller-secret"),
    ("openai-organization", "caller-secret"),
    ("openai-beta", "new"),
    ("anthropic-version", "2026-10-21"),
    ("anthropic-beta", "a-b-c"),
    ("x-claude-code-session-id", "s1"),
    ("x-heliostat-anything", "ours"),
    ("x-stainless-lang", "py"),
    # What proxies on the way to the gateway add: addresses and traces of the owner's network.
    ("forwarded", "for=10.0.0.7"),
    ("via", "1.1 ingress.internal"),
    ("x-forwarded-for", "10.0.0.7"),
    ("x-forwarded-client-cert", "By=spiffe://internal"),
    ("x-real-ip", "10.0.0.7"),
    ("x-envoy-external-address", "10.0.0.7"),
    ("x-amzn-trace-id", "Root=1"),
    ("x-goog-iap-jwt-assertion", "caller-secret"),
    ("cf-connecting-ip", "10.0.0.7"),
    ("x-b3-traceid", "1"),
    ("traceparent", "00-1-1-01"),
    ("baggage", "user=ada"),
]
# What of it reaches each provider when the caller speaks its dialect.
OWN = {
    "anthropic": {"anthropic-version", "anthropic-beta", "x-claude-code-session-id"},
    "zai": {"anthropic-version", "anthropic-beta"},
    "openai": {"openai-beta"},
    "openrouter": set[str](),
    "compatible": set[str](),
}
ALWAYS = {"user-agent", "content-type", "accept-encoding", "content-length", "host"}
AUTH = {
    "anthropic": ("x-api-key", KEY),
    "zai": ("authorization", f"Bearer {KEY}"),
    "openai": ("authorization", f"Bearer {KEY}"),
    "openrouter": ("authorization", f"Bearer {KEY}"),
    "compatible": ("authorization", f"Bearer {KEY}"),
    "gemini": ("x-goog-api-key", KEY),
}


def call(path: str, *, stream: bool = False, query: str = "", target: str = "m") -> ProviderCall:
    return ProviderCall(
        path=path,
        query=query,
        headers=HEADERS,
        body=b'{"x":  1}',
        request={"x": 1},
        target=target,
        execution="e",
        credential=CREDENTIAL,
        stream=stream,
    )


def path_of(kind: type[HttpProvider]) -> str:
    return CHAT if kind.dialect is Dialect.CHAT else MESSAGES


@pytest.fixture
async def server() -> AsyncIterator[tuple[Upstream, str]]:
    port = free_port()
    async with upstream(port) as told:
        yield told, f"http://127.0.0.1:{port}"


@pytest.fixture
async def session() -> AsyncIterator[SharedSession]:
    shared = SharedSession()
    yield shared
    await shared.close()


async def read(answer: ProviderAnswer) -> bytes:
    async with aclosing(answer.chunks) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def received(
    server: tuple[Upstream, str], provider: HttpProvider, asked: ProviderCall
) -> tuple[str, dict[str, str], bytes]:
    answer = await provider.send(asked)
    await read(answer)
    (arrived,) = server[0].received
    return arrived.path, arrived.headers, arrived.body


@pytest.mark.parametrize(
    ("name", "asked", "path"),
    [
        ("anthropic", call(MESSAGES, query="beta=true"), "/base/v1/messages?beta=true"),
        ("anthropic", call(COUNT, query="beta=true"), "/base/v1/messages/count_tokens?beta=true"),
        ("anthropic", call(CHAT, query="x=1"), "/base/v1/messages"),
        ("zai", call(MESSAGES, query="beta=true"), "/base/v1/messages?beta=true"),
        ("openai", call(CHAT, query="x=1"), "/base/chat/completions?x=1"),
        ("openai", call(MESSAGES, query="beta=true"), "/base/chat/completions"),
        ("openrouter", call(CHAT), "/base/chat/completions"),
        ("compatible", call(CHAT, stream=True), "/base/chat/completions"),
        ("gemini", call(MESSAGES), "/base/v1beta/models/m:generateContent"),
        ("gemini", call(CHAT, stream=True), "/base/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("gemini", call(COUNT), "/base/v1beta/models/m:countTokens"),
        ("gemini", call(CHAT, target="a/b?c"), "/base/v1beta/models/a%2Fb%3Fc:generateContent"),
    ],
)
async def test_the_address_of_a_call(
    server: tuple[Upstream, str], session: SharedSession, name: str, asked: ProviderCall, path: str
) -> None:
    kind = next(each for each in BUILT_IN if each.name == name)
    provider = kind(f"{server[1]}/base", session)
    assert (await received(server, provider, asked))[0] == path


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
async def test_the_provider_gets_its_key_and_nothing_of_the_callers(
    server: tuple[Upstream, str], session: SharedSession, kind: type[HttpProvider]
) -> None:
    _, headers, body = await received(server, kind(server[1], session), call(path_of(kind)))
    name, value = AUTH[kind.name]
    assert headers[name] == value
    assert "caller-secret" not in str(headers)
    assert headers["accept-encoding"] == "identity"
    assert body == b'{"x":  1}'
    if kind.dialect is not Dialect.GEMINI:
        assert set(headers) == ALWAYS | OWN[kind.name] | {name, "x-stainless-lang"}


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
async def test_a_translated_request_takes_along_only_who_asks(
    server: tuple[Upstream, str], session: SharedSession, kind: type[HttpProvider]
) -> None:
    other = MESSAGES if kind.dialect is Dialect.CHAT else CHAT
    _, headers, _ = await received(server, kind(server[1], session), call(other))
    added = {"anthropic-version"} if kind.dialect is Dialect.MESSAGES else set()
    assert set(headers) == ALWAYS | added | {AUTH[kind.name][0]}
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "tests/1"


async def test_a_server_without_a_key_gets_none(
    server: tuple[Upstream, str], session: SharedSession
) -> None:
    asked = replace(call(CHAT), credential=NO_CREDENTIAL)
    _, headers, _ = await received(server, CompatibleProvider(server[1], session), asked)
    assert "authorization" not in headers


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
async def test_an_answer_comes_as_it_is_with_its_id(
    server: tuple[Upstream, str], session: SharedSession, kind: type[HttpProvider]
) -> None:
    told, address = server
    told.chunks = [b"data: {}\n\n", b"data:   [DONE]\n\n"]
    told.headers = {"content-type": "text/event-stream", "set-cookie": "a=b"}
    if kind.request_id_header:
        told.headers |= {kind.request_id_header: "req_1"}
    answer = await kind(address, session).send(call(path_of(kind), stream=True))
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert answer.request_id == ("req_1" if kind.request_id_header else "")
    assert await read(answer) == b"data: {}\n\ndata:   [DONE]\n\n"
    told.received.clear()
    await read(await kind(address, session).send(call(path_of(kind))))
    assert "cookie" not in told.received[0].headers


@pytest.mark.parametrize("status", [302, 400, 429, 529])
async def test_any_status_is_an_answer_and_nothing_is_followed(
    server: tuple[Upstream, str], session: SharedSession, status: int
) -> None:
    told, address = server
    told.status, told.chunks = status, [b"{}"]
    told.headers = {"content-type": "application/json", "location": "/elsewhere"}
    answer = await AnthropicProvider(address, session).send(call(MESSAGES))
    assert answer.status == status
    assert await read(answer) == b"{}"
    assert len(told.received) == 1


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
async def test_tokens_are_counted_or_not_asked_for(
    server: tuple[Upstream, str], session: SharedSession, kind: type[HttpProvider]
) -> None:
    provider = kind(server[1], session)
    if provider.counts_tokens:
        assert (await received(server, provider, call(COUNT)))[0].endswith(
            ("count_tokens", ":countTokens")
        )
        return
    with pytest.raises(ProviderError, match="does not count tokens") as raised:
        await provider.send(call(COUNT))
    assert not raised.value.sent
    assert server[0].received == []


async def failed(base_url: str, session: SharedSession, *, seconds: float = 5) -> ProviderError:
    provider = AnthropicProvider(base_url, session)
    with pytest.raises(ProviderError) as raised:
        await read(await provider.send(replace(call(MESSAGES), connect_seconds=seconds)))
    assert KEY not in str(raised.value)
    return raised.value


async def test_a_refused_connection_is_not_sent(session: SharedSession) -> None:
    error = await failed(f"http://127.0.0.1:{free_port()}", session)
    assert not error.sent
    assert "anthropic can't be reached" in str(error)


async def test_a_name_that_is_not_there_is_not_sent(session: SharedSession) -> None:
    assert not (await failed("http://nobody.invalid", session)).sent


async def test_a_server_without_tls_is_not_sent(
    server: tuple[Upstream, str], session: SharedSession
) -> None:
    assert not (await failed(server[1].replace("http:", "https:"), session)).sent
    assert server[0].received == []


async def test_a_certificate_of_a_stranger_is_not_sent(
    session: SharedSession, tmp_path: Path
) -> None:
    async with tls_server(tmp_path) as (told, address):
        assert not (await failed(address, session)).sent
        assert told.received == []


async def test_a_connection_that_takes_too_long_is_not_sent(session: SharedSession) -> None:
    with socket.socket() as silent:  # takes the connection, never says a word of TLS
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert not (await failed(address, session, seconds=0.2)).sent


async def test_a_connection_that_ends_without_an_answer_is_uncertain(
    session: SharedSession,
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await failed(f"http://127.0.0.1:{port}", session)).sent


async def test_an_answer_that_breaks_off_is_uncertain(
    server: tuple[Upstream, str], session: SharedSession
) -> None:
    told, address = server
    told.chunks, told.cut = [b"data: {}\n\n"], True
    error = await failed(address, session)
    assert error.sent
    assert "broke off" in str(error)


async def test_leaving_an_answer_early_cuts_the_connection(
    server: tuple[Upstream, str], session: SharedSession
) -> None:
    told, address = server
    told.chunks, told.stand_still = [b"data: {}\n\n"], True
    answer = await AnthropicProvider(address, session).send(call(MESSAGES, stream=True))
    async with aclosing(answer.chunks) as chunks:
        await anext(chunks)
    async with asyncio.timeout(10):
        await told.gone.wait()


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[tuple[Upstream, str]]:
    """A server whose certificate nobody has signed but itself."""
    told = Upstream()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", told.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=self_signed(folder))
    await site.start()
    try:
        yield told, f"https://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
