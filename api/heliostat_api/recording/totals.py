"""What the runs of an agent came to: each run is counted once, when its figures are final."""

from dataclasses import dataclass

from heliostat_api.base.views import AgentView, TotalsView, UsageView
from heliostat_api.documents.port import OWNER, ConflictError, Documents, Fields, Put
from heliostat_api.recording.announcing import DELETING, Announcer, with_untold_change
from heliostat_api.records.totals import read_number, read_totals, read_usage, write_usage

_COUNTED = "counted"


@dataclass(frozen=True)
class Totals:
    """Counts runs into the documents of their agents."""

    documents: Documents
    announcer: Announcer

    async def count(self, path: str) -> None:
        """Counts the settled run at `path`; may be repeated after a crash."""
        while True:
            run = await self.documents.get(path)
            if run is None or run.fields.get(_COUNTED) is True:
                return
            writes = [Put(path, {**run.fields, _COUNTED: True}, run.version)]
            agent = await self.documents.get(f"agents/{run.fields.get('agentId') or '-'}")
            if agent is not None and takes(agent.fields, run.fields):
                writes.append(Put(agent.path, with_run(agent.fields, run.fields), agent.version))
            try:
                await self.documents.commit(*writes)
            except ConflictError:
                continue
            if len(writes) > 1:
                await self.announcer.announce(writes[1].path)
            return


def takes(agent: Fields, run: Fields) -> bool:
    """Whether a run counts: whose it is not, or who is being deleted, has no sums of it."""
    return agent.get(OWNER) == run.get(OWNER) and agent.get(DELETING) is not True


def with_run(agent: Fields, run: Fields) -> Fields:
    """An agent's document after one more run; the screens are still to hear of it."""
    before, used = read_totals(agent), read_usage(run.get("tokenUsage"))
    totals = TotalsView(
        executions=before.executions + 1,
        usage=UsageView(
            input_tokens=before.usage.input_tokens + used.input_tokens,
            output_tokens=before.usage.output_tokens + used.output_tokens,
            cache_read_tokens=before.usage.cache_read_tokens + used.cache_read_tokens,
            cache_write_tokens=before.usage.cache_write_tokens + used.cache_write_tokens,
        ),
        cost_micros=before.cost_micros + read_number(run.get("costMicros")),
    )
    summed: Fields = {
        **agent,
        "totalExecutions": totals.executions,
        "totalTokenUsage": write_usage(totals.usage),
        "totalCostMicros": totals.cost_micros,
    }
    return with_untold_change(_showing(summed, totals))


def _showing(agent: Fields, totals: TotalsView) -> Fields:
    if "view" not in agent:
        return agent
    view = AgentView.model_validate(agent["view"]).model_copy(update={"totals": totals})
    shown: Fields = view.model_dump(mode="json", by_alias=True)
    return {**agent, "view": shown}
