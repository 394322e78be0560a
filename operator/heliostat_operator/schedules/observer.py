"""What is there of a schedule's runs: the I/O that a look at it begins with."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import Execution
from heliostat_core.names import scheduled_name
from heliostat_core.schedules.status import RunResult
from heliostat_core.worlds import EXECUTION, Ref, Selection, World
from heliostat_operator.model.indexes import ScheduledRuns, let_run_time, result_of
from heliostat_operator.model.keys import Key
from heliostat_operator.schedules.ticks import Seen

_MOST_ASKED = 8


class ScheduleObserver:
    """Asks the world as little as it can: a tick of a thousand schedules is a thousand looks."""

    def __init__(self, world: World, runs: ScheduledRuns) -> None:
        self._world = world
        self._runs = runs
        self._asked: dict[Key, str] = {}  # uids of Agents that were asked for what was made before

    async def observe(self, agent: Agent) -> Seen:
        """While the schedule is paused all its Agent's runs are listed, for a good one by hand."""
        key, state = (agent.metadata.namespace, agent.metadata.name), agent.status.schedule
        live, offers = self._runs.of(key), self._runs.offers_of(key).values()
        listed = await self._listed(agent) if state and state.paused else []
        return Seen(
            live=tuple(live),
            made=self._runs.made_for(key),
            results=await self._results(agent, live),
            good_by_hand=max(filter(None, map(_good_by_hand, listed)), default=None),
            offers=frozenset(each for each in offers if each is not None),
        )

    async def made_before(
        self, agent: Agent, times: Sequence[datetime]
    ) -> Mapping[datetime, datetime | None]:
        """Those of the times for which a run was made before a crash, and may be finished by now;
        and since when it was let run.

        Asked at the first look at an Agent; afterwards we know what we made.
        """
        meta = agent.metadata
        key = (meta.namespace, meta.name)
        if self._asked.get(key) == meta.uid:
            return {}
        names = {scheduled_name(meta.name, each): each for each in times}
        made = await self._found(agent, names)
        self._asked[key] = meta.uid
        return made

    def forget(self, key: Key) -> None:
        self._asked.pop(key, None)

    async def _found(
        self, agent: Agent, names: Mapping[str, datetime]
    ) -> Mapping[datetime, datetime | None]:
        if len(names) > _MOST_ASKED:
            listed = await self._listed(agent)
        else:
            refs = [Ref(EXECUTION, agent.metadata.namespace, name) for name in names]
            found = [await self._world.get(ref) for ref in refs]
            listed = [Execution.model_validate(each) for each in found if each is not None]
        since = {
            each.spec.trigger.scheduled_time: let_run_time(each)
            for each in listed
            if _is_made(each)
        }
        return {each: since[each] for each in names.values() if each in since}

    async def _listed(self, agent: Agent) -> list[Execution]:
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
        results = dict(self._runs.results((agent.metadata.namespace, agent.metadata.name)))
        for name in open_names:
            if name not in results and (result := await self._result(agent, name)):
                results[name] = result
        return results

    async def _result(self, agent: Agent, name: str) -> RunResult | None:
        found = await self._world.get(Ref(EXECUTION, agent.metadata.namespace, name))
        return result_of(Execution.model_validate(found)) if found else "Gone"


def _is_made(execution: Execution) -> bool:
    """Whether the schedule let it run."""
    was_skipped = execution.finished_reason == FinishedReason.SKIPPED
    return execution.is_scheduled and not execution.is_offer and not was_skipped


def _good_by_hand(execution: Execution) -> datetime | None:
    """When a run that no schedule made went well."""
    good = not execution.is_scheduled and result_of(execution) == "Succeeded"
    return execution.status.completion_time if good else None
