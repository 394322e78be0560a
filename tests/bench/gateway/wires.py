"""What a connection must be able to do; uvloop's transports are no asyncio.Transport."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Wire(Protocol):
    def write(self, data: bytes) -> None: ...
