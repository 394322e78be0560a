"""An event loop whose clock stands still until all tasks wait, then jumps to the next timer.

Tests of timers need neither sleep nor luck: an hour passes at once, and in order.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Answer = TypeVar("Answer")


class _Jump(selectors.DefaultSelector):
    """Instead of waiting for a timer, the loop's time is moved there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("every task waits and no timer is set")
        self.now += timeout
        return super().select(0)


class ManualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run(work: Coroutine[None, None, Answer]) -> Answer:
    """Run to the end in simulated time."""
    with asyncio.Runner(loop_factory=ManualLoop) as runner:
        return runner.run(work)
