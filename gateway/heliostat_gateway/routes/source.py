"""Where the table of routes comes from while the gateway runs: a file that may change."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from heliostat_gateway.routes.checks import Knowledge
from heliostat_gateway.routes.reading import RoutesError, read_routes
from heliostat_gateway.routes.table import RouteTable

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_State: TypeAlias = tuple[int, int, int]


class RouteSource(Protocol):
    """The newest good table, and what is wrong with a newer one."""

    problem: str | None

    def current(self) -> RouteTable:
        """The table; the same object as long as nothing changed."""
        ...


class FixedRoutes:
    """A table that never changes; the empty one where there is no file."""

    def __init__(self, table: RouteTable | None = None) -> None:
        self.problem: str | None = None
        self._table = table or RouteTable()

    def current(self) -> RouteTable:
        """The table."""
        return self._table


class RoutesFile:
    """A routes file, looked at once a second at most. A broken one keeps the table before it."""

    def __init__(
        self, path: Path, known: Knowledge, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads the file. Raises RoutesError: the gateway does not start with a broken one."""
        self.problem: str | None = None
        self._path = path
        self._known = known
        self._clock = clock
        self._states: dict[Path, _State | None] = {path: _state(path)}
        self._table = self._read()
        self._looked = clock()

    def current(self) -> RouteTable:
        """The newest good table."""
        now = self._clock()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            # While it is broken it is read each time: what it lacks may be another file.
            if self.problem is not None or self._states != self._look():
                self._reload()
        return self._table

    def _look(self) -> dict[Path, _State | None]:
        return {path: _state(path) for path in self._states}

    def _reload(self) -> None:
        # Looked at before it is read: what is written meanwhile is seen the next time.
        self._states = self._look()
        try:
            self._table = self._read()
        except RoutesError as error:
            if self.problem != str(error):
                _LOG.error("the routes file is not used, the one before stays: %s", error)
            self.problem = str(error)
        else:
            self.problem = None
            _LOG.info("the routes file was read again")

    def _read(self) -> RouteTable:
        read = read_routes(self._path, self._known)
        self._states = {path: self._states.get(path, _state(path)) for path in read.files}
        return read.table


def _state(path: Path) -> _State | None:
    """What changes when a file is written or replaced; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
