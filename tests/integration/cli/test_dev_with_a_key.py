"""`heliostat dev` as a person starts it: in a folder of theirs, with their provider's key."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from heliostat_api.base.person import LOCAL
from support.chatting import of_type, talking, text_of
from support.fake_provider import KEY, run_fake_providers
from support.heliostat_program import PROGRAM, build_environ
from support.ports import free_port
from support.screens import follow, open_browser, until_finished
from support.waiting import wait_for


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """What the browser was told to open; dev keeps its state where it was started."""
    opened, here = tmp_path / "opened", tmp_path / "mine"
    here.mkdir()
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    with run_fake_providers(tmp_path, default="hello") as providers:
        environ = build_environ(
            tmp_path,
            BROWSER=f"{browser} %s",
            ANTHROPIC_API_KEY=KEY,
            HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=providers.url,
        )
        command = [str(PROGRAM), "dev", "--port", str(free_port())]
        with subprocess.Popen(command, cwd=here, env=environ, stdout=subprocess.PIPE) as dev:
            try:
                wait_for(opened.exists)
                yield opened.read_text().strip()
            finally:
                dev.terminate()
                said, _ = dev.communicate(timeout=30)
    assert b"your providers' keys" in said
    assert (here / ".heliostat" / "documents.sqlite").exists()


def test_an_agent_without_a_model_is_tested_with_the_provider_of_the_key(address: str) -> None:
    with open_browser(address) as client:
        made = client.post("/api/agents", json={"name": "greeter", "spec": {"prompt": "Greet."}})
        agent = made.json()["agent"]
        with closing(follow(client)) as events:
            next(events)
            run = client.post(f"/api/agents/{agent}/test", json={}).json()["execution"]
            ended = until_finished(events, run)[-1].payload
        assert ended["phase"] == "Succeeded"
        # Two calls at that model's prices, which may be booked after the run has ended.
        read = partial(client.get, f"/api/executions/{run}")
        wait_for(lambda: read().json()["costMicros"] == 2_800)
        view = read().json()
    assert view["model"] == "claude-sonnet-5-5"
    assert view["result"] == "Hello from the scripted provider."


async def test_the_chat_is_answered_by_the_provider_of_the_key(address: str) -> None:
    with open_browser(address) as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    async with talking(address, LOCAL.id, {"Origin": address, "Cookie": cookie}) as person:
        await person.say("Greet me")
        answer = await person.answered()
    assert text_of(answer) == "Hello from the scripted provider."
    assert of_type(answer, "status") == [], "no script answered"
    assert answer["costMicros"]
