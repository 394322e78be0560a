"""Types of settings: what each kind of text must be, checked when it is read."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from heliostat_api.webhooks.signatures import key_of
from heliostat_core.egress import check_allowed
from heliostat_core.environment import NetworkText, read_words


def check_address(url: str) -> str:
    """Returns an address without a slash at its end. Raises ValueError."""
    parts = urlsplit(url)
    if url and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("must be an address that begins with https:// or http://")
    return url.rstrip("/")


def check_redis(url: SecretStr) -> SecretStr:
    """Returns the address of a Redis. Raises ValueError, which does not show it: it may hold a
    password."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        is_known = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        is_known = False
    if text and not (is_known or text.startswith("unix://")):
        raise ValueError("must be an address like redis://host:6379/0, rediss:// or unix://")
    return url


def check_origin(url: str) -> str:
    """Returns an origin: an address without a path. Raises ValueError."""
    parts = urlsplit(url)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be scheme, name and port, without a path: https://agents.example")
    return url


def check_webhook_secret(secret: SecretStr) -> SecretStr:
    """Returns a secret that signs webhooks, or an empty one. Raises ValueError."""
    if text := secret.get_secret_value():
        key_of(text)
    return secret


Address = Annotated[str, AfterValidator(check_address)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(read_words)]
Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(check_allowed)], ...], NoDecode, BeforeValidator(read_words)
]
Networks = Annotated[tuple[NetworkText, ...], NoDecode, BeforeValidator(read_words)]
