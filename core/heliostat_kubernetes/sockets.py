"""The sockets of one pool of connections, so that its end can be waited for.

aiohttp forgets a connection that it gives up in the middle of an answer. Over TLS that one says
goodbye and waits for the other side for up to 30 s; an event loop that ends before leaves the
socket to the garbage collector.
"""

import asyncio
import socket
from contextlib import suppress
from weakref import WeakSet

from aiohttp import AddrInfoType

_CLOSE_SECONDS = 2.0


class Sockets:
    """Makes sockets and remembers those that somebody still has."""

    def __init__(self) -> None:
        self._made: WeakSet[socket.socket] = WeakSet()

    def make(self, info: AddrInfoType) -> socket.socket:
        """As aiohttp itself would."""
        family, type_, protocol, _, _ = info
        made = socket.socket(family, type_, protocol)
        self._made.add(made)
        return made

    async def close(self) -> None:
        """Cuts what is open, whoever waits for a goodbye; returns when the transports let go."""
        for each in self._open():
            with suppress(OSError):  # it was never connected
                each.shutdown(socket.SHUT_RDWR)
        deadline = asyncio.get_running_loop().time() + _CLOSE_SECONDS
        while self._open() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0)

    def _open(self) -> list[socket.socket]:
        return [each for each in self._made if each.fileno() != -1]
