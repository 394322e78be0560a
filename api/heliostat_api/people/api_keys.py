"""Keys of machine callers."""

from typing import Protocol


class ApiKeys(Protocol):
    """Who presents a key in `Authorization: Bearer`."""

    async def find(self, bearer: str) -> str | None:
        """The id of the person whose key it is, when it opens the api."""


class NoApiKeys:
    """No key opens anything."""

    async def find(self, bearer: str) -> str | None:  # noqa: ARG002
        """See ApiKeys."""
        return None
