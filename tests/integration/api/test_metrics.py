"""/metrics: what is counted, with labels that have an end, and all of it documented."""

import asyncio
import re
from pathlib import Path

import pytest

from support.shared_api import ApiApp, api_app

ROOT = Path(__file__).parents[3]
ANN = "guest-" + "0" * 32


async def read(api: ApiApp) -> dict[str, float]:
    """By name and labels."""
    async with api.browser() as anybody:
        answer = await anybody.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def requests(method: str, route: str, status: str) -> str:
    labels = f'method="{method}",route="{route}",status="{status}"'
    return f"heliostat_api_requests_total{{{labels}}}"


async def test_requests_are_counted_by_route_and_never_by_id(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api:
        uid = await api.give_execution(ANN)
        async with api.browser(ANN) as ann:
            for number in range(3):
                await ann.get(f"/api/executions/{uid}")
                await ann.get(f"/api/executions/unknown-{number}")
                await ann.get(f"/nowhere-{number}")
                await ann.request(f"VERB{number}", "/api/me")
                await ann.get("/api/agents", headers={"Sec-Fetch-Site": "cross-site"})
        found = await read(api)
    route = "/api/executions/{uid}"
    assert found[requests("GET", route, "2xx")] == 3
    assert found[requests("GET", route, "4xx")] == 3
    labels = [name for name in found if "requests_total" in name]
    assert len(labels) < 10, labels
    assert not any(uid in name or "nowhere" in name or "VERB" in name for name in found)
    assert found['heliostat_api_store_seconds_count{operation="get"}'] > 3


async def test_streams_are_counted_while_they_are_open(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.serving() as url, api.browser(ANN, url) as ann:
        del ann
        assert (await read(api))["heliostat_api_stream_clients"] == 0
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        cookie = f"heliostat_session={api.sessions.issue(ANN)}"
        asked = f"GET /agent/reports/stream HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n"
        writer.write(asked.encode())
        await reader.readuntil(b"event: snapshot")
        assert (await read(api))["heliostat_api_stream_clients"] == 1
        writer.close()
        async with asyncio.timeout(10):
            while (await read(api))["heliostat_api_stream_clients"]:
                await asyncio.sleep(0.02)


async def test_a_recorder_that_follows_has_no_lag(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api:
        assert (await read(api))["heliostat_api_recorder_lag_seconds"] > 0
        api.parts.recorder.lag.end()
        assert (await read(api))["heliostat_api_recorder_lag_seconds"] == 0
        api.parts.recorder.lag.begin()
        assert (await read(api))["heliostat_api_recorder_lag_seconds"] >= 0


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_who_comes_through_a_proxy_reads_none(tmp_path: Path, header: str) -> None:
    async with api_app(tmp_path) as api, api.browser() as anybody:
        answer = await anybody.get("/metrics", headers={header: "203.0.113.7"})
    assert answer.status_code == 404
    assert "at the pod itself" in answer.json()["detail"]


async def test_every_metric_is_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    documented = re.findall(r"`(heliostat_api_\w+)[`{]", page)
    async with api_app(tmp_path) as api:
        await api.give_execution(ANN)
        await read(api)
        text = {each.partition("{")[0] for each in await read(api)}
    names = {re.sub(r"_(bucket|count|sum|created)$", "", each) for each in text}
    assert {each.removesuffix("_total") for each in names} == {
        each.removesuffix("_total") for each in documented
    }
