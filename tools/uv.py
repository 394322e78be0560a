"""Print the path of the pinned uv; fetch it from PyPI into .tools/ when the machine has none.

Runs on a bare Python (>= 3.11, standard library only), before anything is installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.13.9"
TOOLS = Path(__file__).resolve().parent.parent / ".tools"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def is_pinned(uv: Path) -> bool:
    """Whether this program runs here and is exactly the pinned version."""
    try:
        answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.split()[1:2] == [VERSION]


def installers(folder: Path) -> list[list[list[str]]]:
    """Ways to install, in the order to try: pip as it is, else pip of a fresh venv."""
    package = ["--quiet", "--disable-pip-version-check", f"uv=={VERSION}"]
    venv = folder / "venv"
    return [
        [[sys.executable, "-m", "pip", "install", "--target", str(folder), "--upgrade", *package]],
        [
            [sys.executable, "-m", "venv", str(venv)],
            [str(venv / "bin" / "python"), "-m", "pip", "install", *package],
        ],
    ]


def fetch(folder: Path) -> Path:
    """Install the pinned uv into the folder and return its path; SystemExit when no way works."""
    say(f"uv {VERSION} is not here: fetching it from PyPI into {folder} (18 MB, once) ...")
    errors: list[str] = []
    for commands in installers(folder):
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            errors.append((done.stderr or done.stdout).strip()[-500:])
            if done.returncode != 0:
                break
        for uv in (folder / "bin" / "uv", folder / "venv" / "bin" / "uv"):
            if is_pinned(uv):
                say(f"uv {VERSION} is ready.")
                return uv
    raise SystemExit(
        "uv could not be fetched:\n  "
        + "\n  ".join(errors)
        + f"\nRemedy: make `{sys.executable} -m pip` or `-m venv` work (Debian: apt-get install"
        f" python3-venv), check the connection to PyPI, or put uv {VERSION} on PATH."
    )


def find() -> Path:
    folder = TOOLS / f"uv-{VERSION}"
    on_path = shutil.which("uv")
    candidates = [Path(on_path)] if on_path else []
    candidates += [folder / "bin" / "uv", folder / "venv" / "bin" / "uv"]
    return next((uv for uv in candidates if is_pinned(uv)), None) or fetch(folder)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this one script meets any Python
        raise SystemExit(
            f"{sys.executable} is Python {sys.version.split()[0]}, Heliostat needs 3.11 or newer."
            " Remedy: make PYTHON=/path/to/python3.11 ..."
        )
    print(find())
