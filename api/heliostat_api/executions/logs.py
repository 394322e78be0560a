"""What a run's programs printed, as text: from its transcript, or from its pod while that lives."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi.responses import StreamingResponse

from heliostat_api.base.texts import Text, bilingual
from heliostat_api.base.views import ExecutionView
from heliostat_api.documents.transcripts import MOST_LINES, Transcripts
from heliostat_api.executions.files import HARMLESS
from heliostat_api.executions.reading import latest_attempt
from heliostat_api.web.problems import ProblemError
from heliostat_core.executions import Execution
from heliostat_core.worlds import EXECUTION, Logs, NotFoundError, Ref, World, WorldError

TAIL: Final = 5000
"""Lines of a pod's log that are shown at most."""
LOG_RESPONSES: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "What its programs printed.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@dataclass(frozen=True)
class RunLogs:
    """Reads them."""

    transcripts: Transcripts
    world: World
    logs: Logs

    async def respond(self, run: ExecutionView, attempt: int | None) -> StreamingResponse:
        """Raises a problem with status 404 that says why there is nothing."""
        number = attempt or latest_attempt(run)
        for lines in (self._stored(run, number), self._of_pod(run, number)):
            first = await anext(lines, None)
            if first is not None:
                return StreamingResponse(
                    whole(first, lines),
                    media_type="text/plain; charset=utf-8",
                    headers=dict(HARMLESS),
                )
        raise ProblemError(HTTPStatus.NOT_FOUND, reason_of_none(run, number))

    async def _stored(self, run: ExecutionView, attempt: int) -> AsyncGenerator[str, None]:
        cursor: str | None = None
        expected = 0
        while True:
            page = await self.transcripts.read(run.id, attempt, cursor, MOST_LINES)
            if page.first > expected:
                yield f"[heliostat: {page.first - expected} lines of the transcript are lost]"
            for event in page.events:
                for text in texts_of(event):
                    yield text
            expected = page.first + len(page.events)
            if (cursor := page.next) is None:
                return

    async def _of_pod(self, run: ExecutionView, attempt: int) -> AsyncGenerator[str, None]:
        """What no runner delivered: an installation without deliveries, or one that is away."""
        position = await self.transcripts.position(run.id, attempt)
        pod = None if position.next else await self._pod_of(run, attempt)
        if pod is None:
            return
        try:
            async for line in self.logs.read_log(run.namespace, pod, tail=TAIL):
                for text in texts_of(line):
                    yield text
        except NotFoundError:
            return
        except WorldError as error:
            yield f"[heliostat: {error}]"

    async def _pod_of(self, run: ExecutionView, attempt: int) -> str | None:
        found = await self.world.get(Ref(EXECUTION, run.namespace, run.name))
        execution = None if found is None else Execution.model_validate(found)
        if execution is None or execution.metadata.uid != run.id:
            return None
        attempts = (each for each in execution.status.attempts if each.number == attempt)
        return next((each.pod_name for each in attempts), None)


def texts_of(line: str) -> Iterator[str]:
    """What a line of a transcript, or of a pod's log, says of what was printed."""
    try:
        event = json.loads(line)
    except ValueError:
        event = line
    except RecursionError:  # nested too deep: only a pod's log has such a line
        event = {"type": "heliostat", "subtype": "unreadable", "bytes": len(line.encode())}
    if not isinstance(event, dict):
        yield line  # the runner's own words, which only a pod's log has
    elif event.get("type") == "heliostat":
        match event:
            case {"subtype": "output", "text": str(text)}:
                yield text
            case {"subtype": "cut" | "unreadable", "bytes": int(size)}:
                yield f"[heliostat: a line of {size} bytes is left out]"
            case {"subtype": "stdout_cut", "text": str(text)}:
                yield f"[heliostat: {text}]"


async def whole(first: str, rest: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """Lines with their ends."""
    async with aclosing(rest):
        yield f"{first}\n"
        async for line in rest:
            yield f"{line}\n"


def reason_of_none(run: ExecutionView, attempt: int) -> Text:
    """Why there is no output, for people."""
    if attempt not in {each.number for each in run.attempts}:
        if run.is_finished or run.attempts:
            return bilingual(
                en=f"There is no attempt {attempt} of this run.",
                ko=f"이 실행에는 {attempt}번째 시도가 없습니다.",
            )
        return bilingual(
            en=f"There is no attempt {attempt} of this run yet: it has not started.",
            ko="아직 시작하지 않은 실행입니다.",
        )
    if run.is_finished:
        return bilingual(
            en=f"No program printed anything in attempt {attempt} that was kept. What Claude Code "
            "did is in the transcript.",
            ko=f"{attempt}번째 시도에서 프로그램이 출력해 남은 것이 없습니다. Claude Code가 한 "
            "일은 대화 기록에 있습니다.",
        )
    return bilingual(
        en=f"No program printed anything in attempt {attempt} yet.",
        ko=f"{attempt}번째 시도에서 아직 아무것도 출력되지 않았습니다.",
    )
