"""Keys of those who vouch for persons: asked for when needed, and believed for a time."""

import base64
import time
from collections.abc import Mapping
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import JsonValue

from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.base.roles import Claims
from heliostat_api.people.iap import ISSUER, Iap
from heliostat_api.people.identities import Identity
from heliostat_api.people.keysets import KeySet

AUDIENCE = "/projects/1/global/backendServices/2"


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:  # noqa: ARG001
    return ec.generate_private_key(ec.SECP256R1())


class Published:
    """What is published at the address, and how often it was asked."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.uses: dict[str, str] = {}
        self.asked: list[str] = []
        self.is_away = False
        self.now = 1000.0
        self.document: dict[str, JsonValue] | None = None

    async def fetch(self, url: str) -> dict[str, JsonValue]:
        self.asked.append(url)
        if self.is_away:
            raise ProviderAwayError("id.test is away")
        return self.document or {"keys": [self._published(name) for name in self.names]}

    def _published(self, name: str) -> JsonValue:
        found = ECAlgorithm.to_jwk(key_of(name).public_key(), as_dict=True)
        more = {"use": self.uses[name]} if name in self.uses else {}
        return {**found, **more, "kid": name}

    def keys(self) -> KeySet:
        return KeySet("https://id.test/keys", lambda: self.now, self.fetch)


def signed(name: str, *, kid: str | None = None, change: Mapping[str, object] | None = None) -> str:
    """An assertion of the proxy; numbers of a change are seconds from now."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "accounts.google.com:7",
        "email": "ann@a.test",
        "iat": now,
        "exp": now + 600,
    }
    for claim, value in (change or {}).items():
        claims[claim] = now + value if isinstance(value, int) else value
    said = {key: value for key, value in claims.items() if value is not None}
    header = {"kid": kid or name} if kid != "" else {}
    return jwt.encode(said, key_of(name), "ES256", headers=header)


async def test_a_key_is_asked_for_once_an_hour() -> None:
    published = Published("a")
    keys = published.keys()
    for later in (0.0, 3599.0, 3600.0):
        published.now = 1000.0 + later
        found = await keys.find(signed("a"))
        assert found is not None
        assert found.key_id == "a"
    assert published.asked == ["https://id.test/keys"] * 2


async def test_an_unknown_key_is_asked_for_every_ten_seconds() -> None:
    published = Published("a")
    keys = published.keys()
    for later in (0.0, 9.0, 10.0):
        published.now = 1000.0 + later
        assert await keys.find(signed("b")) is None
    assert len(published.asked) == 2
    published.names = ("a", "b")
    published.now += 10.0
    assert await keys.find(signed("b")) is not None


async def test_a_known_key_is_believed_while_its_owner_is_away() -> None:
    published = Published("a")
    keys = published.keys()
    await keys.find(signed("a"))
    published.is_away = True
    published.now += 3600.0
    assert await keys.find(signed("a")) is not None
    published.now += 10.0
    with pytest.raises(ProviderAwayError, match=r"id\.test is away"):
        await keys.find(signed("b"))
    published.is_away = False
    published.now += 10.0
    assert await keys.find(signed("b")) is None


async def test_a_token_that_names_no_key_has_the_only_one() -> None:
    one, two = Published("a"), Published("a", "b")
    assert await one.keys().find(signed("a", kid="")) is not None
    assert await two.keys().find(signed("a", kid="")) is None
    assert await one.keys().find("no token") is not None


async def test_a_key_that_encrypts_verifies_nothing() -> None:
    published = Published("a", "b")
    published.uses = {"a": "enc", "b": "sig"}
    keys = published.keys()
    assert await keys.find(signed("a")) is None
    assert await keys.find(signed("b")) is not None


async def test_what_are_no_keys_is_an_owner_that_is_away() -> None:
    published = Published("a")
    published.document = {"keys": []}
    with pytest.raises(ProviderAwayError, match="can't be read"):
        await published.keys().find(signed("a"))


async def test_the_proxy_says_who_passed() -> None:
    iap = Iap(AUDIENCE, Published("a").keys())
    assert await iap.identify(signed("a")) == Identity(
        "https://cloud.google.com/iap", "accounts.google.com:7", Claims("ann@a.test")
    )
    without = await iap.identify(signed("a", change={"email": None}))
    assert without is not None
    assert without.claims == Claims()


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "/projects/1/global/backendServices/3"},
        {"iss": "https://evil.test"},
        {"exp": -60},
        {"iat": 60},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"aud": None},
        {"iss": None},
    ],
)
async def test_a_header_for_another_backend_or_time_is_nobodys(change: dict[str, object]) -> None:
    assert await Iap(AUDIENCE, Published("a").keys()).identify(signed("a", change=change)) is None


async def test_clocks_may_differ_by_half_a_minute() -> None:
    iap = Iap(AUDIENCE, Published("a").keys())
    assert await iap.identify(signed("a", change={"exp": -20})) is not None
    assert await iap.identify(signed("a", change={"iat": 29})) is not None


async def test_a_header_that_another_signed_is_nobodys() -> None:
    iap = Iap(AUDIENCE, Published("a").keys())
    assert await iap.identify(signed("b", kid="a")) is None
    assert await iap.identify(signed("b")) is None
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"a"}').decode().rstrip("=")
    assert await iap.identify(f"{head}.{signed('a').split('.')[1]}.") is None
