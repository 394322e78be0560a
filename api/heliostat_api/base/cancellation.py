"""Cancellation of a task holds, whatever the library that it waits for does with it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keep_cancellation() -> Iterator[None]:
    """Raises CancelledError at the end of the block if the task was cancelled within it.

    The client of Redis may swallow a cancellation in the middle of a reconnect. Whoever waits for
    the task's end would then wait for good.
    """
    task = asyncio.current_task()
    assert task is not None, "a task of asyncio runs this"
    before = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError
