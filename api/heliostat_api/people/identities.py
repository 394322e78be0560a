"""Identities: whom a provider vouches for, and the id that we know them by."""

import hashlib
import json
import secrets
from dataclasses import dataclass

from heliostat_api.base.person import GUEST_PREFIX
from heliostat_api.base.roles import Claims
from heliostat_api.people.keysets import JsonMap

_USER_PREFIX = "user-"
_GUEST_BYTES = 16


@dataclass(frozen=True)
class Identity:
    """A person at a provider. An e-mail address is no identity: it may become somebody else's."""

    issuer: str
    subject: str
    claims: Claims

    @property
    def person_id(self) -> str:
        """The same for the same issuer and subject, always; 160 bits."""
        named = json.dumps([self.issuer, self.subject]).encode()
        return _USER_PREFIX + hashlib.sha256(named).hexdigest()[:40]


def new_guest_id() -> str:
    """128 random bits: nobody guesses another's."""
    return GUEST_PREFIX + secrets.token_hex(_GUEST_BYTES)


def is_guest_id(person_id: str) -> bool:
    """Whether it was made by `new_guest_id`."""
    return person_id.startswith(GUEST_PREFIX)


def claims_of(token: JsonMap, groups_claim: str) -> Claims:
    """What roles are given by. An address that was not verified is none."""
    email = token.get("email")
    groups = token.get(groups_claim)
    names = groups if isinstance(groups, list) else [groups]
    return Claims(
        email=email if isinstance(email, str) and is_verified(token) else None,
        groups=frozenset(each for each in names if isinstance(each, str)),
    )


def is_verified(token: JsonMap) -> bool:
    """Some providers write booleans as words."""
    return token.get("email_verified") is True or token.get("email_verified") == "true"
