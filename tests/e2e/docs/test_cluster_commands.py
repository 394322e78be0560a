"""The commands of documentation that need a cluster."""

import os
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.documents import Script, copy_repository, find_scripts, run_script


@pytest.mark.parametrize("script", find_scripts("cluster"), ids=str)
def test_a_pages_commands_run(script: Script, cluster: Cluster, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    kubectl = cluster.kubectl
    path = f"{kubectl.program.parent}{os.pathsep}{os.environ['PATH']}"
    run_script(script, tmp_path, 280, {"KUBECONFIG": str(kubectl.kubeconfig), "PATH": path})
