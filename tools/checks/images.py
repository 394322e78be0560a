"""The e2e tests' cluster and images, made before those tests start: a stage of `.ci/run`.

Which cluster they take is decided by tests/support/cluster.py: this makes what that one finds.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import images
from tools.machine import find_node_script, has_docker


def find_own_node() -> Path | None:
    """The node script that e2e tests would use on this machine."""
    if os.environ.get("HELIOSTAT_E2E") == "kubeconfig" or os.geteuid() != 0:
        return None
    return find_node_script()


def main() -> int:
    if script := find_own_node():
        subprocess.run([script, "up"], stdout=subprocess.DEVNULL, check=True)
    elif os.environ.get("HELIOSTAT_E2E") == "kubeconfig":
        print("the cluster of KUBECONFIG has its images: none are built")
        return 0
    elif not (shutil.which("kind") and has_docker()):
        print("no cluster for e2e tests on this machine: no images are built")
        return 0
    images.main([])
    return 0


if __name__ == "__main__":
    sys.exit(main())
