"""A socket whose lease is over ends, also when its client has just left."""

import asyncio
from typing import cast

import pytest
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from heliostat_api.base.person import LOCAL
from heliostat_api.chat.sockets import Chat, ChatSession
from heliostat_api.events.log import EventLog
from heliostat_api.events.revocations import StreamLease


class _Socket:
    """A client that says nothing and may have left."""

    def __init__(self, *, has_left: bool) -> None:
        self.has_left = has_left
        self.codes: list[int] = []

    async def receive_text(self) -> str:
        await asyncio.Event().wait()
        return ""

    async def close(self, code: int, reason: str) -> None:
        assert reason
        self.codes.append(code)
        if self.has_left:
            raise WebSocketDisconnect(1006)


class _Chat:
    log = cast("EventLog", None)


async def _is_nobodys() -> bool:
    return False


async def _unlimited() -> None:
    return


@pytest.mark.parametrize("has_left", [False, True])
async def test_a_lease_that_is_over_ends_the_socket(*, has_left: bool) -> None:
    socket = _Socket(has_left=has_left)
    lease = StreamLease(LOCAL.id, _is_nobodys, has_end=lambda: True)
    chat, client = cast("Chat", _Chat()), cast("WebSocket", socket)
    session = ChatSession(chat, client, LOCAL, lease, _unlimited)
    async with asyncio.timeout(10):
        await session.run()
    assert socket.codes == [1008]
