"""The heliostat command and the embedded world."""

import time
from typing import Final

STARTED: Final = time.monotonic()
"""When this program began: nothing else of it is imported before."""
