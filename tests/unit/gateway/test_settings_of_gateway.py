"""Settings: a mistake is named with its variable and what it must be."""

import os
import re
from collections.abc import Callable

import pytest

from heliostat_gateway.providers.catalog import BUILT_IN
from heliostat_gateway.providers.http import HttpProvider
from heliostat_gateway.settings import KEY_FIELDS, NO_PROVIDER, SettingsError, read_settings
from support.manifests import ROOT

Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name in [name for name in os.environ if re.search(r"_API_KEY|^LLM_REQUIRED", name)]:
        monkeypatch.delenv(name)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_defaults_need_no_environment(environment: Environment) -> None:
    environment()
    settings = read_settings()
    assert (settings.port, settings.default_provider) == (8081, "anthropic")
    assert settings.provider_keys() == {}
    assert "compatible" not in settings.base_urls()


def test_an_unknown_variable_is_named(environment: Environment) -> None:
    environment(HELIOSTAT_GATEWAY_PROT="1")
    with pytest.raises(SettingsError, match="HELIOSTAT_GATEWAY_PROT is no setting"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("HELIOSTAT_GATEWAY_PORT", "eighty", "integer"),
        ("HELIOSTAT_GATEWAY_PORT", "70000", "65535"),
        ("HELIOSTAT_GATEWAY_DEFAULT_PROVIDER", "openai", "'anthropic', 'scripted' or 'auto'"),
        ("HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL", "api.anthropic.com", "http or https"),
        ("LLM_REQUIRED", "yesplease", "must be true or false"),
        ("HELIOSTAT_GATEWAY_SECRET_MANAGER", "ANTHROPIC_API_KEY", "at least 20 characters"),
        ("HELIOSTAT_GATEWAY_SECRET_MANAGER", "KEY=projects/p/secrets/s", "match pattern"),
    ],
)
def test_a_malformed_value_is_named(
    environment: Environment, name: str, value: str, must: str
) -> None:
    environment(**{name: value})
    with pytest.raises(SettingsError, match=rf"{name}: .*{must}"):
        read_settings()


def test_keys_in_secret_manager_are_named_with_or_without_a_version(
    environment: Environment,
) -> None:
    environment(
        HELIOSTAT_GATEWAY_SECRET_MANAGER="ANTHROPIC_API_KEY=projects/acme/secrets/a, "
        "ZAI_API_KEY_2=projects/acme/secrets/z/versions/7"
    )
    assert {name: str(each) for name, each in read_settings().managed_secrets().items()} == {
        "ANTHROPIC_API_KEY": "projects/acme/secrets/a/versions/latest",
        "ZAI_API_KEY_2": "projects/acme/secrets/z/versions/7",
    }


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
def test_the_remedy_names_what_each_provider_needs(kind: type[HttpProvider]) -> None:
    assert kind.key_variable in KEY_FIELDS.values()
    wanted = kind.key_variable if kind.needs_key else f"{kind.name.upper()}_BASE_URL"
    assert wanted in NO_PROVIDER


def test_addresses_are_those_of_the_providers(environment: Environment) -> None:
    environment()
    known = {each.name: each.default_base_url for each in BUILT_IN if each.default_base_url}
    assert read_settings().base_urls() == known


def test_keys_are_found_by_variable_and_number_and_never_shown(environment: Environment) -> None:
    environment(ANTHROPIC_API_KEY="sk-one", ANTHROPIC_API_KEY_2=" sk-two\n", MINE_API_KEY="mine")
    settings = read_settings()
    keys = settings.provider_keys()
    assert {name: key.get_secret_value() for name, key in keys.items()} == {
        "ANTHROPIC_API_KEY": "sk-one",
        "ANTHROPIC_API_KEY_2": "sk-two",
        "MINE_API_KEY": "mine",
    }
    assert "sk-one" not in f"{settings!r} {keys!r}"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_API_KEY_2"])
def test_a_key_of_two_words_is_named_and_not_shown(environment: Environment, name: str) -> None:
    environment(**{name: "sk two"})
    with pytest.raises(SettingsError, match=rf"^{name}: must be one word") as raised:
        read_settings().provider_keys()
    assert "sk two" not in str(raised.value)


def test_a_strange_key_of_another_program_is_left_alone(environment: Environment) -> None:
    environment(OTHER_API_KEY="not a key")
    assert read_settings().provider_keys() == {}


def test_service_links_of_kubernetes_are_no_settings(environment: Environment) -> None:
    environment(
        HELIOSTAT_GATEWAY_PORT="tcp://10.96.0.7:8081",
        HELIOSTAT_GATEWAY_SERVICE_HOST="10.96.0.7",
        HELIOSTAT_GATEWAY_SERVICE_PORT_HTTP="8081",
        HELIOSTAT_GATEWAY_PORT_8081_TCP_ADDR="10.96.0.7",
    )
    assert read_settings().port == 8081


def test_it_listens_on_loopback_unless_it_is_told_to(environment: Environment) -> None:
    environment()
    assert read_settings().host == "127.0.0.1"
    image = (ROOT / "gateway" / "Dockerfile").read_text()
    assert "ENV HELIOSTAT_GATEWAY_HOST=0.0.0.0" in image


def test_origins_are_words(environment: Environment) -> None:
    environment(HELIOSTAT_GATEWAY_CORS_ORIGINS="https://a.example, https://b.example")
    assert read_settings().cors_origins == ("https://a.example", "https://b.example")


def test_auto_is_a_script_until_there_is_a_way_to_a_model(environment: Environment) -> None:
    environment(HELIOSTAT_GATEWAY_DEFAULT_PROVIDER="auto")
    assert read_settings().default_provider == "scripted"
    environment(ANTHROPIC_API_KEY="sk-x")
    assert read_settings().default_provider == "anthropic"
