"""A gateway that answers /admin/* at once: what it costs is not the operator's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def run_gateway() -> AsyncIterator[str]:
    """Its address, while it answers."""
    app = web.Application()
    app.add_routes(
        [
            web.post("/admin/revocations", _revoke),
            web.get("/admin/executions/{uid}", _execution),
            web.get("/admin/agents/{namespace}/{name}", _agent),
            web.get("/admin/models", _model),
        ]
    )
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def _revoke(_: web.Request) -> web.Response:
    return web.json_response({"revoked": True, "streamsEnded": 0})


async def _execution(request: web.Request) -> web.Response:
    usage = {"inputTokens": 900, "outputTokens": 80, "cacheReadTokens": 0, "cacheWriteTokens": 0}
    return web.json_response(
        {
            "execution": request.match_info["uid"],
            "costNanos": 1_234_000,
            "settled": True,
            "estimated": False,
            "requests": 3,
            "usage": usage,
            "provider": "scripted",
            "model": "scripted/hello",
            "attempts": [{"attempt": 1, "costNanos": 1_234_000, "requests": 3}],
        }
    )


async def _agent(_: web.Request) -> web.Response:
    return web.json_response({"costNanos": 1_234_000, "requests": 3})


async def _model(request: web.Request) -> web.Response:
    name = request.query["name"]
    return web.json_response(
        {"name": name, "served": True, "provider": "scripted", "reason": "Served", "message": ""}
    )
