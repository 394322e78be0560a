"""Erasers of what the api keeps itself: documents, reports, the guests that a person was."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from heliostat_api.chat.message_events import conversation_topic, stop_topic
from heliostat_api.documents.port import Document, Documents, Query
from heliostat_api.events.log import EventLog
from heliostat_api.events.revocations import topic_of_revocations
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.topics import topic_of_person
from heliostat_api.secrets.service import Secrets

COLLECTIONS: Final = (
    "webhooks",
    "triggers",
    "deliveries",
    "approvals",
    "executions",
    "agents",
    "idempotency",
    "triggered",
    "places",
)
_PAGE: Final = 50


@dataclass(frozen=True)
class ErasingDocuments:
    """Documents with a `userId`, with what lies below them. May die anywhere: it goes on there."""

    documents: Documents
    collection: str

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        await each_of(self.documents, self.collection, person_id, self._remove)
        return True

    async def _remove(self, document: Document) -> None:
        await self.documents.delete_tree(document.path)


@dataclass(frozen=True)
class ErasingConversations:
    """Conversations, and what was said of them in the log."""

    documents: Documents
    log: EventLog

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        await each_of(self.documents, "conversations", person_id, self._remove)
        return True

    async def _remove(self, document: Document) -> None:
        for audience in (conversation_topic(document.id), stop_topic(document.id)):
            await self.log.forget(audience)
        await self.documents.delete_tree(document.path)


@dataclass(frozen=True)
class ErasingReports:
    """What was reported to the person, and to the guests that they were."""

    log: EventLog
    register: PersonRepository

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        for each in (*await self.register.guests_of(person_id), person_id):
            await self.log.erase(topic_of_person(each))
            await self.log.erase(topic_of_revocations(each))
        return True


@dataclass(frozen=True)
class ErasingSecrets:
    """Secrets in the world and what the store knows of them; agents that named them are gone."""

    secrets: Secrets

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        await self.secrets.delete_all_of(person_id)
        return True


@dataclass(frozen=True)
class WaitingForMoves:
    """What a guest had may still be on its way to the person who signed in: it goes with theirs."""

    register: PersonRepository

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        return person_id not in {each.user_id async for each in self.register.open_moves()}


@dataclass(frozen=True)
class ErasingGuests:
    """Guests who became the person: their documents name them."""

    register: PersonRepository

    async def erase(self, person_id: str) -> bool:
        """See Eraser."""
        await self.register.forget_guests_of(person_id)
        return True


async def each_of(
    documents: Documents,
    collection: str,
    owner: str,
    remove: Callable[[Document], Awaitable[None]],
) -> None:
    """Always the first page: what was removed is not in it any more."""
    while page := (await documents.query(Query(collection, owner, limit=_PAGE))).documents:
        for document in page:
            await remove(document)
