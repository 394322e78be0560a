"""Who calls as Cloud Scheduler: OIDC tokens that Google signed for our service account."""

from dataclasses import dataclass
from typing import Final

import jwt

from heliostat_api.people.keysets import JsonMap, KeySet

ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
_LEEWAY_SECONDS: Final = 30


@dataclass(frozen=True)
class CloudTokens:
    """Believes one account, by its e-mail address, in tokens made for this api alone."""

    audience: str
    account: str
    keys: KeySet

    async def is_ours(self, token: str | None) -> bool:
        """Raises ProviderAwayError."""
        key = await self.keys.find(token) if token else None
        if token is None or key is None:
            return False
        try:
            claims: JsonMap = jwt.decode(
                token,
                key,
                ["RS256"],
                audience=self.audience,
                issuer=ISSUERS,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["aud", "exp", "iat", "iss"]},
            )
        except jwt.InvalidTokenError:
            return False
        return claims.get("email") == self.account and claims.get("email_verified") is True
