"""Records of conversations and their messages, also those of the earlier platform."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.values import count_in, instant_in, map_in, maps_in, text_in


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


class MessageState(StrEnum):
    """How an answer is. What a person says is done at once."""

    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class ConversationState(StrEnum):
    """Whether somebody answers in it now."""

    IDLE = "idle"
    ANSWERING = "answering"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class ConversationRecord:
    """Fields of `conversations/{id}`; empty where the document is.

    `answer` is the id of the answer that is being written, or was interrupted. `untold`: lists may
    not have heard of the last change. `deleting`: it is gone for everybody, and its rest will be.
    """

    id: str
    user_id: str = ""
    agent_id: str = ""
    title: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    state: ConversationState = ConversationState.IDLE
    answer: str = ""
    untold: bool = False
    deleting: bool = False

    def fields(self) -> Fields:
        """To be merged into the document."""
        return {
            OWNER: self.user_id,
            "agentId": self.agent_id,
            "title": self.title,
            "createdAt": self.created_at,
            "changedAt": self.changed_at,
            "state": self.state.value,
            "answer": self.answer,
            "untold": self.untold,
            "deleting": self.deleting,
        }


@dataclass(frozen=True)
class MessageRecord:
    """Fields of `conversations/{id}/messages/{id}`. A message of the earlier platform has its text
    in `content` alone; it is read as one part.

    The document of an answer is a checkpoint of what the event log says of it: change `seq` of try
    `epoch` is the last one that is in it, and what follows has ids above `cursor`. Who answers
    renews `lease_until`. `requests` are the gateway's ids of its model calls, `open_request` is the
    one whose cost is not in `cost_nanos` yet, `context` is what the person's side told of itself.
    """

    id: str
    role: Role = Role.USER
    content: str = ""
    parts: tuple[Fields, ...] = ()
    timestamp: datetime | None = None
    state: MessageState = MessageState.DONE
    cost_nanos: int = 0
    requests: tuple[str, ...] = ()
    open_request: str = ""
    context: Fields = field(default_factory=dict)
    epoch: int = 0
    seq: int = 0
    cursor: int = 0
    lease_until: datetime | None = None

    def fields(self) -> Fields:
        """To be merged into the document."""
        return {
            "role": self.role.value,
            "content": self.content,
            "parts": self.parts,
            "timestamp": self.timestamp,
            "state": self.state.value,
            "costNanos": self.cost_nanos,
            "requests": self.requests,
            "openRequest": self.open_request,
            "context": self.context,
            "epoch": self.epoch,
            "seq": self.seq,
            "cursor": self.cursor,
            "leaseUntil": self.lease_until,
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
        changed_at=instant_in(fields, "changedAt"),
        state=_conversation_state_in(fields),
        answer=text_in(fields, "answer"),
        untold=fields.get("untold") is True,
        deleting=fields.get("deleting") is True,
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
        state=_message_state_in(fields),
        cost_nanos=count_in(fields, "costNanos"),
        requests=_texts_in(fields, "requests"),
        open_request=text_in(fields, "openRequest"),
        context=map_in(fields, "context"),
        epoch=count_in(fields, "epoch"),
        seq=count_in(fields, "seq"),
        cursor=count_in(fields, "cursor"),
        lease_until=instant_in(fields, "leaseUntil"),
    )


def _as_part(content: str) -> tuple[Fields, ...]:
    return ({"type": "text", "text": content},) if content else ()


def _texts_in(fields: Fields, name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _message_state_in(fields: Fields) -> MessageState:
    said = text_in(fields, "state")
    return MessageState(said) if said in list(MessageState) else MessageState.DONE


def _conversation_state_in(fields: Fields) -> ConversationState:
    said = text_in(fields, "state")
    return ConversationState(said) if said in list(ConversationState) else ConversationState.IDLE


def _role_in(fields: Fields) -> Role:
    """Whoever is not the person is the assistant."""
    return Role.USER if text_in(fields, "role").lower() == Role.USER else Role.ASSISTANT
