"""One timer for the many waits of an attempt: most answers come long before any deadline."""

import asyncio
from types import TracebackType
from typing import Final, Self

_NEVER: Final = float("inf")


class Patience:
    """Ends what its task awaits inside when a deadline passes, as asyncio.timeout does.

    `with patience.until(deadline)` for each wait; between them nothing is ended. A deadline that
    moves on leaves the timer as it is: when that one is due, it looks again. `close` at the end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = _NEVER
        self._deadline = _NEVER
        self._waiting: asyncio.Task[object] | None = None
        self._cancellings = 0  # of the task, by others
        self._is_over = False

    def until(self, deadline: float) -> Self:
        """This wait, or the next one, lasts until then at most, by the clock of the event loop."""
        self._deadline = deadline
        if deadline < self._looks_at:
            self.close()
            self._look_at(deadline)
        return self

    def __enter__(self) -> Self:
        task = asyncio.current_task(self._loop)
        assert task is not None, "waits in a task"
        self._waiting, self._cancellings = task, task.cancelling()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises TimeoutError when the deadline has passed."""
        task, self._waiting = self._waiting, None
        if self._is_over and task is not None:
            self._is_over = False
            if task.uncancel() <= self._cancellings and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def close(self) -> None:
        """No wait comes after this one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._looks_at = None, _NEVER

    def _look_at(self, when: float) -> None:
        self._looks_at = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, _NEVER
        if self._waiting is None:
            return  # the next wait says its own deadline
        if self._loop.time() < self._deadline:
            self._look_at(self._deadline)
        else:
            self._is_over = True
            self._waiting.cancel()
