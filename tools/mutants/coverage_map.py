"""Which unit tests pass which lines, kept in `.tools/mutants` until the product changes.

A test file that changes is recorded alone; when a module, a fixture or a library changes, all are.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.machine import ROOT
from tools.mutants.areas import product_files
from tools.mutants.recording import BETWEEN, FOLDER, RECORDS, Record

FOLDER_OF_MAPS = ROOT / ".tools" / "mutants"
UNIT_TESTS = ROOT / "tests" / "unit"
PASSED, FAILED, NO_TESTS = 0, 1, 5  # pytest's exit codes


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

    def add(self, record: Record) -> None:
        for test, seconds in record["seconds"].items():
            self.seconds[test] = seconds
            self.tests.setdefault(file_of(test), []).append(test)
        for test, files in record["lines"].items():
            for path, lines in files.items():
                passed = self.passed.setdefault(path, {})
                for line in lines:
                    passed.setdefault(line, set()).add(test)


def file_of(test: str) -> str:
    return test.partition("::")[0]


def read_map() -> CoverageMap:
    """The map of the code as it is, recorded first where it is missing. Raises RecordingError."""
    folder = FOLDER_OF_MAPS / _hash(_shared_files())
    folder.mkdir(parents=True, exist_ok=True)
    for other in FOLDER_OF_MAPS.iterdir():
        if other != folder:
            shutil.rmtree(other)
    kept = {_name(path): folder / f"{_hash([path])}.json" for path in _test_files()}
    missing = [name for name, record in kept.items() if not record.exists()]
    if missing:
        print(f"recording the lines that {len(missing)} test files pass ...", flush=True)
        _record(missing, kept, folder / "between.json")
    found = CoverageMap()
    for path in [*kept.values(), folder / "between.json"]:
        found.add(json.loads(path.read_text()))
    return found


def environment() -> dict[str, str]:
    """The environ of tests: the rows of sampled matrices are the same, however tests are chosen."""
    return os.environ | {"HELIOSTAT_TEST_SEED": "mutants", "COVERAGE_CORE": "ctrace"}


def _record(names: list[str], kept: dict[str, Path], between: Path) -> None:
    """Runs these test files and writes the record of each."""
    with tempfile.TemporaryDirectory(prefix="heliostat-mutants-") as folder:
        command = [sys.executable, "-m", "pytest", *names, "-q", "-n", "2", "--dist", "worksteal"]
        command += ["-p", "tools.mutants.recording", "-p", "no:cacheprovider"]
        command += ["--hypothesis-seed=0", f"--basetemp={folder}/tests"]
        set_environ = environment() | {FOLDER: folder}
        done = subprocess.run(
            command, cwd=ROOT, env=set_environ, capture_output=True, text=True, check=False
        )
        records: list[Record] = [
            json.loads(path.read_text()) for path in Path(folder).glob(RECORDS)
        ]
    failed = sorted({test for record in records for test in record["failed"]})
    if done.returncode not in (PASSED, FAILED, NO_TESTS):
        raise RecordingError(f"the unit tests do not run:\n{done.stdout[-4000:]}{done.stderr}")
    if not between.exists():
        imported = [record["lines"].get(BETWEEN, {}) for record in records]
        _write(between, {"seconds": {}, "failed": [], "lines": {BETWEEN: _union(imported)}})
    broken = {file_of(test) for test in failed}
    for name, record in _by_file(records, names):
        if name not in broken:
            _write(kept[name], record)
    if failed:
        raise RecordingError("tests fail without a mutant:\n" + "\n".join(failed))


def _write(path: Path, record: Record) -> None:
    path.write_text(json.dumps(record))


def _by_file(records: list[Record], names: list[str]) -> Iterator[tuple[str, Record]]:
    found: dict[str, Record] = {name: {"seconds": {}, "failed": [], "lines": {}} for name in names}
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
    """What all tests depend on."""
    tests = ROOT / "tests"
    shared = [*tests.rglob("conftest.py"), *(tests / "support").rglob("*.py")]
    return [*product_files(), *sorted(shared), ROOT / "uv.lock", ROOT / "pyproject.toml"]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _hash(paths: Iterable[Path]) -> str:
    """Of names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(_name(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
