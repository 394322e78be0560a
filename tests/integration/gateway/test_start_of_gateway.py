"""What stops the start, and what does not."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from .gateway_process import GatewayProcess, small_request


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


def test_a_broken_routes_file_stops_the_start_with_every_line(tmp_path: Path) -> None:
    routes = tmp_path / "routes.yaml"
    routes.write_text("modles: {}\naliases: {a: a}\n")
    log = refused_start(GatewayProcess(tmp_path), HELIOSTAT_GATEWAY_ROUTES_FILE=str(routes))
    assert "routes.yaml:1: modles: is no field here" in log
    assert "routes.yaml:2: aliases.a: leads back to itself" in log
    assert "Traceback" not in log


async def test_a_mounted_key_is_enough_for_a_required_provider(tmp_path: Path) -> None:
    keys = tmp_path / "provider-keys"
    keys.mkdir()
    settings = {"LLM_REQUIRED": "true", "HELIOSTAT_GATEWAY_PROVIDER_KEYS_DIR": str(keys)}
    gateway = GatewayProcess(tmp_path)
    assert "GEMINI_API_KEY" in refused_start(gateway, **settings)
    (keys / "GEMINI_API_KEY").write_text("k\n")
    gateway.write_public_key()
    gateway.start(**settings)
    try:
        status = json.loads(await gateway.get("/admin/models?name=gemini-3.8-flash"))
        assert (status["served"], status["provider"]) == (True, "gemini")
        (keys / "ZAI_API_KEY").write_text("k\n")
        async with asyncio.timeout(30):
            while not json.loads(await gateway.get("/admin/models?name=glm-5.3"))["served"]:
                await asyncio.sleep(0.1)
    finally:
        gateway.kill()


async def test_routes_are_read_again_and_a_broken_file_is_said_by_readyz(tmp_path: Path) -> None:
    routes = tmp_path / "routes.yaml"
    chain = "{chain: [{provider: scripted, model: hello}]}"
    routes.write_text(f"models: {{one: {chain}}}")
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(HELIOSTAT_GATEWAY_ROUTES_FILE=str(routes))
    try:
        assert (await gateway.message(gateway.key("r"), "one")).status == 200
        assert (await gateway.message(gateway.key("r"), "two")).status == 404
        routes.write_text("modles: {}")
        async with asyncio.timeout(30):
            while "routes.yaml:1: modles" not in await readyz(gateway):
                await asyncio.sleep(0.1)
        assert (await gateway.message(gateway.key("r"), "one")).status == 200
        routes.write_text(f"models: {{two: {chain}}}")
        async with asyncio.timeout(30):
            while (await gateway.message(gateway.key("r"), "two")).status != 200:
                await asyncio.sleep(0.1)
        assert (await gateway.message(gateway.key("r"), "one")).status == 404
        assert json.loads(await readyz(gateway))["routesProblem"] is None
    finally:
        gateway.kill()


async def readyz(gateway: GatewayProcess) -> str:
    return (await gateway.ask("/readyz", method="GET")).text


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


async def test_the_log_names_the_address_and_what_is_missing(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    gateway.start(HELIOSTAT_GATEWAY_DEFAULT_PROVIDER="auto")
    try:
        log = gateway.log.read_text()
        assert f"listening on 127.0.0.1, port {gateway.port}" in log
        assert "set ANTHROPIC_API_KEY" in log
    finally:
        gateway.kill()


async def test_pages_of_other_origins_call_it_only_where_it_is_set(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    origin = "https://pages.example"
    headers = {"origin": origin, "authorization": f"Bearer {gateway.key('cors')}"}
    question = {"origin": origin, "access-control-request-method": "POST"}
    question["access-control-request-headers"] = "x-api-key,content-type"
    body = small_request("scripted/hello", stream=False)

    async def ask() -> tuple[str | None, str | None]:
        async with aiohttp.ClientSession() as session:
            url = f"{gateway.url}/v1/messages"
            async with session.options(url, headers=question) as before:
                asked = before.headers.get("access-control-allow-origin")
            async with session.post(url, json=body, headers=headers) as answer:
                assert answer.status == 200
                return asked, answer.headers.get("access-control-allow-origin")

    gateway.start()
    try:
        assert await ask() == (None, None)
    finally:
        gateway.kill()
    gateway.start(HELIOSTAT_GATEWAY_CORS_ORIGINS=origin)
    try:
        assert await ask() == (origin, origin)
        headers["origin"] = question["origin"] = "https://other.example"
        assert await ask() == (None, None)
    finally:
        gateway.kill()
