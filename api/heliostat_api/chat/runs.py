"""Tools about runs: run_test and read_result."""

import asyncio
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_api.agents.trials import Trying
from heliostat_api.base.views import ExecutionView
from heliostat_api.chat.scenes import Outcome, RefusedError, Scene, Show, shortened, told
from heliostat_api.chat.tools import ReadResult, RunTest
from heliostat_api.documents.files import Files
from heliostat_api.documents.port import Query
from heliostat_api.events.log import EventLog
from heliostat_api.executions.reading import Executions
from heliostat_api.executions.schemas import RunRequest
from heliostat_api.web.idempotency import IdempotencyKey

_LOOK_SECONDS: Final = 2.0
_LONGEST_RESULT: Final = 6_000
_MOST_FILES: Final = 50
_GOES_ON: Final = "It goes on by itself. The person sees it; read_result tells more later."


@dataclass(frozen=True)
class Runs:
    """Starts test runs and reads what came of them. An answer waits `test_seconds` for an end."""

    trying: Trying
    executions: Executions
    files: Files
    log: EventLog
    test_seconds: float

    async def test(self, scene: Scene, given: RunTest, show: Show) -> Outcome:
        """Raises problems."""
        request = RunRequest(input=given.input, parameters=given.parameters)
        asked = IdempotencyKey(scene.correlation, scene.call)
        accepted = await self.trying.test(
            scene.person, scene.needed_agent(), request, asked, scene.correlation
        )
        uid = accepted.execution or ""
        await show(told({"execution": uid, "note": _GOES_ON}, execution=uid))
        view = await self._ended(scene, uid)
        return await self._outcome(view)

    async def read(self, scene: Scene, given: ReadResult) -> Outcome:
        """Raises problems."""
        uid = given.execution or await self._newest(scene)
        return await self._outcome(await self.executions.get(scene.person, uid))

    async def _ended(self, scene: Scene, uid: str) -> ExecutionView:
        """As it is at its end, or when the time to wait is over."""
        audiences = [f"person:{scene.person.id}"]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.test_seconds
        while True:
            cursor = await self.log.end()
            view = await self.executions.get(scene.person, uid)
            left = deadline - loop.time()
            if view.is_finished or left <= 0:
                return view
            await self.log.wait(audiences, cursor, min(left, _LOOK_SECONDS))

    async def _newest(self, scene: Scene) -> str:
        where = {"agentId": scene.needed_agent()}
        query = Query("executions", scene.person.id, where, limit=1)
        page = await self.executions.documents.query(query)
        if not page.documents:
            raise RefusedError("The agent has not run yet: run_test starts a run.")
        return page.documents[0].id

    async def _outcome(self, view: ExecutionView) -> Outcome:
        files = await self.files.list(view.id)
        names: list[JsonValue] = [each.path for each in files if each.is_complete]
        return told({**said_of(view), "files": names[:_MOST_FILES]}, execution=view.id)


def said_of(view: ExecutionView) -> dict[str, JsonValue]:
    """A run as the model is told of it."""
    said: dict[str, JsonValue] = {
        "execution": view.id,
        "phase": view.phase,
        "isFinished": view.is_finished,
        "reason": view.reason,
        "message": view.message,
        "result": shortened(view.result or "", _LONGEST_RESULT),
        "costMicros": view.cost_micros,
        "durationSeconds": view.duration_seconds,
        "model": view.model,
        "blockedBy": [each.message for each in view.blocked_by],
    }
    return said if view.is_finished else {**said, "note": _GOES_ON}
