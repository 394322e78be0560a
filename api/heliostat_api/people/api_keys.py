"""Keys of machine callers."""

from typing import Protocol

from heliostat_api.people.person import Person


class ApiKeys(Protocol):
    """Who presents a key in `Authorization: Bearer`."""

    async def find(self, bearer: str) -> Person | None:
        """The person whose key it is, when it opens the api."""


class NoApiKeys:
    """No key opens anything."""

    async def find(self, bearer: str) -> Person | None:  # noqa: ARG002
        """See ApiKeys."""
        return None
