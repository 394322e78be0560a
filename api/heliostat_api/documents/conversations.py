"""Records of conversations and their messages, also those of the earlier platform."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.reading import instant_in, maps_in, text_in


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class ConversationRecord:
    """Fields of `conversations/{id}`; empty where the document is."""

    id: str
    user_id: str = ""
    agent_id: str = ""
    title: str = ""
    created_at: datetime | None = None

    def fields(self) -> Fields:
        """To be merged into the document."""
        return {
            OWNER: self.user_id,
            "agentId": self.agent_id,
            "title": self.title,
            "createdAt": self.created_at,
        }


@dataclass(frozen=True)
class MessageRecord:
    """Fields of `conversations/{id}/messages/{id}`. A message of the earlier platform has its text
    in `content` alone; it is read as one part."""

    id: str
    role: Role = Role.USER
    content: str = ""
    parts: tuple[Fields, ...] = ()
    timestamp: datetime | None = None

    def fields(self) -> Fields:
        """To be merged into the document."""
        return {
            "role": self.role.value,
            "content": self.content,
            "parts": self.parts,
            "timestamp": self.timestamp,
        }


def read_conversation(document: Document) -> ConversationRecord:
    """Total: any document is some record."""
    fields = document.fields
    return ConversationRecord(
        id=document.id,
        user_id=text_in(fields, OWNER),
        agent_id=text_in(fields, "agentId"),
        title=text_in(fields, "title"),
        created_at=instant_in(fields, "createdAt"),
    )


def read_message(document: Document) -> MessageRecord:
    """Total: any document is some record."""
    fields = document.fields
    content = text_in(fields, "content")
    return MessageRecord(
        id=document.id,
        role=_role_in(fields),
        content=content,
        parts=maps_in(fields, "parts") or _as_part(content),
        timestamp=instant_in(fields, "timestamp"),
    )


def _as_part(content: str) -> tuple[Fields, ...]:
    return ({"type": "text", "text": content},) if content else ()


def _role_in(fields: Fields) -> Role:
    """Whoever is not the person is the assistant."""
    return Role.USER if text_in(fields, "role").lower() == Role.USER else Role.ASSISTANT
