"""What a request presents, and the protocol of those who know whose it is."""

from dataclasses import dataclass
from typing import Final, Protocol

from heliostat_api.base.person import Person

IAP_HEADER: Final = "x-goog-iap-jwt-assertion"
"""Google's Identity-Aware Proxy signs who passed it, in this header."""


@dataclass(frozen=True)
class Credentials:
    """What a request presents, nothing of it checked yet."""

    cookie: str | None = None
    bearer: str | None = None
    assertion: str | None = None
    """Of the Identity-Aware Proxy."""


@dataclass(frozen=True)
class Visitor:
    """Who opens a page. `person_id`: whose session the page begins or goes on with, if any."""

    person_id: str | None = None
    may_enter: bool = True


class People(Protocol):
    """Finds and welcomes persons."""

    async def find(self, given: Credentials) -> Person | None:
        """Whose request it is; None when it is nobody's.

        Raises StoreError, ProviderAwayError, GatewayAwayError.
        """

    async def acting(self, person_id: str) -> Person | None:
        """Somebody for whom a key of one of their things speaks; None once they may do nothing.

        Raises StoreError.
        """

    async def welcome(self, given: Credentials) -> Visitor:
        """Who opens a page: only here a newcomer gets an id. Raises as `find` does."""
