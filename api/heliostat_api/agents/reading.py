"""Agents from the documents."""

from dataclasses import dataclass

from heliostat_api.documents.agents import view_agent
from heliostat_api.documents.port import OWNER, Document, Documents, Query
from heliostat_api.people.person import Person
from heliostat_api.recording.subjects import LIVE
from heliostat_api.serving.problems import NotFoundProblem
from heliostat_api.views import AgentView, View

_COLLECTION = "agents"


class AgentPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[AgentView, ...]
    next: str | None


@dataclass(frozen=True)
class Agents:
    """What one person may see of them."""

    documents: Documents

    async def get(self, person: Person, agent_id: str) -> AgentView:
        """Raises NotFoundProblem, for somebody else's too."""
        document = await self.documents.get(f"{_COLLECTION}/{agent_id}")
        if document is None or document.fields.get(OWNER) != person.id or not is_live(document):
            raise NotFoundProblem("agent")
        return view_of(document)

    async def page(self, person: Person, cursor: str | None = None, limit: int = 50) -> AgentPage:
        """Raises CursorError."""
        query = Query(_COLLECTION, person.id, {LIVE: True}, limit=limit, after=cursor)
        page = await self.documents.query(query)
        return AgentPage(
            items=tuple(view_of(document) for document in page.documents), next=page.next
        )


def is_live(document: Document) -> bool:
    """Whether its resource is there."""
    return document.fields.get(LIVE) is True


def view_of(document: Document) -> AgentView:
    """The last view that was recorded, or what the earlier platform's fields make of one."""
    return view_agent(document)
