"""The tools about runs: run_test, read_result and estimate_cost."""

import asyncio
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_api.agents.previews import HISTORY, PreviewRequest, Previews
from heliostat_api.agents.trials import Trying
from heliostat_api.base.views import ExecutionView
from heliostat_api.chat.schemas import ChartPart, SeriesView
from heliostat_api.chat.toolbox import (
    RefusedError,
    Show,
    ToolContext,
    ToolResult,
    build_result,
    shortened,
)
from heliostat_api.chat.tools import EstimateCost, ReadResult, RunTest
from heliostat_api.documents.files import Files
from heliostat_api.documents.port import Query
from heliostat_api.events.log import EventLog
from heliostat_api.executions.reading import Executions
from heliostat_api.executions.schemas import RunRequest
from heliostat_api.records.executions import view_execution
from heliostat_api.web.idempotency import IdempotencyKey

UNIT: Final = "usdMicros"
_PAUSE_SECONDS: Final = 2.0
_LONGEST_RESULT: Final = 6_000
_MOST_FILES: Final = 50
_GOES_ON: Final = "It goes on by itself. The person sees it; read_result tells more later."


@dataclass(frozen=True)
class RunTools:
    """Starts test runs, reads their results and estimates costs. An answer waits `test_seconds`
    for the end of a test run."""

    trying: Trying
    previews: Previews
    executions: Executions
    files: Files
    log: EventLog
    test_seconds: float

    async def test(self, context: ToolContext, given: RunTest, show: Show) -> ToolResult:
        """Starts a test run, and waits for its end. Raises problems."""
        request = RunRequest(input=given.input, parameters=given.parameters)
        asked = IdempotencyKey(context.correlation, context.call)
        accepted = await self.trying.test(
            context.person, context.needed_agent(), request, asked, context.correlation
        )
        uid = accepted.execution or ""
        await show(build_result({"execution": uid, "note": _GOES_ON}, execution=uid))
        view = await self._wait_for_end(context, uid)
        return await self._result(view)

    async def read(self, context: ToolContext, given: ReadResult, _: Show) -> ToolResult:
        """Reads what became of a run. Raises problems."""
        uid = given.execution or await self._newest(context)
        return await self._result(await self.executions.get(context.person, uid))

    async def estimate(self, context: ToolContext, _given: EstimateCost, _: Show) -> ToolResult:
        """Estimates what a run may cost, with a chart of past costs. Raises problems."""
        agent = context.needed_agent()
        preview = await self.previews.look(context.person, PreviewRequest(agent=agent))
        said: dict[str, JsonValue] = {
            "cost": preview.cost.model_dump(mode="json", by_alias=True),
            "touches": preview.touches.model_dump(mode="json", by_alias=True)
            if preview.touches
            else None,
            "missing": list(preview.missing),
        }
        runs = await self._finished_runs(context, agent)
        return build_result(said, *([chart_of(runs)] if runs else ()))

    async def _wait_for_end(self, context: ToolContext, uid: str) -> ExecutionView:
        """Returns the run as it is at its end, or when the time to wait is over."""
        audiences = [f"person:{context.person.id}"]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.test_seconds
        while True:
            cursor = await self.log.end()
            view = await self.executions.get(context.person, uid)
            left = deadline - loop.time()
            if view.is_finished or left <= 0:
                return view
            await self.log.wait(audiences, cursor, min(left, _PAUSE_SECONDS))

    async def _newest(self, context: ToolContext) -> str:
        where = {"agentId": context.needed_agent()}
        query = Query("executions", context.person.id, where, limit=1)
        page = await self.executions.documents.query(query)
        if not page.documents:
            raise RefusedError("The agent has not run yet: run_test starts a run.")
        return page.documents[0].id

    async def _finished_runs(self, context: ToolContext, agent: str) -> list[ExecutionView]:
        """Returns the finished runs, oldest first."""
        query = Query("executions", context.person.id, {"agentId": agent}, limit=HISTORY)
        page = await self.previews.documents.query(query)
        views = map(view_execution, reversed(page.documents))
        return [each for each in views if each.is_finished]

    async def _result(self, view: ExecutionView) -> ToolResult:
        files = await self.files.list(view.id)
        names: list[JsonValue] = [each.path for each in files if each.is_complete]
        return build_result({**run_facts(view), "files": names[:_MOST_FILES]}, execution=view.id)


def run_facts(view: ExecutionView) -> dict[str, JsonValue]:
    """The model gets these facts of a run."""
    facts: dict[str, JsonValue] = {
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
    return facts if view.is_finished else {**facts, "note": _GOES_ON}


def chart_of(runs: list[ExecutionView]) -> ChartPart:
    """The chart shows what each run cost, by when it was asked for."""
    points = tuple((each.created_time.isoformat(), each.cost_micros) for each in runs)
    return ChartPart(title="cost", unit=UNIT, series=(SeriesView(name="runs", points=points),))
