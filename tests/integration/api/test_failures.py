"""An error of ours: a problem for who asked, and a line with its id for who runs the server."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from heliostat_api.web.dependencies import Correlation
from heliostat_telemetry.lines import JsonLines
from support.shared_api import ApiApp, api_app


async def fail(correlation: Correlation) -> None:
    raise RuntimeError(f"nobody thought of this, {correlation}")


async def fail_at_once() -> None:
    raise RuntimeError("nobody thought of this")


async def break_off() -> StreamingResponse:
    async def words() -> AsyncIterator[str]:
        yield "so far"
        raise RuntimeError("nobody thought of this")

    return StreamingResponse(words())


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiApp]:
    async with api_app(tmp_path) as opened:
        failing = FastAPI()
        for path, endpoint in (("/a", fail), ("/b", fail_at_once), ("/c", break_off)):
            failing.add_api_route(f"/failing{path}", endpoint)
        opened.app.router.routes[:0] = failing.router.routes
        yield opened


async def test_it_is_a_problem_that_says_where_the_log_has_it(
    api: ApiApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(JsonLines())
    async with api.browser() as browser:
        answer = await browser.get("/failing/a", headers={"X-Correlation-Id": "mine-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"] == "mine-1"
    assert "mine-1" in answer.json()["detail"]
    assert "nobody thought" not in answer.text
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "GET /failing/a failed"
    assert record.exc_info is not None
    assert '"correlationId": "mine-1"' in caplog.text


async def test_it_has_an_id_where_none_was_given_and_is_said_in_korean(api: ApiApp) -> None:
    async with api.browser() as browser:
        answer = await browser.get("/failing/b", headers={"Accept-Language": "ko"})
        counted = await browser.get("/metrics")
    assert answer.headers["x-correlation-id"] in answer.json()["detail"]
    assert "서버 오류" in answer.json()["detail"]
    assert 'heliostat_api_requests_total{method="GET",route="/failing/b",status="5xx"} 1.0' in (
        counted.text
    )


async def test_an_answer_that_began_breaks_off(api: ApiApp) -> None:
    async with api.browser() as browser:
        with pytest.raises((RuntimeError, ExceptionGroup, httpx2.HTTPError)):
            await browser.get("/failing/c")
