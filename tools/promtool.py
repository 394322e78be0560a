"""promtool: of this machine, else unpacked from Debian's package. No daemon is started.

`python -m tools.promtool` says where it is, and fetches it where it is not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.machine import ROOT

UNPACKED = ROOT / ".tools" / "prometheus"
REMEDY = (
    "no promtool on this machine, and Debian's package prometheus is not to be had. Remedy: "
    "apt-get update, or put a promtool onto the PATH"
)
_SECONDS = 120


class NoPromtoolError(Exception):
    """The text holds the remedy."""


def find_promtool() -> Path:
    """Its path. Raises NoPromtoolError."""
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    program = UNPACKED / "usr" / "bin" / "promtool"
    if not program.exists():
        _unpack()
    return program


def _unpack() -> None:
    """Fetches 20 MB, once; a second process that does the same at once does no harm."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NoPromtoolError(REMEDY)
    fetching = UNPACKED.with_name(f"prometheus-{os.getpid()}")
    fetching.mkdir(parents=True)
    try:
        _run(fetching, "apt-get", "download", "prometheus")
        (package,) = fetching.glob("prometheus_*.deb")
        _run(fetching, "dpkg", "-x", package.name, ".")
        package.unlink()
        if not UNPACKED.exists():
            fetching.rename(UNPACKED)
    except (subprocess.SubprocessError, ValueError) as error:
        raise NoPromtoolError(REMEDY) from error
    finally:
        shutil.rmtree(fetching, ignore_errors=True)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)


def main() -> int:
    """0 with its path, 1 with the remedy."""
    try:
        print(find_promtool())
    except NoPromtoolError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
