"""Follows one run to its end: status and log in, lines on a screen out."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path

from heliostat_cli.errors import CliError
from heliostat_cli.progress import Progress, render_line
from heliostat_cli.screen import Screen
from heliostat_cli.steps import Narrator
from heliostat_cli.summary import Workspace
from heliostat_cli.worlds import OpenWorld
from heliostat_core.executions import Execution
from heliostat_core.resources import ref_of
from heliostat_core.worlds import (
    EXECUTION,
    POD,
    InvalidError,
    NotFoundError,
    Ref,
    Selection,
    UnavailableError,
)

_SETTLE_SECONDS = 15.0
_LOG_SECONDS = 5.0
_RECONNECT_SECONDS = 1.0
_TICK_SECONDS = 1.0
_HIDDEN = (".heliostat", ".claude", "__pycache__")


class Follower:
    """Follows one Execution. `narrator` holds what its log told."""

    def __init__(
        self,
        opened: OpenWorld,
        screen: Screen,
        clock: Callable[[], datetime],
        *,
        with_log: bool = True,
    ) -> None:
        self._with_log = with_log
        self._opened = opened
        self._screen = screen
        self._clock = clock
        self._progress = Progress()
        self._logs: dict[str, asyncio.Task[None]] = {}
        self._last: Execution | None = None
        self.narrator = Narrator()

    async def follow(self, ref: Ref) -> Execution:
        """The finished Execution, settled if that comes soon. Raises CliError once it is gone."""
        last: Execution | None = None
        ticking = asyncio.create_task(self._tick())
        try:
            with suppress(TimeoutError):
                async with (
                    asyncio.timeout(None) as deadline,
                    aclosing(self._versions(ref)) as versions,
                ):
                    async for last in versions:
                        self._last = last
                        self._see(last)
                        if last.is_finished and deadline.when() is None:
                            deadline.reschedule(_in_seconds(_SETTLE_SECONDS))
                        if last.is_finished and last.is_settled:
                            break
            await self._end_logs()
        finally:
            for task in (ticking, *self._logs.values()):
                task.cancel()
        if last is None:
            raise CliError(f"execution {ref.name!r} is gone")
        return last

    async def _versions(self, ref: Ref) -> AsyncGenerator[Execution, None]:
        """Every state of the Execution, over reconnections."""
        selection = Selection(namespace=ref.namespace, fields={"metadata.name": ref.name})
        while True:
            try:
                async for change in self._opened.world.watch(EXECUTION, selection):
                    if change.type == "DELETED":
                        raise CliError(
                            f"execution {ref.name!r} was deleted while it was followed",
                            "`heliostat describe agent` shows the events of a deletion.",
                        )
                    yield Execution.model_validate(change.object)
            except UnavailableError as error:
                self._screen.line(f"the world does not answer, trying again: {error}")
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _tick(self) -> None:
        """Time passes without a change, too."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if self._last is not None:
                self._see(self._last)

    def _see(self, execution: Execution) -> None:
        now = self._clock()
        for line in self._progress.tell(execution, now):
            self._screen.line(line)
        self._screen.status(render_line(execution, self.narrator, now))
        attempt = execution.current_attempt
        if attempt is None or attempt.pod_name is None or attempt.start_time is None:
            return
        if self._with_log and attempt.pod_name not in self._logs:
            pod = Ref(POD, execution.metadata.namespace, attempt.pod_name)
            self._logs[attempt.pod_name] = asyncio.create_task(self._tail(pod, execution))

    async def _tail(self, pod: Ref, execution: Execution) -> None:
        try:
            async for line in self._opened.logs.read_log(pod.namespace, pod.name, follow=True):
                for told in self.narrator.tell(line):
                    self._screen.line(told)
                self._screen.status(render_line(execution, self.narrator, self._clock()))
        except (NotFoundError, InvalidError, UnavailableError) as error:
            self._screen.line(f"no log of {pod.name}: {error}")

    async def _end_logs(self) -> None:
        """The last lines come a moment after the status."""
        if self._logs:
            await asyncio.wait(self._logs.values(), timeout=_LOG_SECONDS)


async def find_workspace(opened: OpenWorld, execution: Execution) -> Workspace | None:
    """The folder of the last attempt, when it is on this machine."""
    attempt = execution.current_attempt
    if attempt is None or attempt.pod_name is None:
        return None
    pod = await opened.world.get(Ref(POD, execution.metadata.namespace, attempt.pod_name))
    folder = opened.workspace_of(pod) if pod else None
    return Workspace(folder, list_files(folder)) if folder else None


def list_files(folder: Path) -> tuple[str, ...]:
    """Files that a run left, newest last; its own records are left out."""
    found = [path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path, folder)]
    return tuple(
        str(path.relative_to(folder))
        for path in sorted(found, key=lambda each: each.stat().st_mtime)
    )


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part in _HIDDEN for part in path.relative_to(folder).parts)


def _in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def ref_of_execution(execution: Execution) -> Ref:
    return ref_of(EXECUTION, execution.metadata)
