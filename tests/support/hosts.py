"""Other processes on the same state folder, for tests of crashes and of two at once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heliostat_cli.embedded.folders import StateFolder

JOBS = """
import asyncio, sys
from pathlib import Path
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.jobs import JobController
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
folder = StateFolder(Path(sys.argv[1]))
asyncio.run(JobController(EmbeddedWorld(Store(folder.world_file)), folder).run())
"""
"""Runs Jobs alone."""

HOST = """
import asyncio, sys
from pathlib import Path
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.host import EmbeddedHost
from heliostat_gateway.settings import Settings
settings = Settings(default_provider="scripted")
async def main():
    await EmbeddedHost(StateFolder(Path(sys.argv[1])), gateway=settings).run()
asyncio.run(main())
"""
"""Runs everything, with the scripted provider."""


@contextmanager
def other_process(program: str, folder: StateFolder, log: Path) -> Iterator[None]:
    """That program on the state folder, killed (SIGKILL) at the end if it still runs."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder.root)], stdout=file, stderr=file
        )
    try:
        yield None
    finally:
        process.kill()
        process.wait()
