"""One mutant in a process of its own: the module's text is replaced as it is imported.

The work tree stays as it is, and so does `__file__`. Programs that a test starts run our code
unchanged.
"""

import contextlib
import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

MOST_MEMORY = 4 << 30  # a list that grows without an end
PASSED, NO_TESTS = 0, 5  # pytest's exit codes


@dataclass(frozen=True)
class Trial:
    """A module with its mutated text, and the tests that are asked."""

    module: str
    text: str
    files: tuple[str, ...]  # in the order in which they are tried
    skipped: frozenset[str]  # tests of these files that do not pass the line
    seconds: float  # that the tests take without a mutant


class MutatedLoader(SourceFileLoader):
    """Compiles another text than that of the file."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        code = compile(self._text, self.path, "exec", dont_inherit=True)
        assert isinstance(code, CodeType)
        return code


class MutatedFinder(MetaPathFinder):
    """Finds one module, as it is when mutated."""

    def __init__(self, module: str, text: str) -> None:
        self._module = module
        self._text = text

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin:
            spec.loader = MutatedLoader(fullname, spec.origin, self._text)
        return spec


class Chosen:
    """A plugin that leaves the other tests of these files out, and says which test failed."""

    def __init__(self, skipped: frozenset[str]) -> None:
        self._skipped = skipped
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self._skipped]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def attempt(trial: Trial, folder: Path) -> str:
    """Who noticed the mutant: a test, or "import"; "" when nobody did. In a process of its own."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    os.environ.update(TMPDIR=str(folder), HYPOTHESIS_STORAGE_DIRECTORY=str(folder / "hypothesis"))
    tempfile.tempdir = None
    sys.meta_path.insert(0, MutatedFinder(trial.module, trial.text))
    chosen = Chosen(trial.skipped)
    with (folder / "output").open("w") as output, _printing_to(output.fileno()):
        code = pytest.main(
            [
                *trial.files,
                *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
                *("--hypothesis-seed=0", f"--basetemp={folder / 'tests'}"),
                # The parent has imported them for all.
                *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
            ],
            plugins=[chosen],
        )
    if code in (PASSED, NO_TESTS):
        return ""
    return chosen.failed or "import"


@contextlib.contextmanager
def _printing_to(output: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(output, 2)
    yield
    sys.stdout.flush()
    sys.stderr.flush()
