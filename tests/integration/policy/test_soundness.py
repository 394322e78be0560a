"""What is judged to read or to write inside does so: it runs under strace and is watched.

Nothing that is judged otherwise runs here, and what runs has no network and few rights, as far as
this machine can take them away.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliostat_policy.shell.readers import ANY_WORDS, READERS
from heliostat_policy.shell.writers import WRITERS
from support.generated_commands import FILES, harmless_command, is_harmless
from support.sampling import rows_of_landing
from support.shell_corpora import read_corpus
from support.traced_shell import Deeds, NoStraceError, find_strace, isolation, run_traced

# Besides the table: what judges by the program's own words, what wraps, and gzip of `tar -z`.
LISTED = {*READERS, *WRITERS, *ANY_WORDS, "sed", "awk", "gawk", "mawk", "jq", "find", "git"} | {
    "printf",
    "test",
    "[",
    "timeout",
    "nice",
    "nohup",
    "gzip",
    "xargs",
}
GENERATED = 2_000
FROM_LISTS = [
    each
    for each in (*read_corpus("everyday"), *read_corpus("nasty"))
    if is_harmless(each, "/workspace")
]


def _stratum(row: int) -> int:
    return row % 10


ROWS = rows_of_landing("soundness", range(GENERATED), _stratum, 0.03)


@pytest.fixture(scope="module")
def before() -> list[str]:
    try:
        find_strace()
    except NoStraceError as missing:
        pytest.skip(str(missing))
    return isolation()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a repository, and with files whose names are options."""
    folder = tmp_path_factory.mktemp("template") / "workspace"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@e.com"]
    subprocess.run([*git, "init", "-q", "--template="], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    return folder


@pytest.fixture
def workspace(template: Path) -> Iterator[Path]:
    """A copy in a folder that the user of the command can reach.

    pytest's own folders are closed to others, and closed again whenever another pytest starts.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(template, folder / "workspace")
        (folder / "home").mkdir()
        for each in (folder, *folder.rglob("*")):
            if os.geteuid() == 0:
                os.chown(each, 65534, 65534)
        yield folder / "workspace"


def check(command: str, workspace: Path, before: list[str]) -> Deeds:
    deeds = run_traced(command, workspace, workspace.parent / "home", before)
    assert deeds.connects == ()
    assert deeds.outside == ()
    started = {os.path.basename(each) for each in deeds.programs if each}
    first = ["timeout", "bash"]
    assert [os.path.basename(each) for each in deeds.programs[:2]] == first, deeds.said
    assert started - {"bash"} - LISTED == set()
    return deeds


@pytest.mark.parametrize("command", FROM_LISTS)
def test_what_is_harmless_in_the_lists_does_no_harm(
    command: str, workspace: Path, before: list[str]
) -> None:
    check(command, workspace, before)


@pytest.mark.parametrize("row", ROWS)
def test_what_is_harmless_and_made_by_chance_does_no_harm(
    row: int, workspace: Path, before: list[str]
) -> None:
    check(harmless_command(f"soundness/{row}"), workspace, before)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("exec 3<>/dev/tcp/127.0.0.1/1", "connects"),
        ("echo x > ../x", "outside"),
        ("touch ~/x", "outside"),
        ("mkdir sub/../../x", "outside"),
        ("mv a.txt ../a.txt", "outside"),
        ("ln -s /etc ../link", "outside"),
        ("ln -s .. link; touch link/x", "outside"),
    ],
)
def test_harm_is_noticed(command: str, what: str, workspace: Path, before: list[str]) -> None:
    deeds = run_traced(command, workspace, workspace.parent / "home", before)
    assert getattr(deeds, what) != ()


def test_a_program_that_is_not_listed_is_noticed(workspace: Path, before: list[str]) -> None:
    deeds = run_traced("env true", workspace, workspace.parent / "home", before)
    assert "/usr/bin/env" in deeds.programs
