"""A run whose runner delivered a part, or nothing: what its record holds once it is closed."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.documents.transcripts import Position, Transcripts
from heliostat_api.executions.reading import view_transcript
from heliostat_api.recording.transcript_finaliser import TranscriptFinaliser
from heliostat_core.executions import ExecutionStatus, TranscriptRef
from heliostat_core.names import RECORDED_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import EXECUTION, JsonObject, NotFoundError, Ref
from support.builders.resources import NOW, make_attempt, make_execution
from support.memory_world import MemoryWorld
from support.objects import ENDED

CUT = json.dumps({"type": "heliostat", "subtype": "stdout_cut", "text": "stdout ends here"})
START = '{"type": "heliostat", "subtype": "start"}'
LINES = [START, '{"type": "b"}', '{"type": "c"}']
DEEP = '{"a": ' + "[" * 2000 + "]" * 2000 + "}"
NESTED = '{"a": ' + "[" * 930 + "]" * 930 + "}"
UNREADABLE = '"subtype": "unreadable"'
MORE = [json.dumps({"type": "a", "number": number}) for number in range(7)]
GONE = "the pod and its log are gone"
ROTATED = "the pod's log has lost its beginning"


@dataclass
class PodLog:
    """What the cluster still has of a pod's log; None: nothing."""

    lines: Sequence[str] | None

    async def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        if self.lines is None:
            raise NotFoundError(f"{namespace}/{pod} {follow} {tail}")
        for line in self.lines:
            yield line


class BrokenLog(PodLog):
    """Reading one pod's log fails in a way that nobody thought of."""

    def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        if pod == "broken":
            raise RuntimeError(pod)
        return super().read_log(namespace, pod, follow=follow, tail=tail)


def is_marked(obj: JsonObject | None) -> bool:
    assert obj is not None
    return RECORDED_ANNOTATION in ObjectHead.model_validate(obj).metadata.annotations


@pytest.mark.parametrize(
    ("log", "delivered", "total", "next_", "lost", "last"),
    [
        (LINES, [], None, 3, 0, LINES[2]),
        (LINES, [], 3, 3, 0, LINES[2]),
        (["the runner's own words", *LINES], LINES[:1], 3, 3, 0, LINES[2]),
        ([*LINES, CUT], [], None, 4, 0, CUT),
        ([*LINES, CUT], LINES[:1], None, 4, 0, CUT),
        ([*LINES, CUT], [], 10, 10, 7, LINES[2]),
        ([*LINES, CUT], MORE, None, 8, 0, CUT),
        ([*LINES, CUT], MORE, 10, 10, 3, MORE[-1]),
        (None, [], None, 1, 0, GONE),
        (None, LINES[:2], None, 3, 0, GONE),
        (None, LINES[:2], 10, 10, 8, LINES[1]),
        ([START, DEEP], [], None, 2, 0, UNREADABLE),
        ([START, NESTED], [], None, 2, 0, UNREADABLE),
        ([START, '{"v": 1e999}'], [], None, 2, 0, UNREADABLE),
        ([START, DEEP, *LINES[1:]], LINES[:1], 4, 4, 0, LINES[2]),
        (LINES[1:], [], None, 1, 0, ROTATED),
        (LINES[1:], [], 9, 9, 9, None),
        (LINES[1:], LINES[:1], None, 2, 0, ROTATED),
        (LINES[1:], LINES[:2], 9, 9, 7, LINES[1]),
        ([*LINES[1:], CUT], [], 9, 9, 9, None),
    ],
)
async def test_what_is_missing_is_marked_where_it_is_missing_and_once(
    tmp_path: Path,
    log: Sequence[str] | None,
    delivered: Sequence[str],
    total: int | None,
    next_: int,
    lost: int,
    last: str | None,
) -> None:
    attempt = make_attempt(pod_name="p", start=NOW)
    told = TranscriptRef(lines=total) if total else None
    status = ExecutionStatus(attempts=(attempt,), completion_time=NOW, transcript_ref=told)
    run = make_execution(status=status)
    documents = open_sqlite(tmp_path / "documents.sqlite")
    transcripts, world = Transcripts(documents), MemoryWorld()
    world.put({**run.to_json(), "kind": "Execution"})
    uid = run.metadata.uid
    await transcripts.append(uid, 1, 0, delivered)
    closing = TranscriptFinaliser(
        world, PodLog(log), documents, transcripts, lambda: NOW + timedelta(hours=1)
    )
    for _ in range(2):  # the second one as after a crash before the end
        await closing._rescue(run, attempt, await transcripts.position(uid, 1))
        assert await transcripts.position(uid, 1) == Position(next_, lost, ended=True)
    assert await closing.close(run)
    page = await transcripts.read(uid, 1)
    assert view_transcript(1, page).model_dump_json()
    assert (last is None and not page.events) or (last or "") in page.events[-1]
    assert list(page.events[: len(delivered)]) == list(delivered)
    await documents.close()


async def test_a_run_whose_record_breaks_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    documents, world = open_sqlite(tmp_path / "documents.sqlite"), MemoryWorld()
    transcripts = Transcripts(documents)
    closing = TranscriptFinaliser(
        world, BrokenLog(LINES), documents, transcripts, lambda: NOW, patience=timedelta(0)
    )
    for name in ("broken", "whole"):
        attempt = make_attempt(pod_name=name, start=NOW)
        status = ExecutionStatus.model_validate({"attempts": [attempt], "conditions": ENDED})
        run = make_execution(name, status=status)
        world.put({**run.to_json(), "kind": "Execution"})
        closing.see(run)
    work = asyncio.create_task(closing.run())
    async with asyncio.timeout(10):
        while not is_marked(await world.get(Ref(EXECUTION, "default", "whole"))):
            await asyncio.sleep(0.01)
    assert not work.done()
    work.cancel()
    await asyncio.wait([work])
    assert not is_marked(await world.get(Ref(EXECUTION, "default", "broken")))
    assert "the record of" in caplog.text
    await documents.close()
