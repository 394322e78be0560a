"""Secrets that are made once and kept."""

import base64

import pytest
from pydantic import ValidationError

from heliostat_core.keys import public_key_id, public_pem
from heliostat_core.worlds import SECRET, JsonObject, Ref
from heliostat_operator.secrets.generated_secrets import build_kept_secret, keep_secrets
from heliostat_operator.settings import KeptSecret, OperatorSettings
from support.memory_world import MemoryWorld

NAMESPACE = "heliostat-system"
PASSWORD = KeptSecret(name="heliostat-redis", key="password")


def value_of(secret: JsonObject, key: str) -> str:
    texts = secret["data"]
    assert isinstance(texts, dict)
    return base64.b64decode(str(texts[key])).decode()


def test_each_value_is_new_and_long() -> None:
    values = {value_of(build_kept_secret(NAMESPACE, PASSWORD), "password") for _ in range(3)}
    assert len(values) == 3
    assert all(len(value) == 64 and value.isalnum() for value in values)


def test_a_key_file_holds_a_private_key() -> None:
    wanted = KeptSecret(name="signing", key="private.pem")
    private = value_of(build_kept_secret(NAMESPACE, wanted), "private.pem")
    assert public_key_id(public_pem(private))


def test_settings_name_them_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOSTAT_OPERATOR_KEPT_SECRETS", "heliostat-redis:password, b:c.pem")
    assert OperatorSettings().kept_secrets == (PASSWORD, KeptSecret(name="b", key="c.pem"))
    monkeypatch.setenv("HELIOSTAT_OPERATOR_KEPT_SECRETS", "heliostat-redis")
    with pytest.raises(ValidationError, match="key"):
        OperatorSettings()


def test_the_gateways_secrets_are_named_without_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    variable, secret = "HELIOSTAT_OPERATOR_GATEWAY_SECRETS", "projects/acme/secrets/anthropic-key"
    monkeypatch.setenv(variable, f"{secret}, projects/acme/secrets/other")
    assert OperatorSettings().gateway_secrets == (secret, "projects/acme/secrets/other")
    for wrong in (f"{secret}/versions/3", "anthropic-key"):
        monkeypatch.setenv(variable, wrong)
        with pytest.raises(ValidationError, match="gateway_secrets"):
            OperatorSettings()


async def test_what_is_there_is_never_changed() -> None:
    world = MemoryWorld()
    await keep_secrets(world, NAMESPACE, [PASSWORD])
    first = await world.get(Ref(SECRET, NAMESPACE, PASSWORD.name))
    await keep_secrets(world, NAMESPACE, [PASSWORD])
    assert first is not None
    assert await world.get(Ref(SECRET, NAMESPACE, PASSWORD.name)) == first
