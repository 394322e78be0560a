"""Tenures: how long a stream or a WebSocket is whose it was when it began."""

from starlette.requests import HTTPConnection

from heliostat_api.base.errors import GatewayAwayError, ProviderAwayError
from heliostat_api.base.person import Person
from heliostat_api.documents.port import StoreError
from heliostat_api.events.revocations import Tenure
from heliostat_api.web.access import Access
from heliostat_api.web.credentials import credentials_of
from heliostat_api.web.provide import service_of


def tenure_of(connection: HTTPConnection, person: Person) -> Tenure:
    """Of a connection that is this person's now. It is over when the same credentials are nobody's,
    or of somebody with other rights."""
    access, given = service_of(connection, Access), credentials_of(connection.scope)

    async def ask() -> bool:
        access.reread(person.id)
        try:
            return await access.people.find(given) == person
        except (StoreError, ProviderAwayError, GatewayAwayError):
            return True  # who is away has not said no

    def has_end() -> bool:
        is_of_session = given.bearer is None and given.assertion is None
        return is_of_session and access.sessions.read(given.cookie) is None

    return Tenure(person.id, ask, has_end)
