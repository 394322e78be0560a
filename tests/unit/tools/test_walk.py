"""What a walk counts."""

import json
import socket
import threading
from pathlib import Path

from bench.walk.recorder import ROOT, Recorder, packages_of_ours
from bench.walk.tracer import REQUESTS, Code, Tracer, files_of

PLAN, BOOK, BEAT = ("a/plan.py", "plan"), ("a/book.py", "book"), ("a/beat.py", "beat")


def test_a_file_counts_that_every_request_passes() -> None:
    assert files_of([[PLAN, BOOK], [PLAN, BOOK]], [[]]) == ["a/book.py", "a/plan.py"]


def test_what_only_one_request_met_does_not_count() -> None:
    assert files_of([[PLAN], [PLAN, BEAT], [PLAN]], [[]]) == ["a/plan.py"]


def test_what_runs_anyway_does_not_count() -> None:
    assert files_of([[PLAN, BEAT], [PLAN, BEAT]], [[BEAT], [BEAT]]) == ["a/plan.py"]


def test_a_file_counts_that_ran_by_chance_while_nothing_was_asked() -> None:
    assert files_of([[PLAN], [PLAN]], [[], [PLAN], []]) == ["a/plan.py"]


def test_a_file_counts_for_the_code_in_it_that_does_not_run_anyway() -> None:
    flush = ("a/book.py", "flush")
    assert files_of([[BOOK, flush]], [[flush]]) == ["a/book.py"]


class Program:
    """A traced program, as a tracer sees it: a request leaves work for the two windows after it."""

    def __init__(self, port: int) -> None:
        self.left_when_asked: list[int] = []
        self._left = 0
        self._asked = False
        self._connection = socket.create_connection(("127.0.0.1", port))

    async def ask(self) -> None:
        self.left_when_asked.append(self._left)
        self._asked, self._left = True, 2

    def serve(self) -> None:
        """What a recorder does."""
        with self._connection, self._connection.makefile("rw", encoding="utf-8") as lines:
            for line in lines:
                found = self._begin() if line == "begin\n" else self._end()
                lines.write(f"{json.dumps(found)}\n")
                lines.flush()

    def _begin(self) -> list[Code]:
        self._asked = False
        return []

    def _end(self) -> list[Code]:
        if self._asked:
            return [PLAN, BEAT]
        self._left, found = max(0, self._left - 1), [BEAT, BOOK] if self._left else [BEAT]
        return found


async def test_a_request_begins_when_the_one_before_left_nothing_to_do() -> None:
    with Tracer(idle_seconds=0, quiet_seconds=0) as tracer:
        program = Program(tracer.port)
        serving = threading.Thread(target=program.serve, daemon=True)
        serving.start()
        assert await tracer.walk(program.ask) == ["a/plan.py"]
    serving.join(timeout=30)
    assert program.left_when_asked == [0] * (1 + REQUESTS)


def test_all_packages_of_ours_are_traced() -> None:
    names = {each.name for each in packages_of_ours()}
    assert {"heliostat_core", "heliostat_operator", "heliostat_gateway", "heliostat_api"} <= names


def test_calls_are_noted_in_every_thread_between_begin_and_end() -> None:
    recorder = Recorder([Path(__file__).parent])
    threading.settrace(recorder.see)
    try:
        _in_a_thread(_early)
        recorder.begin()
        _in_a_thread(_noted)
        found = recorder.end()
        _in_a_thread(_early)
    finally:
        threading.settrace(None)
    file = str(Path(__file__).relative_to(ROOT))
    assert (file, "_noted") in found
    assert (file, "_early") not in found
    assert recorder.end() == []


def _in_a_thread(work: object) -> None:
    assert callable(work)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _early() -> None:
    """Runs while nothing is noted."""


def _noted() -> None:
    """Runs while calls are noted."""
