"""Logs of pods in the embedded world: a file each."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.pods import is_over
from heliostat_cli.embedded.supervisors import PodFolder
from heliostat_core.reading import text
from heliostat_core.worlds import POD, NotFoundError, Ref, World

_POLL_SECONDS = 0.05


class EmbeddedLogs:
    """heliostat_core's Logs over the folders of pods."""

    def __init__(self, world: World, folder: StateFolder) -> None:
        self._world = world
        self._folder = folder

    async def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        ref = Ref(POD, namespace, pod)
        found = await self._world.get(ref)
        if found is None:
            raise NotFoundError(f'pods "{pod}" not found')
        path = PodFolder(self._folder.pod(text(found, "metadata", "uid"))).log
        lines, end, rest = _read_lines(path, 0, b"")
        for line in lines if tail is None else deque(lines, maxlen=tail):
            yield line
        while follow:
            # Asked before reading: what was written before the end is read after it.
            is_last = await self._has_ended(ref)
            lines, end, rest = _read_lines(path, end, rest)
            for line in lines:
                yield line
            if is_last:
                break
            await asyncio.sleep(_POLL_SECONDS)
        if rest:
            yield _decode(rest)

    async def _has_ended(self, ref: Ref) -> bool:
        pod = await self._world.get(ref)
        return pod is None or is_over(pod)


def _read_lines(path: Path, start: int, rest: bytes) -> tuple[list[str], int, bytes]:
    """Whole lines from an offset on, the offset behind what was read, and the begun last line."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            content = file.read()
    except FileNotFoundError:
        return [], start, rest
    *lines, rest_after = (rest + content).split(b"\n")
    return [_decode(line) for line in lines], start + len(content), rest_after


def _decode(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")
