"""What a walk counts."""

import threading
from pathlib import Path

from bench.walk.recorder import ROOT, Recorder, packages_of_ours
from bench.walk.tracer import files_of

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
