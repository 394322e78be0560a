"""Answers that are still written when their person leaves: they end, before what was said goes."""

from dataclasses import dataclass
from typing import Final

from heliostat_api.chat.mending import Mending
from heliostat_api.chat.shelf import COLLECTION, Shelf
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import OWNER, Query
from heliostat_api.records.conversations import ConversationState, read_conversation

_ANSWERING: Final = Query(COLLECTION, None, {"state": ConversationState.ANSWERING.value}, limit=100)


@dataclass(frozen=True)
class ErasingAnswers:
    """Implements mine.erasing.Eraser."""

    shelf: Shelf

    async def erase(self, person_id: str) -> bool:
        """See Eraser. Nothing is left once whoever writes has heard it, or is known to be gone."""
        answering = every(self.shelf.documents, _ANSWERING)
        found = [each async for each in answering if each.fields.get(OWNER) == person_id]
        for document in found:
            conversation = read_conversation(document)
            await self.shelf.wish_stop(conversation.id, conversation.answer)
            await Mending(self.shelf).mend(document)
        return not found
