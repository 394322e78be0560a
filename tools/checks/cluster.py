"""The e2e tests' cluster and images, made before those tests start: stages of `.ci/run`.

Which cluster they take is decided by tests/support/cluster.py: this makes what that one finds.
`up` makes it and builds the images; `down` ends it, if `.ci/run` has made it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import images
from tools.machine import SELDOM, find_node_script, has_docker

OURS = "CHECKS_OWN_NODE"  # between processes of one run: no setting


def find_own_node() -> Path | None:
    """The node script that e2e tests would use on this machine."""
    if os.environ.get("HELIOSTAT_E2E") == "kubeconfig" or os.geteuid() != 0:
        return None
    return find_node_script()


def is_up(node: Path) -> bool:
    return subprocess.run([node, "status"], check=False, capture_output=True).returncode == 0


def up() -> None:
    if node := find_own_node():
        environ = {**os.environ, **dict([SELDOM])}
        subprocess.run([node, "up"], stdout=subprocess.DEVNULL, env=environ, check=True)
    elif os.environ.get("HELIOSTAT_E2E") == "kubeconfig":
        print("the cluster of KUBECONFIG has its images: none are built")
        return
    elif not (shutil.which("kind") and has_docker()):
        print("no cluster for e2e tests on this machine: no images are built")
        return
    images.main([])


def down() -> None:
    node = find_own_node()
    if node is None or not os.environ.get(OURS):
        print("nothing here is ours to end")
        return
    subprocess.run([node, "down"], check=True)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
