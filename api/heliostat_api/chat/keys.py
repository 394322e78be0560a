"""Keys of the gateway on which a person's chat calls models."""

from typing import Protocol

from heliostat_api.base.person import Person
from heliostat_api.chat.views import StatusCode


class NoKeyError(Exception):
    """There is no key for this person; the text says why, with the remedy."""

    def __init__(self, said: str, code: StatusCode = StatusCode.FAILED) -> None:
        super().__init__(said)
        self.code = code


class PersonKeys(Protocol):
    """Whoever talks pays, within their cap."""

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """A short-lived key of that person for one conversation. Raises NoKeyError."""


class NoPersonKeys:
    """Nobody has a key."""

    async def key_for(self, person: Person, conversation_id: str) -> str:  # noqa: ARG002
        """See PersonKeys."""
        raise NoKeyError(
            "This server has no gateway, so nobody can answer: its owner sets where one is."
        )
