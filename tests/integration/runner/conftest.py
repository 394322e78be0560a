"""A pod made of folders: the runner as a program, real Claude Code, a scripted model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from support.builders.run_documents import SESSION, make_run_document

from .anthropic_stub import AnthropicStub, Script

KEY = "hx-execution-key-of-the-test"
RESUME = {"id": SESSION, "resume": True}


class Running:
    """One runner process."""

    def __init__(self, process: subprocess.Popen[bytes], pod: Pod) -> None:
        self.process = process
        self._pod = pod

    def wait(self, timeout: float = 120) -> Left:
        """Waits for the end and takes over what the runner left."""
        try:
            stdout, stderr = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"the runner hangs:\n{stderr.decode()}{stdout.decode()}") from None
        return Left(self.process.returncode, stdout, stderr.decode(), self._pod)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def descendant(self, name: str, timeout: float = 90) -> psutil.Process:
        """The first descendant whose command line holds `name`, waited for."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                try:
                    if name in " ".join(child.cmdline()):
                        return child
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.01)
        raise AssertionError(f"no descendant {name!r} after {timeout} s")


class Left:
    """What a runner left behind."""

    def __init__(self, exit_code: int, stdout: bytes, stderr: str, pod: Pod) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        log = pod.root / "termination-log"
        self.message = log.read_bytes() if log.exists() else b""
        self.result = json.loads(self.message) if self.message else {}
        paths = sorted((pod.workspace / ".heliostat").glob("transcript-*.jsonl"))
        self.transcript = (
            [json.loads(line) for line in paths[-1].read_text().splitlines()] if paths else []
        )

    @property
    def ending(self) -> tuple[str, str, int]:
        return self.result["outcome"], self.result["reason"], self.exit_code


class Pod:
    """The folders of a pod; `write` makes the run document, `start` the runner."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.workspace = root / "workspace"
        self.run_dir = root / "run"
        self.workspace.mkdir()
        self.run_dir.mkdir()
        (self.run_dir / "key").write_text(KEY)
        self._url = url
        self.started: list[subprocess.Popen[bytes]] = []

    def write(self, **changes: object) -> None:
        (self.run_dir / "run.json").write_text(json.dumps(make_run_document(self._url, **changes)))

    def start(self, **environ: str) -> Running:
        (self.root / "termination-log").unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "heliostat_runner"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root,
            env={
                "PATH": os.environ["PATH"],
                "HELIOSTAT_RUN_DIR": str(self.run_dir),
                "HELIOSTAT_WORKSPACE": str(self.workspace),
                "HELIOSTAT_TERMINATION_LOG": str(self.root / "termination-log"),
                **environ,
            },
        )
        self.started.append(process)
        return Running(process, self)

    def run(self, *, timeout: float = 120, **environ: str) -> Left:
        return self.start(**environ).wait(timeout)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture
def serve() -> Iterator[Callable[[Script], AnthropicStub]]:
    """Starts a model that follows a script."""
    stubs: list[AnthropicStub] = []

    def start(script: Script) -> AnthropicStub:
        stubs.append(AnthropicStub(script))
        return stubs[-1]

    yield start
    for stub in stubs:
        stub.close()


@pytest.fixture
def make_pod(tmp_path: Path) -> Iterator[Callable[[str], Pod]]:
    """Makes the folders of a pod whose gateway is at the URL."""
    pods: list[Pod] = []

    def make(url: str) -> Pod:
        root = tmp_path / f"pod-{len(pods)}"
        root.mkdir()
        pods.append(Pod(root, url))
        return pods[-1]

    yield make
    for pod in pods:
        pod.close()
