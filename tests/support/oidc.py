"""OpenID Connect providers for tests: a stock one, and one that lies on demand."""

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from jwt.algorithms import RSAAlgorithm
from pydantic import JsonValue

from heliostat_cli.embedded.gateways import EmbeddedServer, serving_app
from heliostat_cli.embedded.ports import port_of

CLIENT = "heliostat"
_READY_SECONDS = 30.0


@cache
def rsa_key(whose: str) -> rsa.RSAPrivateKey:  # noqa: ARG001
    """The same for the same one: keys take long to make."""
    return rsa.generate_private_key(65537, 2048)


@contextmanager
def stock_provider(*claims: str) -> Iterator[str]:
    """`oidc-provider-mock` as a process of its own; yields its issuer.

    `claims`: JSON objects of persons with a `sub`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = port_of(free)
    users = [part for each in claims for part in ("--user-claims", each)]
    program = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *users]
    process = subprocess.Popen(
        program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    try:
        issuer = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{issuer}/.well-known/openid-configuration", process)
        yield issuer
    finally:
        process.kill()
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            if httpx2.get(url, timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            assert process.poll() is None, "the provider ended"
        assert time.monotonic() < deadline, f"{url} did not answer in time"
        time.sleep(0.05)


async def agree(url: str, subject: str) -> str:
    """A person signs in at the stock provider; where it sends their browser."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.post(url, data={"sub": subject})
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"]


@dataclass
class LyingProvider:
    """Speaks the protocol, checks PKCE, and signs what a test tells it to."""

    issuer: str = ""
    claims: dict[str, JsonValue] = field(default_factory=dict)
    """Over those of an honest token; None takes one away."""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa_key("provider"))
    algorithm: str = "RS256"
    signs_with: rsa.RSAPrivateKey | str | None = None
    """Instead of its key."""
    key_id: str | None = "first"
    named_issuer: str | None = None
    asked: dict[str, str] = field(default_factory=dict)
    """What the browser was sent with."""
    given: dict[str, str] = field(default_factory=dict)
    """What the code was exchanged with."""

    def authorize(self, url: str) -> str:
        """The browser goes there, and comes back at once."""
        self.asked = {name: each[0] for name, each in parse_qs(urlsplit(url).query).items()}
        return f"{self.asked['redirect_uri']}?code=c-1&state={self.asked['state']}"

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discover() -> dict[str, str]:
            return {
                "issuer": self.named_issuer or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }

        @app.get("/keys")
        async def keys() -> JSONResponse:
            public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return JSONResponse({"keys": [{**public, "kid": "first", "use": "sig"}]})

        @app.post("/token")
        async def exchange(request: Request) -> JSONResponse:
            body = parse_qs((await request.body()).decode())
            self.given = {name: each[0] for name, each in body.items()}
            challenge = hashlib.sha256(self.given.get("code_verifier", "").encode()).digest()
            expected = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
            if self.asked["code_challenge"] != expected:
                return JSONResponse({"error": "invalid_grant"}, 400)
            return JSONResponse(
                {"access_token": "a", "token_type": "Bearer", "id_token": self.sign()}
            )

        return app

    def sign(self) -> str:
        now = int(time.time())
        honest: dict[str, JsonValue] = {
            "iss": self.issuer,
            "sub": "ann",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
        }
        claims = {n: each for n, each in {**honest, **self.claims}.items() if each is not None}
        headers = {"kid": self.key_id} if self.key_id else None
        key = self.key if self.signs_with is None else self.signs_with
        return jwt.encode(claims, key, self.algorithm, headers)


@asynccontextmanager
async def lying_provider() -> AsyncIterator[LyingProvider]:
    """On a port of this machine."""
    provider = LyingProvider()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider.issuer = f"http://127.0.0.1:{port_of(listening)}"
        async with serving_app(provider.app(), listening, EmbeddedServer):
            yield provider
