"""All mutants of a sample, two at a time; each has a deadline."""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from tools.mutants.coverage_map import CoverageMap, environment, file_of
from tools.mutants.places import Mutation
from tools.mutants.trial import Trial, attempt

Chosen = Sequence[tuple[Mutation, frozenset[str]]]  # each mutant with its tests

AT_ONCE = 2
CONTROLS = 4
START_SECONDS = 60.0  # for imports and collection, on a machine that has other work
TIMES_SLOWER = 5.0


class ControlError(Exception):
    """Tests fail on the code as it is when they run as they do for a mutant."""


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    NOT_COVERED = "not covered"


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant, and who noticed it."""

    mutation: Mutation
    outcome: Outcome
    by: str = ""
    tests: int = 0


def build_trial(mutation: Mutation, tests: frozenset[str], passed: CoverageMap) -> Trial:
    """The files with the quickest tests first: most mutants die early."""
    seconds: dict[str, float] = {}
    for test in tests:
        seconds[file_of(test)] = seconds.get(file_of(test), 0.0) + passed.seconds[test]
    files = sorted(seconds, key=lambda name: (seconds[name], name))
    others = {test for name in files for test in passed.tests[name]} - tests
    return Trial(
        mutation.source.module,
        mutation.text,
        tuple(files),
        frozenset(others),
        sum(seconds.values()),
    )


@dataclass
class _Running:
    mutation: Mutation
    tests: int
    process: ForkProcess
    answers: Connection
    folder: tempfile.TemporaryDirectory[str]
    deadline: float

    def verdict(self) -> Verdict:
        """A process that ended without an answer was killed by what the mutant did."""
        by = "its process died"
        if time.monotonic() >= self.deadline and not self.answers.poll():
            by = "it did not end"
        elif self.answers.poll():
            with contextlib.suppress(EOFError):
                by = self.answers.recv()
        outcome = Outcome.KILLED if by else Outcome.SURVIVED
        return Verdict(self.mutation, outcome, by, self.tests)

    def end(self) -> None:
        """With all that its tests have started."""
        try:
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        except ProcessLookupError:
            self.process.kill()
        self.process.join()
        self.folder.cleanup()


def control(chosen: Chosen, passed: CoverageMap) -> None:
    """Runs the tests of some mutants on the code as it is. Raises ControlError when one fails."""
    unchanged = [(replace(each, edits=()), tests) for each, tests in chosen if tests]
    for verdict in run(unchanged[:: max(1, len(unchanged) // CONTROLS)][:CONTROLS], passed):
        if verdict.outcome is Outcome.KILLED:
            raise ControlError(f"without a mutant: {verdict.by} ({verdict.mutation.place})")


def run(chosen: Chosen, passed: CoverageMap) -> Iterator[Verdict]:
    """The verdicts as they come."""
    os.environ.update(environment())
    waiting = deque(chosen)
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                mutation, tests = waiting.popleft()
                if tests:
                    running.append(_start(mutation, tests, passed))
                else:
                    yield Verdict(mutation, Outcome.NOT_COVERED)
            for each in _ended(running):
                running.remove(each)
                verdict = each.verdict()
                each.end()
                yield verdict
    finally:
        for each in running:
            each.end()


def _ended(running: list[_Running]) -> list[_Running]:
    if not running:
        return []
    left = min(each.deadline for each in running) - time.monotonic()
    ready = wait([each.answers for each in running], max(0.0, left))
    now = time.monotonic()
    return [each for each in running if each.answers in ready or now >= each.deadline]


def _start(mutation: Mutation, tests: frozenset[str], passed: CoverageMap) -> _Running:
    trial = build_trial(mutation, tests, passed)
    folder = tempfile.TemporaryDirectory(prefix="heliostat-mutant-", ignore_cleanup_errors=True)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(trial, Path(folder.name), theirs))
    process.start()
    theirs.close()
    seconds = START_SECONDS + TIMES_SLOWER * trial.seconds
    deadline = time.monotonic() + seconds
    return _Running(mutation, len(tests), process, ours, folder, deadline)


def _work(trial: Trial, folder: Path, answers: Connection) -> None:
    os.setsid()
    try:
        answers.send(attempt(trial, folder))
    finally:
        os._exit(0)  # threads that a mutant left do not keep it
