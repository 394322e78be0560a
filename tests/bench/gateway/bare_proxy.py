"""The least that a gateway in Python can cost: a request in, the same out, and nothing known of it.

`python -m bench.gateway.bare_proxy PORT UPSTREAM_PORT`: the server and the client of the gateway
(uvicorn, aiohttp, uvloop), whole answers only.
"""

import sys

import aiohttp
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS = {"content-type": "application/json", "authorization": "Bearer k"}


class Proxy:
    """An ASGI app."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0),
            )
        body = await Request(scope, receive).body()
        async with self._session.post(
            self._base + scope["path"], data=body, headers=_HEADERS
        ) as answer:
            found = Response(await answer.read(), answer.status, media_type="application/json")
        await found(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(
        Proxy(f"http://127.0.0.1:{sys.argv[2]}"),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
