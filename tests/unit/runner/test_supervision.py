"""A program that is watched to its end, over pipes that the test writes."""

from __future__ import annotations

import asyncio

import pytest

from heliostat_runner.processes import Child, Processes
from heliostat_runner.supervision import Ended, Shutdown, supervise
from heliostat_runner.watchdog import Rules, Signs, Stop
from support import manual_loop

RULES = Rules(deadline=1000, stall_seconds=60, tool_seconds=600, linger_seconds=30, max_tokens=5000)


class Heard:
    """Keeps the lines; one that says so breaks it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def out(self, line: bytes) -> None:
        if line == b"break":
            raise KeyError("no such tool")
        self.lines.append(line)

    def err(self, line: bytes) -> None:
        self.lines.append(b"err " + line)

    def signs(self) -> Signs:
        return Signs(moved=0, finished=None, tool_open=False, tokens=0)


class NoProcesses(Processes):
    """Has no child: the program and all that it started are gone when they are told to."""

    def __init__(self, *survivors: int) -> None:
        self._survivors = list(survivors)

    async def left_behind(self, child: Child) -> tuple[str, ...]:
        assert child.pid == 1
        return ()

    async def end(self, child: Child, polite_seconds: float) -> list[int]:
        assert (child.pid, polite_seconds) == (1, 5)
        return self._survivors


def make_child(exit_code: int | None = None) -> Child:
    exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    if exit_code is not None:
        exited.set_result(exit_code)
    return Child(1, asyncio.StreamReader(), asyncio.StreamReader(), exited)


def close(child: Child) -> None:
    child.stdout.feed_eof()
    child.stderr.feed_eof()


def test_what_a_program_wrote_before_it_exited_is_heard_to_the_end() -> None:
    async def work() -> tuple[Ended, list[bytes]]:
        child, heard = make_child(3), Heard()
        child.stdout.feed_data(b"one\ntwo")
        child.stderr.feed_data(b"three\n")
        close(child)
        ended = await supervise(NoProcesses(), child, heard, RULES, Shutdown())
        return ended, heard.lines

    ended, lines = manual_loop.run(work())
    assert ended == Ended(Stop.EXITED, 3, ())
    assert sorted(lines) == [b"err three", b"one", b"two"]


@pytest.mark.parametrize("writes_on", ["stdout", "stderr"])
def test_one_stream_that_is_closed_does_not_cut_the_other(writes_on: str) -> None:
    async def work() -> list[bytes]:
        child, heard = make_child(0), Heard()
        open_one, other = child.stdout, child.stderr
        if writes_on == "stderr":
            open_one, other = other, open_one
        other.feed_eof()
        loop = asyncio.get_running_loop()
        loop.call_later(1, open_one.feed_data, b"late\n")
        loop.call_later(2, open_one.feed_eof)
        await supervise(NoProcesses(), child, heard, RULES, Shutdown())
        return heard.lines

    assert manual_loop.run(work()) in ([b"late"], [b"err late"])


def test_a_pipe_that_a_survivor_holds_open_does_not_keep_the_run() -> None:
    async def work() -> tuple[Ended, float]:
        child = make_child(0)
        ended = await supervise(NoProcesses(77), child, Heard(), RULES, Shutdown())
        return ended, asyncio.get_running_loop().time()

    assert manual_loop.run(work()) == (Ended(Stop.EXITED, 0, (77,)), 5)


def test_a_watcher_that_breaks_is_no_silence() -> None:
    async def work() -> None:
        child = make_child(0)
        child.stdout.feed_data(b"break\n")
        close(child)
        await supervise(NoProcesses(), child, Heard(), RULES, Shutdown())

    with pytest.raises(KeyError, match="no such tool"):
        manual_loop.run(work())


def test_lines_are_the_same_however_the_pipe_cuts_them() -> None:
    text = b"a long one\n\nb\nc\nthe last"

    async def work(piece: int) -> list[bytes]:
        child, heard = make_child(), Heard()
        loop = asyncio.get_running_loop()
        pieces = [text[begin : begin + piece] for begin in range(0, len(text), piece)]
        for number, each in enumerate(pieces):
            loop.call_later(number, child.stdout.feed_data, each)
        loop.call_later(len(pieces), close, child)
        loop.call_later(len(pieces), child.exited.set_result, 0)
        await supervise(NoProcesses(), child, heard, RULES, Shutdown())
        return heard.lines

    for piece in range(1, len(text) + 1):
        assert manual_loop.run(work(piece)) == [b"a long one", b"", b"b", b"c", b"the last"]


def test_a_second_sigterm_gives_no_more_time() -> None:
    async def work() -> float:
        shutdown = Shutdown()
        assert shutdown.polite_seconds(0) == 5
        shutdown.request(20)
        shutdown.request(200)
        return shutdown.polite_seconds(10)

    assert manual_loop.run(work()) == 5
