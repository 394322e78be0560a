"""The real Firestore emulator: one server, in which each test has a project of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port

READY_SECONDS = 60
_GONE_SECONDS = 10


class NoEmulatorError(Exception):
    """This machine can't run it; the text holds the remedy."""


@dataclass
class FirestoreEmulator:
    """The server, a group of processes: gcloud, a shell and Java."""

    address: str
    log: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Ends the whole group, at the latest by force."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GONE_SECONDS
        while self._is_there() and time.monotonic() < deadline:
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.log.read_text())
            time.sleep(0.05)

    def _is_there(self) -> bool:
        """Whether any process of the group is left."""
        self.process.poll()
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://{self.address}/", timeout=1) as answer,
        ):
            return bool(answer.status == 200)
        return False


@contextlib.contextmanager
def run_firestore(folder: Path, rules: Path | None = None) -> Iterator[FirestoreEmulator]:
    """An emulator that answers, with those security rules; ended afterwards.

    Raises NoEmulatorError.
    """
    gcloud = shutil.which("gcloud")
    if gcloud is None or shutil.which("java") is None or not _has_emulator(gcloud):
        raise NoEmulatorError(
            "no Firestore emulator on this machine. Remedy: install a Java runtime (11 or newer)"
            " and Google's command line with the component cloud-firestore-emulator"
            " (apt-get install google-cloud-cli-firestore-emulator)"
        )
    address = f"127.0.0.1:{free_port()}"
    command = [gcloud, "emulators", "firestore", "start", f"--host-port={address}", "--quiet"]
    command += [f"--rules={rules}"] if rules else []
    log = folder / "firestore.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "CLOUDSDK_CONFIG": str(folder / "gcloud")},
        )
    emulator = FirestoreEmulator(address, log, process)
    try:
        emulator.wait_until_ready()
        yield emulator
    finally:
        emulator.stop()


def _has_emulator(gcloud: str) -> bool:
    """Without the component gcloud would ask whether to install it, or fail late."""
    platform = Path(gcloud).resolve().parents[1] / "platform" / "cloud-firestore-emulator"
    return platform.is_dir()
