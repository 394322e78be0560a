"""A load on one HTTP endpoint, as cheap as it can be; writes its figures as JSON.

`python -m bench.gateway.load '{...}' FILE` with the fields of Load.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.gateway.wires import Wire

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Load:
    """`rate` requests a second for an even load; 0 is as fast as `connections` can."""

    port: int
    path: str
    headers: dict[str, str]
    body: str
    connections: int
    requests: int
    rate: float = 0


@dataclass
class Figures:
    """Seconds by request, in order of their ends; `failed` are answers that were no whole 200."""

    latencies: list[float] = field(default_factory=list)
    first_bytes: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0
    sample: str = ""  # of a failed answer


class Client(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: Wire | None = None
        self._held = bytearray()
        self._done: asyncio.Future[bool] | None = None
        self._sent = self.first = 0.0
        self._end = -1
        self._is_chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(False)

    async def ask(self) -> bool:
        """Whether a whole 200 came."""
        assert self._transport is not None
        self._done = asyncio.get_running_loop().create_future()
        self._held.clear()
        self._end, self.first = -1, 0.0
        self._sent = time.perf_counter()
        self._transport.write(self._request)
        return await self._done

    @property
    def answer(self) -> str:
        return self._held.decode(errors="replace")

    @property
    def sent(self) -> float:
        return self._sent

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self.first:
            self.first = time.perf_counter() - self._sent
        if self._end < 0:
            self._read_head()
        if self._end < 0 or self._done is None or self._done.done():
            return
        whole = (
            self._held.endswith(b"0\r\n\r\n") if self._is_chunked else len(self._held) >= self._end
        )
        if whole:
            good = self._held.startswith(b"HTTP/1.1 200") and b"event: error" not in self._held
            self._done.set_result(good)

    def _read_head(self) -> None:
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._held[:end]).lower()
        self._is_chunked = b"transfer-encoding: chunked" in head
        length = 0
        if not self._is_chunked and b"content-length:" in head:
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        self._end = end + 4 + length


async def run(load: Load) -> Figures:
    names = {"host": "127.0.0.1", "content-type": "application/json", **load.headers}
    names["content-length"] = str(len(load.body.encode()))
    head = f"POST {load.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in names.items())
    request = head.encode() + b"\r\n" + load.body.encode()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(request), "127.0.0.1", load.port))[1]
        for _ in range(load.connections)
    ]
    figures = Figures()
    numbers = iter(range(load.requests))
    began = time.perf_counter()

    async def work(client: Client) -> None:
        for number in numbers:
            if load.rate:
                await asyncio.sleep(max(0.0, began + number / load.rate - time.perf_counter()))
            if await client.ask():
                figures.latencies.append(time.perf_counter() - client.sent)
                figures.first_bytes.append(client.first)
            else:
                figures.failed += 1
                figures.sample = client.answer[:600]
                return

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await asyncio.gather(*map(work, clients))
    figures.seconds = time.perf_counter() - began
    return figures


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(vars(uvloop.run(run(Load(**json.loads(sys.argv[1])))))))
