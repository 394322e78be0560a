"""Leases of streams: how long a stream or a WebSocket is whose it was when it began."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from heliostat_api.base.errors import GatewayAwayError, ProviderAwayError
from heliostat_api.base.person import Person
from heliostat_api.documents.port import StoreError
from heliostat_api.events.revocations import StreamLease
from heliostat_api.people.credentials import People
from heliostat_api.people.sessions import Sessions
from heliostat_api.web.credentials import credentials_of


@dataclass(frozen=True)
class StreamLeases:
    """Gives leases to connections that are somebody's now."""

    people: People
    sessions: Sessions
    reread: Callable[[str], None]
    """Makes the people ask the store again, not their memory, whether a person may come in."""

    def begin(self, connection: HTTPConnection, person: Person) -> StreamLease:
        """Begins the lease of this person's connection. It is over when the same credentials are
        nobody's, or of somebody with other rights."""
        given = credentials_of(connection.scope)

        async def ask() -> bool:
            self.reread(person.id)
            try:
                return await self.people.find(given) == person
            except (StoreError, ProviderAwayError, GatewayAwayError):
                return True  # who is away has not said no

        def has_end() -> bool:
            is_of_session = given.bearer is None and given.assertion is None
            return is_of_session and self.sessions.read(given.cookie) is None

        return StreamLease(person.id, ask, has_end)
