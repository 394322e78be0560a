"""Tenures: how long a stream or a WebSocket is whose it was when it began."""

import asyncio
from collections.abc import Coroutine
from typing import Final

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketState

from heliostat_api.documents.port import StoreError
from heliostat_api.events.endings import Tenure
from heliostat_api.people.keysets import ProviderAwayError
from heliostat_api.people.person import Person
from heliostat_api.serving.credentials import credentials_of
from heliostat_api.serving.parts import parts_of

_POLICY_VIOLATION: Final = 1008


def tenure_of(connection: HTTPConnection, person: Person) -> Tenure:
    """Of a connection that is this person's now. It is over when the same credentials are nobody's,
    or of somebody with other rights."""
    parts, given = parts_of(connection), credentials_of(connection.scope)
    register, sessions = parts.erasing.register, parts.sessions

    async def ask() -> bool:
        register.reread(person.id)
        try:
            return await parts.people.find(given) == person
        except (StoreError, ProviderAwayError):
            return True  # who is away has not said no

    def has_end() -> bool:
        is_of_session = given.bearer is None and given.assertion is None
        return is_of_session and sessions.read(given.cookie) is None

    return Tenure(person.id, ask, has_end)


async def serve_while_it_lasts(
    socket: WebSocket, person: Person, serving: Coroutine[None, None, None]
) -> None:
    """Serves a WebSocket until the client leaves, or closes it at the end of its tenure."""
    log = parts_of(socket).streams.log
    served = asyncio.create_task(serving)
    over = asyncio.create_task(tenure_of(socket, person).until_over(log))
    try:
        await asyncio.wait({served, over}, return_when=asyncio.FIRST_COMPLETED)
        if served.done():
            return await served
    finally:
        served.cancel()
        over.cancel()
        await asyncio.gather(served, over, return_exceptions=True)
    if socket.application_state is WebSocketState.CONNECTED:
        await socket.close(_POLICY_VIOLATION, "The session ended, or has other rights now.")
    return None
