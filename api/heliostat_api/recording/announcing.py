"""What a command changed of an agent is told to the screens: document first, then report.

The document says that a change is untold until its report is in the log. After a crash between
the two somebody tells it later: the report's key makes it heard once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from heliostat_api.base.views import AgentView, GoneView
from heliostat_api.documents.port import (
    OWNER,
    Document,
    Documents,
    Fields,
    update,
)
from heliostat_api.events.log import EventLog, Report, ReportType
from heliostat_api.people.topics import topics_of_owner_field
from heliostat_core.worlds import JsonObject, Kind

Record: TypeAlias = Callable[[Kind, JsonObject], Awaitable[str]]
"""Records one state of a resource, however often; returns the path of its document."""

CHANGES = "changes"
"""Field: how many changes by commands there were."""
DELETING = "deleting"
"""Field: nobody sees it any more."""
UNTOLD = "untold"
"""Field: whether the last of them is still to be told."""


@dataclass(frozen=True)
class Announcer:
    """Tells what documents of agents say."""

    documents: Documents
    log: EventLog
    clock: Callable[[], datetime]

    async def announce(self, path: str, correlation: str = "") -> None:
        """Tells the last change unless it is told already; may be repeated."""
        document = await self.documents.get(path)
        if document is None or document.fields.get(UNTOLD) is not True:
            return
        report = report_of(document, self.clock(), correlation)
        key = key_of(document)
        for audience in topics_of_owner_field(str(document.fields[OWNER])):
            await self.log.append(audience, report, key)
        await self._settle(document)

    async def _settle(self, told: Document) -> None:
        """Nothing is left to tell, unless there was another change in between."""

        def settled(document: Document | None) -> Fields | None:
            if document is None or document.fields.get(CHANGES) != told.fields.get(CHANGES):
                return None
            return {**document.fields, UNTOLD: False}

        await update(self.documents, told.path, settled, known=told)


def with_untold_change(fields: Fields) -> Fields:
    """The same document after a change that is still to be told."""
    changes = fields.get(CHANGES)
    count = changes if isinstance(changes, int) else 0
    return {**fields, CHANGES: count + 1, UNTOLD: True}


def report_of(document: Document, now: datetime, correlation: str = "") -> Report:
    """What its last change means to a screen."""
    view = AgentView.model_validate(document.fields["view"])
    if document.fields.get(DELETING) is True:
        gone = GoneView(id=view.id, namespace=view.namespace, name=view.name)
        payload = gone.model_dump(mode="json", by_alias=True)
        return Report(ReportType.AGENT_DELETED, now, payload, correlation)
    payload = view.model_dump(mode="json", by_alias=True)
    return Report(ReportType.AGENT_CHANGED, now, payload, correlation)


def key_of(document: Document) -> str:
    """Makes the report of a change the same one however often it is made."""
    return f"{document.path}#{document.fields.get(CHANGES)}"
