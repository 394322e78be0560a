"""Raw calls of the scripted server in each dialect, and how their answers end."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum

import aiohttp

from heliostat_scripted.apis import Api
from support.fake_provider import FakeProviders

_SILENCE_SECONDS = 0.7
_DEADLINE_SECONDS = 30.0
_CHUNK = 1 << 20


class Ending(StrEnum):
    """How the answer's body ended."""

    WELL = "well"
    CUT = "cut"
    SILENT = "silent"  # open, and nothing comes any more


@dataclass(frozen=True)
class Seen:
    """One answer as the caller sees it; status 0 when there was none."""

    status: int
    headers: dict[str, str]
    body: bytes
    ending: Ending
    sent: int  # bytes of the request's body
    silence: float  # seconds from the request to the first byte of the body


@dataclass(frozen=True)
class RawCall:
    """A request before it is sent."""

    path: str
    headers: dict[str, str]
    document: dict[str, object]


def raw_call(api: Api, model: str, key: str, *, stream: bool) -> RawCall:
    """A small, correct request."""
    said: dict[str, object] = {"role": "user", "content": "hi"}
    if api is Api.MESSAGES:
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        document = {"model": model, "max_tokens": 1000, "stream": stream, "messages": [said]}
        return RawCall("/v1/messages", headers, document)
    if api is Api.CHAT:
        document = {"model": model, "messages": [said]}
        if stream:
            document |= {"stream": True, "stream_options": {"include_usage": True}}
        return RawCall("/v1/chat/completions", {"authorization": f"Bearer {key}"}, document)
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": "user", "parts": [{"text": "hi"}]}]
    path = f"/v1beta/models/{model}:{method}"
    return RawCall(path, {"x-goog-api-key": key}, {"contents": contents})


async def send(providers: FakeProviders, call: RawCall, *, least: int = 1, **headers: str) -> Seen:
    """The answer up to its end, or until it falls silent after `least` bytes.

    `headers` are written with _ for -.
    """
    body = json.dumps(call.document).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with asyncio.timeout(_DEADLINE_SECONDS), aiohttp.ClientSession() as session:
        try:
            async with session.post(
                f"{providers.url}{call.path}",
                data=body,
                headers={"content-type": "application/json", **call.headers, **names},
            ) as answer:
                told = {name.lower(): value for name, value in answer.headers.items()}
                content, ending, first = await _read(answer, least)
                silence = (first or loop.time()) - started
                return Seen(answer.status, told, content, ending, len(body), silence)
        except aiohttp.ServerDisconnectedError:
            return Seen(0, {}, b"", Ending.CUT, len(body), 0.0)


async def _read(answer: aiohttp.ClientResponse, least: int) -> tuple[bytes, Ending, float | None]:
    content = bytearray()
    first: float | None = None
    while True:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS if len(content) >= least else None):
                chunk = await answer.content.read(_CHUNK)
        except TimeoutError:
            return bytes(content), Ending.SILENT, first
        except aiohttp.ClientPayloadError:
            return bytes(content), Ending.CUT, first
        if not chunk:
            return bytes(content), Ending.WELL, first
        first = first or asyncio.get_running_loop().time()
        content += chunk
