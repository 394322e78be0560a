"""The designer's tools: thin calls of what the dashboard's own pages call, as the same person.

There is none that activates: that is the person's.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from heliostat_api.base.person import Person
from heliostat_api.chat.costs import Costs
from heliostat_api.chat.crafting import Crafting
from heliostat_api.chat.models import ChatModel, ModelError, ToolUse
from heliostat_api.chat.runs import Runs
from heliostat_api.chat.scenes import Outcome, RefusedError, Scene, Show, refusal, told
from heliostat_api.chat.tools import (
    INPUTS,
    EstimateCost,
    Input,
    ListModels,
    PreviewSchedule,
    ReadResult,
    RunTest,
    SaveAgent,
    SetSchedule,
)
from heliostat_api.documents.port import StoreError
from heliostat_api.records.contents import path_of
from heliostat_api.web.problems import NotFoundProblem, ProblemError, as_problem
from heliostat_core.worlds import WorldError

_MOST_MODELS: Final = 200


@dataclass(frozen=True)
class Toolbox:
    """Uses them."""

    crafting: Crafting
    runs: Runs
    costs: Costs
    model: ChatModel

    async def knows(self, person: Person, agent: str) -> bool:
        """Whether there is such an agent, and the person may see it."""
        try:
            await self.crafting.drafts.read(person, agent)
        except NotFoundProblem:
            return False
        return True

    async def use(self, scene: Scene, use: ToolUse, show: Show) -> Outcome:
        """Total: a refusal is an answer too, which the model can mend its call by."""
        kind = INPUTS.get(use.name)
        if kind is None:
            return refusal(f"There is no tool {use.name}.")
        try:
            return await self._use(scene, kind.model_validate(dict(use.input)), show)
        except ValidationError as error:
            return refusal("; ".join(f"{_path(e['loc'])}: {e['msg']}" for e in error.errors()))
        except (RefusedError, ModelError) as error:
            return refusal(str(error))
        except (ProblemError, StoreError, WorldError) as error:
            return refusal(str(as_problem(error)))

    async def _use(self, scene: Scene, given: Input, show: Show) -> Outcome:
        match given:
            case SaveAgent():
                return await self.crafting.save(scene, given)
            case SetSchedule():
                return await self.crafting.schedule(scene, given)
            case PreviewSchedule():
                return await self.crafting.preview(scene, given)
            case RunTest():
                return await self.runs.test(scene, given, show)
            case ReadResult():
                return await self.runs.read(scene, given)
            case ListModels():
                return await self._models(scene)
            case EstimateCost():
                return await self.costs.estimate(scene)
        raise AssertionError(f"{given} is of no tool")

    async def _models(self, scene: Scene) -> Outcome:
        names = await self.model.names(scene.key)
        return told({"models": list(names[:_MOST_MODELS]), "count": len(names)})


def _path(location: tuple[int | str, ...]) -> str:
    return path_of(location).removeprefix("spec.")
