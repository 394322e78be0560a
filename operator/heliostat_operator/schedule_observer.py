"""What is there of a schedule's runs: the I/O that a look at it begins with."""

from collections.abc import Mapping
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.schedules.status import RunResult
from heliostat_core.worlds import EXECUTION, Ref, Selection, World
from heliostat_operator.scheduled_runs import ScheduledRuns, result_of
from heliostat_operator.seats import Key
from heliostat_operator.ticks import Seen


class ScheduleObserver:
    """Asks the world only at the first look at an Agent, while it is paused, and for runs whose
    end the watch did not bring."""

    def __init__(self, world: World, runs: ScheduledRuns) -> None:
        self._world = world
        self._runs = runs
        self._looked: dict[Key, str] = {}  # uids of Agents whose runs were listed once

    async def observe(self, agent: Agent) -> Seen:
        meta, state = agent.metadata, agent.status.schedule
        key = (meta.namespace, meta.name)
        is_first = self._looked.get(key) != meta.uid
        listed = await self._listed(agent) if is_first or (state and state.paused) else []
        self._looked[key] = meta.uid
        live = self._runs.of(key)
        made = {each.spec.trigger.scheduled_time for each in listed if each.is_scheduled}
        return Seen(
            live=tuple(live),
            made=frozenset(each for each in (*made, *live.values()) if each is not None),
            results=await self._results(agent, live),
            good_by_hand=max(filter(None, map(_good_by_hand, listed)), default=None),
        )

    def forget(self, key: Key) -> None:
        self._looked.pop(key, None)

    async def _listed(self, agent: Agent) -> list[Execution]:
        """All its runs: at the first look, for what was made before a crash, and while it is
        paused, for a good one by hand."""
        selection = Selection(
            namespace=agent.metadata.namespace,
            fields={"spec.agentRef.name": agent.metadata.name},
        )
        found = self._world.list(EXECUTION, selection)
        return [Execution.model_validate(each) async for each in found]

    async def _results(
        self, agent: Agent, live: Mapping[str, datetime | None]
    ) -> dict[str, RunResult]:
        """How runs on record ended that are live no more."""
        recent = agent.status.schedule.recent if agent.status.schedule else ()
        open_names = [
            each.execution_name
            for each in recent
            if each.execution_name and each.result is None and each.execution_name not in live
        ]
        results: dict[str, RunResult] = {}
        for name in open_names:
            found = await self._world.get(Ref(EXECUTION, agent.metadata.namespace, name))
            result = result_of(Execution.model_validate(found)) if found else "Gone"
            if result is not None:
                results[name] = result
        return results


def _good_by_hand(execution: Execution) -> datetime | None:
    """When a run that no schedule made went well."""
    good = not execution.is_scheduled and result_of(execution) == "Succeeded"
    return execution.status.completion_time if good else None
