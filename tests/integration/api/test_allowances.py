"""What an admin's settings allow the agents of people: hosts, and how many start by themselves."""

from pathlib import Path

import httpx2
from pydantic import JsonValue

from heliostat_api.app.settings import ApiSettings
from heliostat_api.people.identities import new_guest_id
from heliostat_core.worlds import AGENT
from support.shared_api import api_app

ANN = new_guest_id()


async def activated(browser: httpx2.AsyncClient, name: str, spec: JsonValue) -> httpx2.Response:
    made = await browser.post("/api/agents", json={"name": name, "spec": spec})
    assert made.status_code == 201, made.text
    return await browser.post(f"/api/agents/{made.json()['agent']}/activate")


def reaching(host: str) -> JsonValue:
    return {"prompt": "x", "workspace": {"egress": [{"host": host}]}}


async def test_an_agent_reaches_only_hosts_that_the_admin_allows(tmp_path: Path) -> None:
    settings = ApiSettings(allowed_hosts=("crm.example", "*.wiki.example"))
    async with api_app(tmp_path, settings) as api, api.browser(ANN) as browser:
        for host in ("crm.example", "de.wiki.example"):
            assert (await activated(browser, "allowed", reaching(host))).status_code == 202
        wanted = {"name": "elsewhere", "spec": reaching("evil.example")}
        refused = await browser.post("/api/agents", json=wanted)
        assert refused.status_code == 422
        [error] = refused.json()["errors"]
        assert error["field"] == "spec.workspace.egress[0].host"
        assert len([each async for each in api.world.list(AGENT)]) == 2


async def test_a_guest_has_so_many_agents_that_start_by_themselves(tmp_path: Path) -> None:
    timed: JsonValue = {"prompt": "x", "schedule": {"frequency": "daily"}}
    async with (
        api_app(tmp_path, ApiSettings(schedules_guest=1)) as api,
        api.browser(ANN) as browser,
    ):
        assert (await activated(browser, "first", timed)).status_code == 202
        refused = await activated(browser, "second", timed)
        assert refused.status_code == 409
        assert "A guest" in refused.json()["detail"]
        agents = (await browser.get("/api/agents")).json()["items"]
        assert {each["name"]: bool(each["resource"]) for each in agents} == {
            "first": True,
            "second": False,
        }, "nothing is stored of what is refused"
        assert (await activated(browser, "by hand", {"prompt": "x"})).status_code == 202
        assert len([each async for each in api.world.list(AGENT)]) == 2


async def test_what_is_refused_is_said_in_the_persons_language(tmp_path: Path) -> None:
    timed: JsonValue = {"prompt": "x", "schedule": {"frequency": "daily"}}
    korean = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
    async with (
        api_app(tmp_path, ApiSettings(schedules_guest=1, allowed_hosts=("a.example",))) as api,
        api.browser(ANN) as browser,
    ):
        await activated(browser, "first", timed)
        browser.headers.update(korean)
        full = (await activated(browser, "second", timed)).json()
        assert full["detail"].startswith("게스트는 일정이 있는 에이전트를 1개까지")
        host = await browser.post("/api/agents", json={"name": "x", "spec": reaching("b.example")})
        [error] = host.json()["errors"]
        assert "허용되지 않습니다" in error["message"]
        never: JsonValue = {"prompt": "x", "schedule": {"cron": "0 0 30 2 *"}}
        date = await browser.post("/api/agents", json={"name": "x", "spec": never})
        assert "맞는 날짜가 오지 않거나" in date.json()["errors"][0]["message"]
        missing = await browser.post("/api/agents", json={})
        assert "이름이나 yaml이 있어야 합니다" in missing.json()["detail"]
        unknown = await browser.get("/api/agents/agent-unknown")
        assert unknown.json()["detail"] == "없거나 본인의 것이 아닙니다."
