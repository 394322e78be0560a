"""What must hold before a change lands: `.ci/run`.

Works on a clean clone with nothing but Python >= 3.11 and make. Stages run side by side where
tools.checks.stages lets them; each writes to a file that is printed whole when the stage ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.checks import processes
from tools.checks.cluster import OURS, find_own_node, is_up
from tools.checks.stages import STAGES, Stage, find_ready
from tools.checks.summary import Result, format_result, format_summary
from tools.machine import ROOT

_INTERRUPT_SECONDS = 60  # for fixtures that end what they have started


@dataclass(frozen=True)
class Running:
    """A stage whose process has not ended."""

    stage: Stage
    process: subprocess.Popen[bytes]
    began: float
    output: Path

    def read_output(self) -> str:
        return self.output.read_text(errors="replace").rstrip()


@dataclass
class Run:
    """One run of all stages; their output is kept in the folder until they end."""

    folder: Path
    is_cluster_ours: bool
    running: dict[int, Running] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    results: dict[str, Result] = field(default_factory=dict)

    def execute(self) -> None:
        """All stages, each as soon as those before it have ended."""
        self._start_what_is_ready()
        while self.running:
            if ended := processes.wait_for_any():
                self._note(ended)
                self._start_what_is_ready()

    def interrupt(self) -> None:
        """Ends the stages that run; what they have said is printed."""
        for pid in self.running:
            processes.interrupt(pid)
        deadline = time.monotonic() + _INTERRUPT_SECONDS
        while self.running and time.monotonic() < deadline:
            if ended := processes.wait_for_any(os.WNOHANG):
                self._note(ended)
            else:
                time.sleep(0.1)
        for known in self.running.values():
            print(f"=== {known.stage.name}, cut off\n{known.read_output()}")

    def is_good(self) -> bool:
        outcomes = [each.outcome for each in self.results.values()]
        return outcomes == ["ok"] * len(STAGES)

    def _start_what_is_ready(self) -> None:
        for stage in list(find_ready(STAGES, self.started, self.results)):
            self.started.add(stage.name)
            path = self.folder / f"{stage.name}.log"
            with path.open("wb") as output:
                process = processes.start(stage.command, output, self._build_environ())
            self.running[process.pid] = Running(stage, process, time.monotonic(), path)
            print(f"... {stage.name} has begun", flush=True)

    def _build_environ(self) -> dict[str, str]:
        environ = {"CI": "true", **os.environ, "PYTHONUNBUFFERED": "1"}
        if self.is_cluster_ours:
            environ[OURS] = "true"
        images = self.results.get("images")
        if images is not None and images.outcome == "ok":
            environ["HELIOSTAT_E2E_IMAGES"] = "built"
        return environ

    def _note(self, ended: processes.Ended) -> None:
        known = self.running.pop(ended.pid, None)
        if known is None:  # an orphan of a stage
            return
        known.process.returncode = ended.status  # nobody else may wait for it
        outcome = "ok" if ended.status == 0 else "FAILED"
        wall = time.monotonic() - known.began
        result = Result(known.stage.name, outcome, wall, ended.cpu_seconds)
        self.results[result.name] = result
        print(f"=== {result.name}\n{known.read_output()}")
        print(f"--- {format_result(result)}", flush=True)


def main() -> int:
    os.chdir(ROOT)
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    node = find_own_node()
    is_ours = node is not None and not is_up(node)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="heliostat-checks-"))
    run = Run(folder, is_ours)
    try:
        run.execute()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        run.interrupt()
        if node is not None and is_ours:
            subprocess.run([node, "down"], check=False, capture_output=True)
        if left := processes.end_children():
            print(f"left running by a stage, and ended: {', '.join(sorted(left))}")
        shutil.rmtree(folder, ignore_errors=True)
    results = list(run.results.values())
    print("=== summary")
    print(format_summary(results, time.monotonic() - began, processes.count_cpu_seconds()))
    return 0 if run.is_good() else 1


if __name__ == "__main__":
    sys.exit(main())
