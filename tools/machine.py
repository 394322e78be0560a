"""What this machine has: the commit that is checked out, programs of a control plane, a cluster."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("etcd", "kube-apiserver", "kubectl")
SELDOM = ("GOGC", "300")
"""Go's garbage is collected less often: API servers of tests take a fifth less of the processor."""
ENVTEST_FOLDER = Path("/usr/local/kubebuilder/bin")


def read_commit() -> str:
    """The first letters of the commit that is checked out; `none` outside of a clone."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "none"
    return done.stdout.strip() or "none"


def find_node_script() -> Path | None:
    """The script that makes a node without Docker: in HELIOSTAT_KUBE, or beside us."""
    folder = Path(os.environ.get("HELIOSTAT_KUBE") or ROOT.parent / "shared" / "kube")
    script = folder / "cluster"
    return script if os.access(script, os.X_OK) else None


def find_control_plane_programs() -> Path | None:
    """A folder with etcd, kube-apiserver and kubectl, or None when the machine has none.

    Raises FileNotFoundError when KUBEBUILDER_ASSETS names a folder that lacks one of them: what a
    person asked for by name is never passed over.
    """
    named = os.environ.get("KUBEBUILDER_ASSETS")
    if named:
        missing = [name for name in NEEDED if not (Path(named) / name).exists()]
        if missing:
            raise FileNotFoundError(f"KUBEBUILDER_ASSETS={named!r} has no {', '.join(missing)}")
        return Path(named)
    if all((ENVTEST_FOLDER / name).exists() for name in NEEDED):
        return ENVTEST_FOLDER
    script = find_node_script()
    return unpack_programs(script) if script else None


def unpack_programs(script: Path) -> Path:
    answer = subprocess.run([script, "bin"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(answer.stdout.strip())


def has_docker() -> bool:
    """Whether a Docker daemon answers, not only whether its client is installed."""
    docker = shutil.which("docker")
    if not docker:
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0
