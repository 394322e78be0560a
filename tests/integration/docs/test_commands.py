"""The commands of documentation that run agents on this machine."""

from pathlib import Path

import pytest

from support.documents import Script, copy_repository, find_scripts, run_script


@pytest.mark.parametrize("script", find_scripts("demo"), ids=str)
def test_a_pages_commands_run(script: Script, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    run_script(script, tmp_path, 200, {})
