"""The finaliser closes the record of a run that ended: its transcript is as complete as it gets.

The operator keeps a finished Execution, and with it the pod and its log, until the mark is there.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.documents.lines import read_lines
from heliostat_api.documents.port import (
    Document,
    Documents,
    Fields,
    StoreError,
    update,
)
from heliostat_api.documents.transcripts import Position, Transcripts
from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import RECORDED_ANNOTATION
from heliostat_core.worlds import EXECUTION, JsonObject, Logs, World, WorldError

PATIENCE: Final = timedelta(seconds=90)
"""How long after a run's end its runner may still deliver; it waits 60 s itself."""
_LOOK_SECONDS = 0.5
_BATCH_LINES = 500
_CUT: Final = "stdout_cut"
_GONE: Final = "what came after this was delivered by nobody"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TranscriptFinaliser:
    """Closes the records of runs. `world` is written to under a field manager for marks only."""

    world: World
    logs: Logs
    documents: Documents
    transcripts: Transcripts
    clock: Callable[[], datetime]
    patience: timedelta = PATIENCE
    _open: dict[str, Execution] = field(default_factory=dict)

    def see(self, execution: Execution) -> None:
        """Remembers a run that is to be closed, and forgets one that is."""
        uid = execution.metadata.uid
        is_marked = RECORDED_ANNOTATION in execution.metadata.annotations
        if execution.is_finished and execution.is_settled and not is_marked:
            self._open[uid] = execution
        else:
            self._open.pop(uid, None)

    def forget(self, uid: str) -> None:
        """Its resource is gone: there is nothing left to mark."""
        self._open.pop(uid, None)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            for uid, execution in list(self._open.items()):
                try:
                    if await self.close(execution):
                        self.forget(uid)
                except (WorldError, StoreError) as error:
                    _LOG.warning("the record of %s is closed later: %s", uid, error)
                except Exception:  # noqa: BLE001  of this run alone, whatever it is
                    _LOG.exception("the record of %s can't be closed", uid)
                    self.forget(uid)  # until it is seen again: the others are closed meanwhile
            await asyncio.sleep(_LOOK_SECONDS)

    async def close(self, execution: Execution) -> bool:
        """Whether the record is complete and marked; may be repeated after a crash."""
        for attempt in execution.status.attempts:
            if attempt.start_time is None:
                continue  # no container, so no transcript
            position = await self.transcripts.position(execution.metadata.uid, attempt.number)
            if position.ended:
                continue
            if not self._is_late(execution):
                return False
            await self._rescue(execution, attempt, position)
        await self._note(execution)
        await self._mark(execution)
        return True

    def _is_late(self, execution: Execution) -> bool:
        end = execution.status.completion_time or self.clock()
        return self.clock() >= end + self.patience

    async def _rescue(self, execution: Execution, attempt: Attempt, position: Position) -> None:
        """From the pod's log, which has the transcript's lines in their order, long ones cut."""
        uid, number = execution.metadata.uid, attempt.number
        known = execution.status.transcript_ref
        total = known.lines if known and attempt is execution.status.attempts[-1] else None
        lines, mark = to_keep(await self._read_log(execution, attempt))
        for first in range(position.next, len(lines), _BATCH_LINES):
            batch = lines[first : first + _BATCH_LINES]
            position = await self.transcripts.append(uid, number, first, batch)
        if mark and total is None and not await self._is_said(uid, number, position, mark):
            position = await self.transcripts.append(uid, number, position.next, [mark])
        total = max(position.next, total or 0)
        if total > position.next:
            position = await self.transcripts.lose(
                uid, number, position.next, total - position.next
            )
        await self.transcripts.end(uid, number, total, position.lost)

    async def _is_said(self, uid: str, number: int, position: Position, line: str) -> bool:
        """Whether that is the last line that is stored: by a rescue that died before its end."""
        if not position.next:
            return False
        page = await self.transcripts.read(uid, number, str(position.next - 1), 1)
        return page.events == (line,)

    async def _read_log(self, execution: Execution, attempt: Attempt) -> list[str] | None:
        """None where nobody has it any more."""
        if attempt.pod_name is None:
            return None
        namespace = execution.metadata.namespace
        try:
            found = self.logs.read_log(namespace, attempt.pod_name)
            return [line async for each in found if (line := event_in(each)) is not None]
        except WorldError as error:
            _LOG.warning("no log of %s/%s: %s", namespace, attempt.pod_name, error)
            return None

    async def _note(self, execution: Execution) -> None:
        path = f"executions/{execution.metadata.uid}"

        def recorded(known: Document | None) -> Fields | None:
            if known is None:
                return None
            return {**known.fields, "recordedAt": known.fields.get("recordedAt") or self.clock()}

        await update(self.documents, path, recorded)

    async def _mark(self, execution: Execution) -> None:
        meta = execution.metadata
        await self.world.apply(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {
                    "name": meta.name,
                    "namespace": meta.namespace,
                    "uid": meta.uid,
                    "annotations": {RECORDED_ANNOTATION: self.clock().isoformat()},
                },
            }
        )


def to_keep(log: Sequence[str] | None) -> tuple[Sequence[str], str | None]:
    """The transcript's lines as far as the log has them; and where it ends early, a line that says
    so, for where nobody knows how many are missing.

    A line's place is its number, so nothing has one in a log whose beginning was rotated away.
    """
    if log is None:
        return (), _cut(
            "the pod and its log are gone: what came after this was delivered by nobody"
        )
    if log and not is_own(log[0], "start"):
        return (), _cut(f"the pod's log has lost its beginning: {_GONE}")
    if log and is_own(log[-1], _CUT):
        return log[:-1], log[-1]
    return log, None


def is_own(line: str, subtype: str) -> bool:
    """Whether the runner says that here; `stdout_cut`: the log ends before the transcript does."""
    found: JsonObject = json.loads(line)
    return found.get("type") == "heliostat" and found.get("subtype") == subtype


def event_in(line: str) -> str | None:
    """The event that a line of the log holds, as ingest would have taken it; None for the runner's
    own words, which are none of the transcript."""
    if not is_object(line):
        return None
    [read] = read_lines(f"{line}\n".encode(errors="replace"))
    return read.text


def is_object(line: str) -> bool:
    """Whether it is meant to be one: what is nested too deep to be read is."""
    try:
        return isinstance(json.loads(line), dict)
    except RecursionError:
        return line.startswith("{")
    except ValueError:
        return False


def _cut(why: str) -> str:
    return json.dumps({"type": "heliostat", "subtype": _CUT, "text": why})
