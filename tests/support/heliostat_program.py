"""The `heliostat` program of this environment, and what it is started with."""

import os
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "heliostat"


def build_environ(home: Path, **more: str) -> dict[str, str]:
    """Nothing of this machine's own Heliostat, no provider's key."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1", **more}
