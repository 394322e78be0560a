"""kubectl for tests: one client bound to one kubeconfig."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class KubectlError(AssertionError):
    """kubectl ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Kubectl:
    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Run it and return what it printed; raises KubectlError with its message."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def run(
        self, *arguments: str | Path, stdin: str | None = None, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes out; subprocess.TimeoutExpired after `seconds`."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    @contextlib.contextmanager
    def proxy(self) -> Iterator[str]:
        """Where the API is read without credentials, on this machine alone, in the block."""
        command = self.command("proxy", "--port=0", "--reject-methods=POST,PUT,PATCH,DELETE")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()  # Starting to serve on 127.0.0.1:40123
                assert "127.0.0.1:" in line, "kubectl proxy does not start"
                yield f"http://{line.split()[-1]}"
            finally:
                process.kill()

    def environment(self) -> dict[str, str]:
        """For programs that call it by themselves."""
        path = f"{self.program.parent}{os.pathsep}{os.environ['PATH']}"
        return {"KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """The same to run by oneself."""
        return [self.program, "--kubeconfig", self.kubeconfig, *arguments]
