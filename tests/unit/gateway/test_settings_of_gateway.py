"""Settings: a mistake is named with its variable and what it must be."""

from collections.abc import Callable

import pytest

from heliostat_gateway.settings import SettingsError, read_settings

Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name in ("ANTHROPIC_API_KEY", "LLM_REQUIRED"):
        monkeypatch.delenv(name, raising=False)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_defaults_need_no_environment(environment: Environment) -> None:
    environment()
    settings = read_settings()
    assert (settings.port, settings.default_provider, settings.has_provider) == (
        8081,
        "anthropic",
        False,
    )


def test_an_unknown_variable_is_named(environment: Environment) -> None:
    environment(HELIOSTAT_GATEWAY_PROT="1")
    with pytest.raises(SettingsError, match="HELIOSTAT_GATEWAY_PROT is no setting"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("HELIOSTAT_GATEWAY_PORT", "eighty", "integer"),
        ("HELIOSTAT_GATEWAY_PORT", "70000", "65535"),
        ("HELIOSTAT_GATEWAY_DEFAULT_PROVIDER", "openai", "'anthropic' or 'scripted'"),
        ("HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL", "api.anthropic.com", "http or https"),
        ("LLM_REQUIRED", "perhaps", "boolean"),
    ],
)
def test_a_malformed_value_is_named(
    environment: Environment, name: str, value: str, must: str
) -> None:
    environment(**{name: value})
    with pytest.raises(SettingsError, match=rf"{name}: .*{must}"):
        read_settings()


def test_a_required_provider_that_is_missing_names_the_variables(environment: Environment) -> None:
    environment(LLM_REQUIRED="true")
    with pytest.raises(SettingsError, match=r"LLM_REQUIRED.*ANTHROPIC_API_KEY.*DEFAULT_PROVIDER"):
        read_settings()


def test_a_required_provider_that_is_there_is_enough(environment: Environment) -> None:
    environment(LLM_REQUIRED="true", ANTHROPIC_API_KEY="sk-test")
    assert read_settings().has_provider


def test_the_key_is_not_shown(environment: Environment) -> None:
    environment(ANTHROPIC_API_KEY="sk-secret")
    assert "sk-secret" not in repr(read_settings())


def test_service_links_of_kubernetes_are_no_settings(environment: Environment) -> None:
    environment(
        HELIOSTAT_GATEWAY_PORT="tcp://10.96.0.7:8081",
        HELIOSTAT_GATEWAY_SERVICE_HOST="10.96.0.7",
        HELIOSTAT_GATEWAY_SERVICE_PORT_HTTP="8081",
        HELIOSTAT_GATEWAY_PORT_8081_TCP_ADDR="10.96.0.7",
    )
    assert read_settings().port == 8081
