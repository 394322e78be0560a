"""Which unit tests pass which lines, kept in `.tools/mutants`.

A test file is recorded again when it changes, or a module in which it passes a line; when a shared
fixture changes, all are.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from tools.machine import ROOT
from tools.mutants.areas import product_files
from tools.mutants.recording import BETWEEN, FOLDER, RECORDS, Record

FOLDER_OF_MAPS = ROOT / ".tools" / "mutants"
UNIT_TESTS = ROOT / "tests" / "unit"
PASSED, FAILED, NO_TESTS = 0, 1, 5  # pytest's exit codes
_MAPS = 3  # of branches that are worked on in turn


class RecordingError(Exception):
    """The unit tests do not pass as they are, so that no mutant can be judged."""


@dataclass
class CoverageMap:
    """What the tests passed when they ran on the code as it is."""

    seconds: dict[str, float] = field(default_factory=dict)  # by test
    tests: dict[str, list[str]] = field(default_factory=dict)  # by test file
    passed: dict[str, dict[int, set[str]]] = field(default_factory=dict)  # by file and line

    def tests_at(self, path: str, lines: Iterable[int]) -> frozenset[str]:
        """The tests that pass one of these lines; BETWEEN stands for what is no test."""
        passed = self.passed.get(path, {})
        return frozenset(test for line in lines for test in passed.get(line, ()))

    def add(
        self, seconds: Mapping[str, float], lines: Mapping[str, Mapping[str, Sequence[int]]]
    ) -> None:
        """What some tests passed, by test and file."""
        for test in seconds:
            self.seconds[test] = seconds[test]
            self.tests.setdefault(file_of(test), []).append(test)
        for test, files in lines.items():
            for path, numbers in files.items():
                passed = self.passed.setdefault(path, {})
                for number in numbers:
                    passed.setdefault(number, set()).add(test)


def file_of(test: str) -> str:
    return test.partition("::")[0]


class Kept(TypedDict):
    """The record of one test file, and what it depends on: itself and the modules it passes."""

    hashes: dict[str, str]
    seconds: dict[str, float]
    lines: dict[str, dict[str, list[int]]]


def read_map() -> CoverageMap:
    """The map of the code as it is, recorded first where it is missing. Raises RecordingError."""
    folder = FOLDER_OF_MAPS / _hash(_shared_files())
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for old in sorted(FOLDER_OF_MAPS.iterdir(), key=lambda each: each.stat().st_mtime)[:-_MAPS]:
        shutil.rmtree(old)
    names = [_name(path) for path in _test_files()]
    hashes = {_name(path): _hash([path]) for path in [*_test_files(), *product_files()]}
    missing = [name for name in names if not is_current(_read(folder, name), hashes)]
    if missing:
        print(f"recording the lines that {len(missing)} test files pass ...", flush=True)
        _record(missing, folder, hashes)
    found = CoverageMap()
    for name in [*names, BETWEEN]:
        if kept := _read(folder, name):
            found.add(kept["seconds"], kept["lines"])
    return found


def is_current(kept: Kept | None, hashes: Mapping[str, str]) -> bool:
    """Whether nothing has changed that the record depends on."""
    return kept is not None and all(
        hashes.get(name) == found for name, found in kept["hashes"].items()
    )


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace('/', '-') or 'between'}.json"


def _read(folder: Path, name: str) -> Kept | None:
    path = _file(folder, name)
    if not path.exists():
        return None
    kept: Kept = json.loads(path.read_text())
    return kept


def _write(folder: Path, name: str, kept: Kept) -> None:
    _file(folder, name).write_text(json.dumps(kept))


def environment() -> dict[str, str]:
    """The environ of tests: the rows of sampled matrices are the same, however tests are chosen."""
    return os.environ | {"HELIOSTAT_TEST_SEED": "mutants", "COVERAGE_CORE": "ctrace"}


def _record(names: list[str], folder: Path, hashes: Mapping[str, str]) -> None:
    """Runs these test files and writes the record of each. Raises RecordingError."""
    records = _run(names)
    lines = [record["lines"].get(BETWEEN, {}) for record in records]
    old = _read(folder, BETWEEN)
    between = (old["lines"][BETWEEN] if old else {}) | _union(lines)
    _write(folder, BETWEEN, {"hashes": {}, "seconds": {}, "lines": {BETWEEN: between}})
    failed = sorted({test for record in records for test in record["failed"]})
    broken = {file_of(test) for test in failed}
    for name, kept in _by_file(records, names):
        if name not in broken:
            passed = {path for files in kept["lines"].values() for path in files}
            kept["hashes"] = {path: hashes[path] for path in (name, *sorted(passed))}
            _write(folder, name, kept)
    if failed:
        raise RecordingError("tests fail without a mutant:\n" + "\n".join(failed))


def _run(names: list[str]) -> list[Record]:
    with tempfile.TemporaryDirectory(prefix="heliostat-mutants-") as temporary:
        command = [sys.executable, "-m", "pytest", *names, "-q", "-n", "2", "--dist", "worksteal"]
        command += ["-p", "tools.mutants.recording", "-p", "no:cacheprovider"]
        command += ["--hypothesis-seed=0", f"--basetemp={temporary}/tests"]
        set_environ = environment() | {FOLDER: temporary}
        done = subprocess.run(
            command, cwd=ROOT, env=set_environ, capture_output=True, text=True, check=False
        )
        if done.returncode not in (PASSED, FAILED, NO_TESTS):
            raise RecordingError(f"the unit tests do not run:\n{done.stdout[-4000:]}{done.stderr}")
        return [json.loads(path.read_text()) for path in Path(temporary).glob(RECORDS)]


def _by_file(records: list[Record], names: list[str]) -> Iterator[tuple[str, Kept]]:
    found: dict[str, Kept] = {name: {"hashes": {}, "seconds": {}, "lines": {}} for name in names}
    for record in records:
        for test, seconds in record["seconds"].items():
            found[file_of(test)]["seconds"][test] = seconds
            found[file_of(test)]["lines"][test] = record["lines"].get(test, {})
    return iter(found.items())


def _union(parts: list[dict[str, list[int]]]) -> dict[str, list[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for part in parts:
        for path, lines in part.items():
            found[path] |= set(lines)
    return {path: sorted(lines) for path, lines in found.items()}


def _test_files() -> list[Path]:
    return sorted(UNIT_TESTS.rglob("test_*.py"))


def _shared_files() -> list[Path]:
    """What all tests depend on, beside the modules that they pass."""
    tests = ROOT / "tests"
    shared = [*tests.rglob("conftest.py"), *(tests / "support").rglob("*.py")]
    ours = ROOT / "tools" / "mutants" / "recording.py"
    return [ours, *sorted(shared)]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _hash(paths: Iterable[Path]) -> str:
    """Of names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(_name(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
