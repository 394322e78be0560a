"""heliostat-runner: runs one attempt of an Execution, leaves with the exit code of its reason."""

from __future__ import annotations

import asyncio
import os
import sys

from .program import run


def main() -> None:
    sys.exit(asyncio.run(run(os.environ)))


if __name__ == "__main__":
    main()
