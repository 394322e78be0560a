"""Google's Identity-Aware Proxy: it signs each request that it lets through."""

from dataclasses import dataclass
from typing import Final

import jwt

from heliostat_api.base.roles import Claims
from heliostat_api.people.identities import Identity
from heliostat_api.people.keysets import JsonMap, KeySet

ISSUER: Final = "https://cloud.google.com/iap"
_LEEWAY_SECONDS = 30


@dataclass(frozen=True)
class Iap:
    """Reads its header. `audience` names the backend, so that another's header opens nothing."""

    audience: str
    keys: KeySet

    async def identify(self, assertion: str) -> Identity | None:
        """None for a header that the proxy did not sign for us. Raises ProviderAwayError."""
        key = await self.keys.find(assertion)
        if key is None:
            return None
        try:
            token: JsonMap = jwt.decode(
                assertion,
                key,
                ["ES256"],
                audience=self.audience,
                issuer=ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["aud", "exp", "iat", "iss", "sub"]},
            )
        except jwt.InvalidTokenError:
            return None
        email = token.get("email")
        claims = Claims(email=email if isinstance(email, str) else None)
        return Identity(ISSUER, str(token["sub"]), claims)
