"""Calls that are going on, and how they are ended from outside: revocation, shutdown, client."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class EndReason(StrEnum):
    """Why a call was ended before its answer was complete."""

    CLIENT_GONE = "client_gone"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"


class CallEndedError(Exception):
    """The call was ended from outside."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class OpenCall:
    """One model call. `end` interrupts whatever it awaits inside its `scope`."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.closed = asyncio.Event()  # the provider is cancelled, the ledger settled
        self._reason: EndReason | None = None
        self._waiting: asyncio.Task[object] | None = None

    def end(self, reason: EndReason) -> None:
        """Ends the call; the first reason stays."""
        if self._reason is None:
            self._reason = reason
            if self._waiting is not None:
                self._waiting.cancel()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Work that `end` interrupts. Raises CallEndedError (as asyncio.timeout does with time)."""
        if self._reason is not None:
            raise CallEndedError(self._reason)
        task = asyncio.current_task()
        before = task.cancelling() if task is not None else 0
        self._waiting = task
        try:
            yield
        except asyncio.CancelledError:
            self._waiting = None
            if self._reason is None or task is None or task.uncancel() > before:
                raise
            raise CallEndedError(self._reason) from None
        finally:
            self._waiting = None
        if self._reason is not None and task is not None and task.cancelling() > before:
            # The work ended in the same moment: the cancellation must not hit what comes next.
            task.uncancel()


class OpenCalls:
    """All open calls of this process, by key."""

    def __init__(self) -> None:
        self._calls: dict[str, set[OpenCall]] = {}

    def __len__(self) -> int:
        return sum(len(calls) for calls in self._calls.values())

    def add(self, call: OpenCall) -> None:
        """Registers a call: from now on it can be ended."""
        self._calls.setdefault(call.key_id, set()).add(call)

    def remove(self, call: OpenCall) -> None:
        """Forgets a closed call."""
        call.closed.set()
        calls = self._calls.get(call.key_id, set())
        calls.discard(call)
        if not calls:
            self._calls.pop(call.key_id, None)

    async def end_key(self, key_id: str) -> int:
        """Ends the calls of a key and waits until each is settled. Returns how many."""
        return await _end(set(self._calls.get(key_id, ())), EndReason.REVOKED)

    async def end_all(self) -> int:
        """Ends every call, for shutdown."""
        return await _end(self._all(), EndReason.SHUTDOWN)

    def _all(self) -> set[OpenCall]:
        return {call for calls in self._calls.values() for call in calls}


async def _end(calls: set[OpenCall], reason: EndReason) -> int:
    for call in calls:
        call.end(reason)
    for call in calls:
        await call.closed.wait()
    return len(calls)
