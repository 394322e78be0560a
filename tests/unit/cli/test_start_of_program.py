"""What a command imports is what people wait for."""

import subprocess
import sys

import pytest

CODE = (
    "import sys, {module}; print(sorted({{'cel', 'jsonschema', 'kubernetes'}} & set(sys.modules)))"
)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("heliostat_cli.main", []), ("heliostat_cli.embedded.world", ["jsonschema"])],
)
def test_nothing_heavy_is_loaded_that_reading_does_not_need(module: str, heavy: list[str]) -> None:
    code = CODE.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(heavy)
