"""Where a screen begins: what a person has now, bounded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.agents.reading import Agents
from heliostat_api.approvals.reading import Approvals
from heliostat_api.base.person import Person, view_person
from heliostat_api.base.stream_views import SnapshotView
from heliostat_api.events.log import EventLog
from heliostat_api.executions.reading import Executions

AGENTS = 200
LIVE_EXECUTIONS = 200
RECENT_EXECUTIONS = 50
OPEN_APPROVALS = 100


@dataclass(frozen=True)
class Snapshots:
    """Takes snapshots."""

    log: EventLog
    agents: Agents
    executions: Executions
    approvals: Approvals
    clock: Callable[[], datetime]

    async def take(self, person: Person) -> SnapshotView:
        """The cursor comes first: what happens while we read is reported after it."""
        cursor = await self.log.end()
        live = await self.executions.page(person, is_finished=False, limit=LIVE_EXECUTIONS)
        recent = await self.executions.page(person, limit=RECENT_EXECUTIONS)
        executions = {each.id: each for each in (*live.items, *recent.items)}
        asks = await self.approvals.page(person, is_open=True, limit=OPEN_APPROVALS)
        now = self.clock()
        return SnapshotView(
            cursor=cursor,
            time=now,
            person=view_person(person, now),
            agents=(await self.agents.page(person, limit=AGENTS)).items,
            executions=tuple(
                sorted(executions.values(), key=lambda each: each.created_time, reverse=True)
            ),
            approvals=asks.items,
        )
