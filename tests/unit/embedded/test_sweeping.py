"""Which processes are a pod's own, as /proc tells it, and that none is overlooked."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliostat_cli.embedded import processes, supervisors
from heliostat_cli.embedded.processes import look, marked
from heliostat_cli.embedded.supervisors import PodFolder

RUNNING, ZOMBIE = "R", "Z"
KERNEL_THREAD = 0x00200040


@dataclass(frozen=True)
class Proc:
    """A /proc of a test's own."""

    root: Path
    pod: Path

    def add(self, pid: int, environ: bytes, state: str = RUNNING, flags: int = 0) -> None:
        folder = self.root / str(pid)
        folder.mkdir()
        (folder / "environ").write_bytes(environ)
        (folder / "stat").write_text(f"{pid} (a b) {state} 1 1 1 0 -1 {flags} 0 0")

    def mark(self, pid: int) -> None:
        (self.root / str(pid) / "environ").write_bytes(self.of_pod)

    def remove(self, pids: list[int]) -> None:
        for pid in pids:
            shutil.rmtree(self.root / str(pid))

    @property
    def of_pod(self) -> bytes:
        return b"A=b\0TMPDIR=" + bytes(self.pod / "tmp") + b"\0"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proc:
    made = Proc(tmp_path / "proc", tmp_path / "pod")
    made.root.mkdir()
    made.pod.mkdir()
    monkeypatch.setattr(processes, "_PROC", made.root)
    return made


def test_a_pods_processes_are_those_with_a_value_below_its_folder(proc: Proc) -> None:
    proc.add(11, proc.of_pod)
    proc.add(12, b"TMPDIR=" + bytes(proc.pod) + b"-of-another/tmp\0")
    proc.add(13, b"A=b\0")
    assert marked(proc.pod) == [11]


def test_a_process_whose_program_is_just_being_replaced_shows_no_environment(proc: Proc) -> None:
    proc.add(11, b"")
    proc.add(12, b"", ZOMBIE)
    proc.add(13, b"", RUNNING, KERNEL_THREAD)
    assert look(proc.pod) == ([], [11])


async def test_a_sweep_waits_for_a_program_that_is_just_being_replaced(
    proc: Proc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "kill", proc.remove)
    proc.add(11, b"")
    asyncio.get_running_loop().call_later(0.1, proc.mark, 11)
    await PodFolder(proc.pod).sweep()
    assert not list(proc.root.iterdir())


async def test_a_sweep_does_not_wait_for_a_program_without_an_environment(
    proc: Proc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "kill", proc.remove)
    proc.add(11, b"")
    async with asyncio.timeout(5):
        await PodFolder(proc.pod).sweep()
    assert [each.name for each in proc.root.iterdir()] == ["11"]
