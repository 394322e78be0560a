"""Reports that something else of a person changed, so that screens read it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from heliostat_api.events.log import EventLog, Report, ReportType
from heliostat_api.people.topics import topic_of_person


class Changed(StrEnum):
    """Names what a screen reads again."""

    KEYS = "keys"
    SECRETS = "secrets"
    TRIGGERS = "triggers"
    WEBHOOKS = "webhooks"
    DELIVERIES = "deliveries"


@dataclass(frozen=True)
class Changes:
    """Tells them after the change. A crash in between leaves screens as they were until they are
    opened again: nothing is decided by it."""

    log: EventLog
    clock: Callable[[], datetime]

    async def tell(self, person_id: str, what: Changed) -> None:
        """The person's screens. Raises StoreError."""
        await self.tell_audience(topic_of_person(person_id), what)

    async def tell_audience(self, audience: str, what: Changed) -> None:
        """Whoever hears that audience. Raises StoreError."""
        report = Report(ReportType.THINGS_CHANGED, self.clock(), {"what": what.value})
        await self.log.append(audience, report)
