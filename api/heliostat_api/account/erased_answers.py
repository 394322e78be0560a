"""Answers that are still written when their person leaves: they end, before what was said goes."""

from dataclasses import dataclass
from typing import Final

from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.conversation_repository import COLLECTION, ConversationRepository
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import OWNER, Query
from heliostat_api.records.conversations import ConversationState, read_conversation

_ANSWERING: Final = Query(COLLECTION, None, {"state": ConversationState.ANSWERING.value}, limit=100)


@dataclass(frozen=True)
class ErasingAnswers:
    """Implements mine.erasing.Eraser."""

    repository: ConversationRepository

    async def erase(self, person_id: str) -> bool:
        """See Eraser. Nothing is left once whoever writes has heard it, or is known to be gone."""
        answering = every(self.repository.documents, _ANSWERING)
        found = [each async for each in answering if each.fields.get(OWNER) == person_id]
        for document in found:
            conversation = read_conversation(document)
            await self.repository.request_stop(conversation.id, conversation.answer)
            await AnswerRecovery(self.repository).recover(document)
        return not found
