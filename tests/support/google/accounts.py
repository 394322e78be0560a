"""Service accounts of the tests: they sign their own tokens, as Google's libraries do."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.oauth2.service_account import Credentials


class ServiceAccount:
    """An e-mail address with a key of its own."""

    def __init__(self, email: str) -> None:
        self.email = email
        self._key = _key_of(email)

    def credentials(self) -> Credentials:
        """As google.auth finds them in a file."""
        made: Credentials = Credentials.from_service_account_info(self._info())  # type: ignore[no-untyped-call]
        return made

    def write(self, file: Path) -> Path:
        """A file for GOOGLE_APPLICATION_CREDENTIALS of a process."""
        file.write_text(json.dumps(self._info()))
        return file

    def has_signed(self, token: str, host: str) -> bool:
        """Whether this account made the token, for that service, and it holds now."""
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                issuer=self.email,
                options={"verify_aud": False, "require": ["iss", "sub", "exp"]},
            )
        except jwt.InvalidTokenError:
            return False
        scopes = str(claims.get("scope", "")).split()
        return claims.get("aud") == f"https://{host}/" or _EVERYTHING in scopes

    def _info(self) -> Mapping[str, str]:
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "client_email": self.email,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "token_uri": "https://nowhere.invalid/token",
        }


_EVERYTHING = "https://www.googleapis.com/auth/cloud-platform"


@cache
def _key_of(_email: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
