"""What a person does to a conversation as a whole: rename it, stop its answer, delete it."""

from dataclasses import dataclass, replace

from heliostat_api.base.person import Person
from heliostat_api.base.views import ConversationView
from heliostat_api.chat.journal import view_conversation
from heliostat_api.chat.mending import Mending
from heliostat_api.chat.shelf import Shelf, changed
from heliostat_api.documents.port import ConflictError
from heliostat_api.records.conversations import ConversationState, read_conversation
from heliostat_api.web.problems import NotFoundProblem


@dataclass(frozen=True)
class Keeping:
    """Raises NotFoundProblem for what is not the person's."""

    shelf: Shelf
    mending: Mending

    async def rename(self, person: Person, conversation: str, title: str) -> ConversationView:
        """It is called that from now on."""
        await self.shelf.own(person, conversation)
        changed = await self.shelf.change(conversation, lambda each: replace(each, title=title))
        if changed is None:
            raise NotFoundProblem("conversation")
        return view_conversation(changed)

    async def stop(self, person: Person, conversation: str) -> None:
        """Its answer ends at once, wherever it is written; nothing where there is none."""
        document = await self.shelf.own(person, conversation)
        record = read_conversation(document)
        if record.state is ConversationState.ANSWERING:
            await self.shelf.wish_stop(conversation, record.answer)
            await self.mending.mend(document)

    async def delete(self, person: Person, conversation: str) -> None:
        """With all that was said, as soon as nobody writes in it any more. Its agent stays. From
        the first write on nobody sees it."""
        while True:
            document = await self.shelf.own(person, conversation)
            going = replace(read_conversation(document), deleting=True)
            try:
                await self.shelf.documents.commit(changed(document, going))
            except ConflictError:
                continue
            return await self.mending.bury(going)
