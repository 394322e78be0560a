"""Where no receiver is set, nothing of OpenTelemetry is loaded."""

import subprocess
import sys

from heliostat_telemetry.spans import open_spans

PROBE = """
import sys, heliostat_operator.main
from heliostat_telemetry.spans import open_spans
assert open_spans("x", "") is None
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_an_operator_without_a_receiver_loads_none_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_nobody_listens_without_an_address() -> None:
    assert open_spans("heliostat-api", "") is None
