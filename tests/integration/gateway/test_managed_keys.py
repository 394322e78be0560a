"""Providers' keys from Secret Manager, over Google's own gRPC API."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliostat_core.secret_refs import ManagedSecret
from heliostat_gateway.serving.managed_keys import ManagedKeys
from heliostat_google.identity import Identity
from heliostat_google.keeping import Ages
from heliostat_google.secret_manager import SecretManager
from support.google.accounts import ServiceAccount
from support.google.secret_manager import FakeSecretManager
from support.ports import free_port

from .gateway_process import GatewayProcess
from .upstream import upstream

GATEWAY = "gateway@acme.iam.gserviceaccount.com"
NAME = "ANTHROPIC_API_KEY"
SECRET = "projects/acme/secrets/anthropic-key"
MARK = {"heliostat-use": "gateway"}


@pytest.fixture
def google() -> Iterator[FakeSecretManager]:
    with FakeSecretManager() as served:
        served.know(ServiceAccount(GATEWAY))
        served.keep(SECRET, "sk-first", labels=dict(MARK), readers={GATEWAY})
        yield served


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(
    google: FakeSecretManager, clock: Clock, version: str = "latest"
) -> AsyncIterator[ManagedKeys]:
    identity = Identity(ServiceAccount(GATEWAY).credentials(), google.trust())
    reader = SecretManager(google.endpoint, identity)
    secrets = {NAME: ManagedSecret(secret=SECRET, version=version)}
    keys = ManagedKeys(reader, secrets, Ages(refresh=60, keep=3600), clock)
    try:
        yield keys
    finally:
        await keys.close()


async def look(keys: ManagedKeys) -> list[str]:
    await keys.look()
    return [each.secret.get_secret_value() for each in keys.credentials(NAME)]


async def test_a_new_version_is_taken_and_a_pinned_one_stays(google: FakeSecretManager) -> None:
    clock = Clock()
    async with opened(google, clock) as keys, opened(google, clock, version="1") as pinned:
        seen = [await look(keys), await look(pinned)]
        google.secrets[SECRET].versions.append(b"sk-second\n")
        clock.now = 60
        seen += [await look(keys), await look(pinned)]
    assert seen == [["sk-first"], ["sk-first"], ["sk-second"], ["sk-first"]]


async def test_only_what_is_marked_as_the_gateways_is_a_key(
    google: FakeSecretManager, caplog: pytest.LogCaptureFixture
) -> None:
    google.secrets[SECRET].labels.clear()
    async with opened(google, Clock()) as keys:
        with caplog.at_level(logging.DEBUG, "heliostat_gateway"):
            assert await look(keys) == await look(keys) == []
    (said,) = caplog.messages
    assert f"{NAME} has no key: Secret {SECRET} is not marked" in said
    assert "heliostat-use=gateway" in said
    assert [method for method, _ in google.calls] == ["GetSecret"]


async def test_access_that_is_missing_is_said_and_the_key_goes(
    google: FakeSecretManager, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with opened(google, clock) as keys:
        assert await look(keys) == ["sk-first"]
        google.secrets[SECRET].readers.clear()
        clock.now = 60
        assert await look(keys) == []
    assert f"Secret {SECRET} may not be read" in caplog.text
    assert "sk-first" not in caplog.text


async def test_a_key_outlives_an_absence_of_google_up_to_its_bound(
    google: FakeSecretManager,
) -> None:
    clock = Clock()
    async with opened(google, clock) as keys:
        assert await look(keys) == ["sk-first"]
        google.is_away = True
        seen = []
        for clock.now in (60, 3599, 3600):
            seen.append(await look(keys))
        google.is_away = False
        clock.now = 3610
        assert [*seen, await look(keys)] == [["sk-first"], ["sk-first"], [], ["sk-first"]]


@pytest.mark.parametrize("value", ["two words", "", "schlüssel"])
async def test_what_can_be_no_key_is_none(google: FakeSecretManager, value: str) -> None:
    google.secrets[SECRET].versions.append(value.encode())
    async with opened(google, Clock()) as keys:
        assert await look(keys) == []


async def test_a_gateway_signs_in_as_itself_and_takes_a_new_key_while_it_runs(
    google: FakeSecretManager, tmp_path: Path
) -> None:
    port = free_port()
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    async with upstream(port) as provider:
        provider.chunks, provider.headers = [b"{}"], {"content-type": "application/json"}
        account = ServiceAccount(GATEWAY).write(tmp_path / "account.json")
        gateway.start(
            LLM_REQUIRED="true",
            GOOGLE_APPLICATION_CREDENTIALS=str(account),
            GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=str(google.write_roots(tmp_path / "roots.pem")),
            HELIOSTAT_GATEWAY_SECRET_MANAGER=f"{NAME}={SECRET}",
            HELIOSTAT_GATEWAY_SECRET_MANAGER_ENDPOINT=google.endpoint,
            HELIOSTAT_GATEWAY_SECRET_REFRESH_SECONDS="0.2",
            HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{port}",
            HELIOSTAT_GATEWAY_BREAKER_MINIMUM="1000",  # answers that say nothing count as failures
        )
        try:
            await gateway.message(gateway.key("r"), "claude-sonnet-5-5")
            assert provider.received[-1].headers["x-api-key"] == "sk-first"
            google.secrets[SECRET].versions.append(b"sk-second")
            async with asyncio.timeout(30):
                while provider.received[-1].headers["x-api-key"] != "sk-second":
                    await gateway.message(gateway.key("r"), "claude-sonnet-5-5")
            google.secrets[SECRET].readers.clear()
            async with asyncio.timeout(30):
                while json.loads(await gateway.get("/admin/models?name=claude-opus-5-5"))["served"]:
                    await asyncio.sleep(0.05)
        finally:
            gateway.kill()
    log = gateway.log.read_text()
    assert "may not be read" in log
    assert "sk-" not in log


def test_a_provider_that_is_required_and_has_no_key_stops_the_start(
    google: FakeSecretManager, tmp_path: Path
) -> None:
    google.secrets[SECRET].readers.clear()
    account = ServiceAccount(GATEWAY).write(tmp_path / "account.json")
    gateway = GatewayProcess(tmp_path)
    process = gateway.spawn(
        LLM_REQUIRED="true",
        GOOGLE_APPLICATION_CREDENTIALS=str(account),
        GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=str(google.write_roots(tmp_path / "roots.pem")),
        HELIOSTAT_GATEWAY_SECRET_MANAGER=f"{NAME}={SECRET}",
        HELIOSTAT_GATEWAY_SECRET_MANAGER_ENDPOINT=google.endpoint,
    )
    assert process.wait(timeout=60) != 0
    log = gateway.log.read_text()
    assert f"{NAME} has no key: Secret {SECRET} may not be read" in log
    assert "LLM_REQUIRED is true, but: No usable model provider" in log
