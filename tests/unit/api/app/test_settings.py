"""Settings of the api: a mistake stops the start, and says what must be."""

import json

import pytest
from pydantic import ValidationError

from heliostat_api.app.settings import PREFIX, ApiSettings, known_settings
from heliostat_api.base.roles import Role
from heliostat_core.environment import unknown_settings


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> ApiSettings:
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    return ApiSettings()


def test_lists_are_words_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch, hosts="a.example, b.example", trusted_proxies="10.1.2.3/8,fd00::/8"
    )
    assert settings.hosts == ("a.example", "b.example")
    assert settings.trusted_proxies == ("10.0.0.0/8", "fd00::/8")


def test_the_roles_are_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"group": "ops", "role": "operator", "namespaces": ["team-a"]},
        {"email": "ann@example.com", "role": "admin"},
    ]
    settings = read(monkeypatch, roles=json.dumps(rows))
    assert [row.role for row in settings.roles] == [Role.OPERATOR, Role.ADMIN]


def test_an_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, public_url="https://a.example/").public_url == "https://a.example"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"public_url": "a.example"}, "begins with https:// or http://"),
        ({"public_url": "https://a.example/heliostat"}, "without a path"),
        ({"trusted_proxies": "everybody"}, "does not appear to be an IPv4 or IPv6 network"),
        ({"oidc_issuer": "https://id.example"}, "oidc_client_id belong together"),
        ({"oidc_issuer": "https://id.example", "oidc_client_id": "us"}, "needs public_url"),
        ({"guests": "false"}, "nobody could enter"),
        ({"roles": '[{"role": "admin"}]'}, "names a group or an e-mail address"),
        ({"roles": '[{"group": "a", "role": "operator"}]'}, "has namespaces"),
        ({"roles": '[{"group": "a", "role": "user", "namespaces": ["b"]}]'}, "has namespaces"),
        (
            {"roles": '[{"group": "a", "role": "king"}]'},
            "'admin' or 'approver'",
        ),
        ({"limit_guest": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_mistake_says_what_must_be(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        read(monkeypatch, **given)


def test_a_typing_error_is_no_setting_but_a_service_link_passes() -> None:
    environment = {
        "HELIOSTAT_API_GEUSTS": "false",
        "HELIOSTAT_API_GUESTS": "false",
        "HELIOSTAT_API_SERVICE_HOST": "10.0.0.1",
        "HELIOSTAT_API_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "PATH": "/bin",
    }
    assert unknown_settings(environment, PREFIX, known_settings()) == ["HELIOSTAT_API_GEUSTS"]
