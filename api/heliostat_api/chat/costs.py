"""The tool estimate_cost: what runs may cost, and a chart of what they cost."""

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_api.agents.previews import HISTORY, PreviewRequest, Previews
from heliostat_api.base.views import ExecutionView
from heliostat_api.chat.scenes import Outcome, Scene, told
from heliostat_api.chat.views import ChartPart, SeriesView
from heliostat_api.documents.port import Query
from heliostat_api.records.executions import view_execution

UNIT: Final = "usdMicros"


@dataclass(frozen=True)
class Costs:
    """Looks at what is known."""

    previews: Previews

    async def estimate(self, scene: Scene) -> Outcome:
        """Raises problems."""
        agent = scene.needed_agent()
        preview = await self.previews.look(scene.person, PreviewRequest(agent=agent))
        said: dict[str, JsonValue] = {
            "cost": preview.cost.model_dump(mode="json", by_alias=True),
            "touches": preview.touches.model_dump(mode="json", by_alias=True)
            if preview.touches
            else None,
            "missing": list(preview.missing),
        }
        runs = await self._runs(scene, agent)
        return told(said, *([chart_of(runs)] if runs else ()))

    async def _runs(self, scene: Scene, agent: str) -> list[ExecutionView]:
        """Finished ones, oldest first."""
        query = Query("executions", scene.person.id, {"agentId": agent}, limit=HISTORY)
        page = await self.previews.documents.query(query)
        views = map(view_execution, reversed(page.documents))
        return [each for each in views if each.is_finished]


def chart_of(runs: list[ExecutionView]) -> ChartPart:
    """What each run cost, by when it was asked for."""
    points = tuple((each.created_time.isoformat(), each.cost_micros) for each in runs)
    return ChartPart(title="cost", unit=UNIT, series=(SeriesView(name="runs", points=points),))
