"""A state folder and its world; nothing of a test's processes outlives it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.processes import marked
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    yield folder
    for pid in marked(folder.root):  # whatever a failed test left
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()


@pytest.fixture
def world(folder: StateFolder) -> Iterator[EmbeddedWorld]:
    store = Store(folder.world_file)
    yield EmbeddedWorld(store, manager="test-jobs")
    store.close()
