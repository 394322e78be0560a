"""What stops the start, and what does not."""

import asyncio
import json
from pathlib import Path

import pytest

from .gateway_process import GatewayProcess


def refused_start(gateway: GatewayProcess, **settings: str) -> str:
    process = gateway.spawn(**settings)
    assert process.wait(timeout=60) == 2
    return gateway.log.read_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"HELIOSTAT_GATEWAY_PROT": "1"}, "HELIOSTAT_GATEWAY_PROT is no setting"),
        ({"LLM_REQUIRED": "true"}, "ANTHROPIC_API_KEY"),
        ({"HELIOSTAT_GATEWAY_SCRIPTED_DEFAULT": "none"}, "SCRIPTED_DEFAULT must name a scenario"),
        ({"HELIOSTAT_GATEWAY_SCENARIOS_DIR": "/nonexistent"}, "SCENARIOS_DIR"),
    ],
)
def test_a_mistake_stops_the_start(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    log = refused_start(GatewayProcess(tmp_path), **settings)
    assert words in log
    assert "Traceback" not in log


def test_a_port_that_is_taken_is_named(gateway: GatewayProcess, tmp_path: Path) -> None:
    other = GatewayProcess(tmp_path, port=gateway.port)
    assert f"HELIOSTAT_GATEWAY_PORT ({gateway.port})" in refused_start(other)


def test_a_second_gateway_on_one_ledger_is_refused(gateway: GatewayProcess) -> None:
    other = GatewayProcess(gateway.folder)
    assert other.port != gateway.port
    assert "in use by another gateway" in refused_start(other)


async def test_it_starts_before_any_key_exists(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.start()
    try:
        answer = await gateway.message(gateway.key("first"), "scripted/hello")
        assert answer.status == 401
        assert "no public key yet" in answer.error[1]
        gateway.write_public_key()
        async with asyncio.timeout(30):
            while answer.status != 200:  # the folder is read again at most once a second
                await asyncio.sleep(0.1)
                answer = await gateway.message(gateway.key("first"), "scripted/hello")
    finally:
        gateway.kill()


async def test_without_a_provider_real_models_get_the_words_of_the_start(
    gateway: GatewayProcess,
) -> None:
    answer = await gateway.message(gateway.key("none"), "claude-sonnet-5-5")
    assert answer.status == 503
    assert "ANTHROPIC_API_KEY" in answer.error[1]
    assert "HELIOSTAT_GATEWAY_DEFAULT_PROVIDER=scripted" in answer.error[1]


async def test_own_scenarios_and_real_names_where_scripted_is_chosen(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(
        "description: d\n"
        'prices: {input: "1", output: "1", cacheRead: "1", cacheWrite5m: "1", cacheWrite1h: "1"}\n'
        "turns: [{steps: [{text: mine}]}]\n"
    )
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(
        HELIOSTAT_GATEWAY_SCENARIOS_DIR=str(own),
        HELIOSTAT_GATEWAY_DEFAULT_PROVIDER="scripted",
        HELIOSTAT_GATEWAY_SCRIPTED_DEFAULT="mine",
        LLM_REQUIRED="true",
    )
    try:
        answer = await gateway.message(gateway.key("real"), "claude-opus-5-5", stream=False)
        assert json.loads(answer.body)["content"] == [{"type": "text", "text": "mine"}]
        assert answer.headers["x-heliostat-provider"] == "scripted"
    finally:
        gateway.kill()
