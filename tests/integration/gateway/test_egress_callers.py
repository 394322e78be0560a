"""Who bears a key: the gateway is asked once, and again when its answer is too old."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from heliostat_gateway.egress.callers import Callers, KeyIsNoGoodError

KEY_SECONDS = 30


class Gateway:
    """Knows one key for as long as it is good."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_good = True

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if not self.is_good:
            return web.Response(status=401)
        return web.json_response({"execution": "uid-1", "attempt": 1, "agent": "demo/writer"})


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def url(gateway: Gateway) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/v1/heliostat/egress", gateway.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_an_answer_is_kept_for_its_time_and_not_longer(gateway: Gateway, url: str) -> None:
    now = 0.0
    callers = Callers(url, KEY_SECONDS, lambda: now)
    try:
        assert (await callers.find("key")).execution == "uid-1"
        now = KEY_SECONDS - 1.0
        assert (await callers.find("key")).execution == "uid-1"
        assert gateway.asked == 1
        gateway.is_good = False
        now = KEY_SECONDS
        with pytest.raises(KeyIsNoGoodError):
            await callers.find("key")
    finally:
        await callers.close()


async def test_a_refusal_is_not_kept(gateway: Gateway, url: str) -> None:
    callers = Callers(url, KEY_SECONDS, lambda: 0.0)
    try:
        gateway.is_good = False
        with pytest.raises(KeyIsNoGoodError):
            await callers.find("key")
        gateway.is_good = True
        assert (await callers.find("key")).agent == "demo/writer"
        assert gateway.asked == 2
    finally:
        await callers.close()
