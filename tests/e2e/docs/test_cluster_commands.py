"""The commands of documentation that need a cluster."""

from pathlib import Path

import pytest

from support.documents import Script, copy_repository, find_scripts, run_script
from support.site import Site


@pytest.mark.parametrize("script", find_scripts("cluster"), ids=str)
def test_a_pages_commands_run(script: Script, site: Site, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    site.clear()  # a page installs and removes by itself
    run_script(script, tmp_path, 280, site.cluster.kubectl.environment())
