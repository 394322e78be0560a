"""The endpoints of the chat: a table of contents, each one call."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, WebSocket
from pydantic import StringConstraints

from heliostat_api.base.views import ConversationView, View
from heliostat_api.chat.schemas import ConversationPage, MessagePage
from heliostat_api.chat.sockets import Chat
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import Access, Cursor, Limit, PersonOf
from heliostat_api.web.problems import NotFoundProblem
from heliostat_api.web.provide import Provided
from heliostat_api.web.stream_leases import StreamLeases

conversations = APIRouter(prefix="/conversations", route_class=CheckedRoute)
workspace = APIRouter()


class NewTitle(View):
    """What the conversation is called."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


@workspace.websocket("/workspace/{user_id}")
async def open_workspace(
    socket: WebSocket,
    access: Provided[Access],
    leases: Provided[StreamLeases],
    chat: Provided[Chat],
    person: PersonOf,
    user_id: str,
) -> None:
    """The chat of a person; `user_id` is their own."""
    if user_id != person.id:
        raise NotFoundProblem("workspace")

    limit = partial(access.check, person)
    await chat.serve(socket, person, leases.begin(socket, person), limit)


@conversations.get("")
async def list_conversations(
    chat: Provided[Chat], person: PersonOf, cursor: Cursor = None, limit: Limit = 50
) -> ConversationPage:
    """Your conversations, newest first."""
    return await chat.reader.page(person, cursor, limit)


@conversations.get("/{conversation_id}")
async def read_conversation(
    chat: Provided[Chat], person: PersonOf, conversation_id: str
) -> ConversationView:
    """One of your conversations."""
    return await chat.reader.get(person, conversation_id)


@conversations.get("/{conversation_id}/messages")
async def list_messages(
    chat: Provided[Chat],
    person: PersonOf,
    conversation_id: str,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> MessagePage:
    """What was said in it, the newest last; `next` leads to what was said before."""
    return await chat.reader.messages(person, conversation_id, cursor, limit)


@conversations.patch("/{conversation_id}")
async def rename_conversation(
    chat: Provided[Chat], person: PersonOf, conversation_id: str, body: NewTitle
) -> ConversationView:
    """Call it something else."""
    return await chat.commands.rename(person, conversation_id, body.title)


@conversations.delete("/{conversation_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_conversation(chat: Provided[Chat], person: PersonOf, conversation_id: str) -> None:
    """All that was said in it goes; its agent stays."""
    await chat.commands.delete(person, conversation_id)
