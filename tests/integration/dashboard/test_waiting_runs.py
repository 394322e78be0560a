"""A long queue: the bar counts all of it, one press ends it, in no words of the platform."""

import asyncio
import re
import threading
from collections.abc import Coroutine

import pytest
from playwright.sync_api import expect

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from support.access import check_open_to_everybody
from support.dev_agents import apply_script
from support.dev_process import DevProcess
from support.objects import make_execution

from .conftest import OpenPage

RUNS = 260
"""More than a snapshot has."""


def in_another_thread(work: Coroutine[None, None, None]) -> None:
    """While a browser is driven, this thread can have no other event loop."""
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    thread.join()


async def fill(dev: DevProcess, agent: str) -> None:
    store = Store(StateFolder(dev.folder).world_file)
    try:
        world = EmbeddedWorld(store)
        for number in range(RUNS):
            run = make_execution("default", f"{agent}-{number}")
            await world.create({**run, "spec": {"agentRef": {"name": agent}}})
    finally:
        store.close()


@pytest.fixture(scope="module")
def waiting(dev: DevProcess) -> str:
    """The name of an agent whose runs all wait, for it is suspended."""
    apply_script(dev, "patient", "true", suspend=True)
    in_another_thread(fill(dev, "patient"))
    return "patient"


def test_all_waiting_runs_are_counted_and_end_by_one_request(
    open_page: OpenPage, waiting: str
) -> None:
    page = open_page(f"/executions?agent={waiting}&phase=Pending")
    bar = page.get_by_role("region", name="What is going on")
    expect(bar).to_contain_text(f"{RUNS} waiting")
    page.reload()
    expect(bar).to_contain_text(f"{RUNS} waiting")
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if each.method == "POST" else None)
    page.get_by_role("button", name="Stop waiting runs").click()
    expect(page.get_by_text(f"Stop {RUNS} waiting runs for good?")).to_be_visible()
    check_open_to_everybody(page)
    page.get_by_role("button", name=f"Stop {RUNS}").click()
    expect(page.get_by_text(f"Stopped: {RUNS}.")).to_be_visible()
    expect(bar).to_contain_text("Nothing is running")
    expect(page.get_by_text("No matching runs")).to_be_visible()
    assert [each.rpartition("/api")[2] for each in asked] == ["/executions/cancel"] * 2
    page.goto(page.url.replace("&phase=Pending", ""))
    expect(page.get_by_role("list").get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"spec\.cancel"))).to_have_count(0)


def test_the_question_can_be_left(open_page: OpenPage, dev: DevProcess) -> None:
    apply_script(dev, "single", "true", suspend=True)

    async def create() -> None:
        store = Store(StateFolder(dev.folder).world_file)
        run = make_execution("default", "single-1")
        await EmbeddedWorld(store).create({**run, "spec": {"agentRef": {"name": "single"}}})
        store.close()

    in_another_thread(create())
    page = open_page("/executions?agent=single", locale="ko-KR")
    page.get_by_role("button", name="대기 중인 실행 모두 중지").click()
    expect(page.get_by_text("대기 중인 실행 1개를 중지할까요?")).to_be_visible()
    page.get_by_role("button", name="그대로 두기").click()
    expect(page.get_by_role("button", name="대기 중인 실행 모두 중지")).to_be_visible()
    with dev.browser() as client:
        listed = client.get("/api/executions?agent=single").json()["items"]
    assert [each["phase"] for each in listed] == ["Pending"]
    page.get_by_role("link", name=re.compile("single")).first.click()
    expect(page.get_by_text("에이전트 일시 중단됨").first).to_be_visible()
    expect(page.get_by_text("시스템이 남긴 말").first).to_be_visible()
