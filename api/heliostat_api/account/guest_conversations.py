"""A guest's conversations become theirs for good when they sign in."""

from dataclasses import dataclass, replace

from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.conversation_repository import (
    COLLECTION,
    ConversationRepository,
    put_conversation,
)
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import ConflictError, Document, Query
from heliostat_api.records.conversations import ConversationState, read_conversation

_PAGE = 100


@dataclass(frozen=True)
class MovingConversations:
    """Implements people.moves.Settling.

    An answer is written for whoever asked, and what it makes is theirs: it ends before its
    conversation moves, and who asks again asks as the user.
    """

    repository: ConversationRepository

    async def move(self, before: str, after: str) -> bool:
        """See Settling."""
        query = Query(COLLECTION, before, limit=_PAGE)
        found = [each async for each in every(self.repository.documents, query)]
        moved = [await self._give(each, after) for each in found]
        return all(moved)

    async def _give(self, document: Document, owner: str) -> bool:
        """Whether it is theirs now; not while somebody else writes it."""
        record = read_conversation(document)
        is_answering = record.state is ConversationState.ANSWERING
        if is_answering and not record.deleting:
            await self.repository.request_stop(record.id, record.answer)
        if is_answering or record.deleting:
            await AnswerRecovery(self.repository).recover(document)
            return False
        given = replace(record, user_id=owner)
        try:
            await self.repository.documents.commit(put_conversation(document, given))
        except ConflictError:
            return False
        await self.repository.publish_change(given)
        return True
