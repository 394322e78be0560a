"""What one provider gets of a request: the caller's own bytes, or a translation. Pure.

A route may make few edits (docs/gateway.md, Pass-through). One list of them is applied to the
caller's bytes where the dialect stays, and to the parsed request where it is translated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import JsonValue

from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.signature_marks import give_back_signatures
from heliostat_gateway.calls.splice import (
    change_item,
    change_member,
    drop_items,
    prepend_item,
    set_member,
)
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.citations import is_foreign_citation
from heliostat_gateway.dialects.signatures import is_anthropic_thinking
from heliostat_gateway.dialects.translation import translate_request
from heliostat_gateway.providers import ProviderCall
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at


@dataclass(frozen=True)
class SetMember:
    """The member `name` of the request gets this value."""

    name: str
    value: JsonValue


@dataclass(frozen=True)
class PrependItem:
    """The list in member `name` gets this first item."""

    name: str
    item: JsonValue


@dataclass(frozen=True)
class DropBlocks:
    """The content of the message at `message` loses the blocks at `places`."""

    message: int
    places: frozenset[int]


@dataclass(frozen=True)
class DropCitations:
    """The block at `place` of the message at `message` cites nothing."""

    message: int
    place: int


Edit: TypeAlias = SetMember | PrependItem | DropBlocks | DropCitations
_OPENAI: Final = "openai"  # the provider whose dialect the others only speak
_LONG_PREFIX: Final = 16 * 1024  # bytes: no model of Anthropic caches less than 4,096 tokens
_LIMITS: Final = {
    Dialect.MESSAGES: ("max_tokens",),
    Dialect.CHAT: ("max_completion_tokens", "max_tokens"),
}


def name_model(document: JsonObject, model: str) -> list[Edit]:
    """The provider's own name of the model."""
    return [] if document.get("model") == model else [SetMember("model", model)]


def set_defaults(document: JsonObject, defaults: JsonObject) -> list[Edit]:
    """A persona's defaults, where the caller says nothing."""
    return [SetMember(name, value) for name, value in defaults.items() if name not in document]


def put_system_first(document: JsonObject, dialect: Dialect, text: str) -> list[Edit]:
    """A persona's system text before the caller's own."""
    if not text:
        return []
    if dialect is Dialect.CHAT:
        return [PrependItem("messages", {"role": "system", "content": text})]
    system = document.get("system")
    if isinstance(system, list):
        return [PrependItem("system", {"type": "text", "text": text})]
    own = f"\n\n{system}" if isinstance(system, str) and system else ""
    return [SetMember("system", text + own)]


def lower_output(document: JsonObject, dialect: Dialect, most: int | None) -> list[Edit]:
    """At most this many output tokens, for a strict cap; None is no cap."""
    if most is None:
        return []
    names = _LIMITS[dialect]
    present = [name for name in names if isinstance(document.get(name), int)]
    edits: list[Edit] = []
    for name in present or names[:1]:
        asked = document.get(name)
        if not isinstance(asked, int) or asked > most:
            edits.append(SetMember(name, most))
    return edits


def ask_for_usage(document: JsonObject) -> list[Edit]:
    """A chat stream tells its usage only when it is asked to."""
    options = object_at(document, "stream_options")
    if document.get("stream") is not True or options.get("include_usage") is True:
        return []
    return [SetMember("stream_options", {**options, "include_usage": True})]


def cache_prefix(request: ModelRequest, plan: Plan) -> list[Edit]:
    """Anthropic's automatic caching, where the route wants it and the caller marks nothing."""
    is_long = len(request.body) >= _LONG_PREFIX
    if not (plan.caches_prefix and is_long) or b'"cache_control"' in request.body:
        return []
    return [SetMember("cache_control", {"type": "ephemeral"})]


def drop_foreign_parts(document: JsonObject) -> list[Edit]:
    """Thinking and citations that no model of Anthropic made go: another provider of the chain
    wrote them, and Anthropic would refuse the conversation. A message of nothing but such thinking
    stays as it is."""
    edits: list[Edit] = []
    for index, message in enumerate(list_at(document, "messages")):
        blocks = list_at(message, "content") if isinstance(message, dict) else []
        foreign: set[int] = set()
        for place, block in enumerate(blocks):
            if not isinstance(block, dict):
                continue
            if block.get("type") == "thinking" and not is_anthropic_thinking(block):
                foreign.add(place)
            elif any(map(is_foreign_citation, list_at(block, "citations"))):
                edits.append(DropCitations(index, place))
        if foreign and len(foreign) < len(blocks):
            edits.append(DropBlocks(index, frozenset(foreign)))
    return edits


def edit_bytes(body: bytes, edits: Sequence[Edit]) -> bytes:
    """`body` with the edits spliced in; every other byte stays."""
    for edit in edits:
        match edit:
            case SetMember(name, value):
                body = set_member(body, name, value)
            case PrependItem(name, item):
                body = prepend_item(body, name, item)
            case DropBlocks():
                body = change_member(body, "messages", _dropping(edit))
            case DropCitations():
                body = change_member(body, "messages", _citing_nothing(edit))
    return body


def edit_document(document: JsonObject, edits: Sequence[Edit]) -> JsonObject:
    """A copy of the request with the edits made."""
    edited = dict(document)
    for edit in edits:
        match edit:
            case SetMember(name, value):
                edited[name] = value
            case PrependItem(name, item):
                items = edited.get(name)
                edited[name] = [item, *items] if isinstance(items, list) else [item]
            case DropBlocks():
                edited["messages"] = _without(list_at(edited, "messages"), edit)
            case DropCitations():
                edited["messages"] = _without_citations(list_at(edited, "messages"), edit)
    return edited


def _dropping(edit: DropBlocks) -> Callable[[bytes], bytes]:
    """What the edit does to the bytes of `messages`."""
    return lambda messages: change_item(
        messages, edit.message, "content", lambda content: drop_items(content, edit.places)
    )


def _citing_nothing(edit: DropCitations) -> Callable[[bytes], bytes]:
    """What the edit does to the bytes of `messages`."""
    return lambda messages: change_item(
        messages,
        edit.message,
        "content",
        lambda content: change_item(content, edit.place, "citations", lambda _: b"null"),
    )


def _without(messages: list[JsonValue], edit: DropBlocks) -> list[JsonValue]:
    def change(blocks: list[JsonValue]) -> list[JsonValue]:
        return [block for place, block in enumerate(blocks) if place not in edit.places]

    return _with_content(messages, edit.message, change)


def _without_citations(messages: list[JsonValue], edit: DropCitations) -> list[JsonValue]:
    def change(blocks: list[JsonValue]) -> list[JsonValue]:
        changed: list[JsonValue] = [*blocks]
        block = blocks[edit.place]
        changed[edit.place] = {**block, "citations": None} if isinstance(block, dict) else block
        return changed

    return _with_content(messages, edit.message, change)


def _with_content(
    messages: list[JsonValue], place: int, change: Callable[[list[JsonValue]], list[JsonValue]]
) -> list[JsonValue]:
    message = messages[place]
    if not isinstance(message, dict):
        return messages
    changed: list[JsonValue] = [*messages]
    changed[place] = {**message, "content": change(list_at(message, "content"))}
    return changed


@dataclass(frozen=True)
class Outgoing:
    """A call that is ready to be sent."""

    call: ProviderCall
    dropped: tuple[str, ...]  # fields that the target dialect can't say, harmlessly left out
    hides_usage: bool  # the provider was asked for a usage chunk that the caller did not ask for


def build_outgoing(
    request: ModelRequest, plan: Plan, candidate: Candidate, most: int | None
) -> Outgoing:
    """The call to one candidate; `most` output tokens under a strict cap.

    Raises UntranslatableError, which names the field that the candidate's dialect can't say.
    """
    request = give_back_signatures(request, candidate.provider.signature_mark)
    edits = _edits(request, plan, most)
    target = candidate.provider.dialect
    if target is request.dialect:
        if candidate.provider.checks_signatures:
            # First: its places are those of the caller's own request.
            edits = drop_foreign_parts(request.document) + edits
            edits += cache_prefix(request, plan)
        if candidate.provider.target_is_model:
            edits += name_model(request.document, candidate.target)
        usage = ask_for_usage(request.document) if target is Dialect.CHAT else []
        edits += usage
        body = edit_bytes(request.body, edits)
        document = edit_document(request.document, edits) if edits else request.document
        call = _call(request, candidate, body, document if edits else request.document)
        return Outgoing(call, (), bool(usage))
    translated = translate_request(
        edit_document(request.document, edits),
        request.dialect,
        target,
        candidate.target,
        takes_details=candidate.provider.takes_details,
        # Servers that only speak like OpenAI take more of some things.
        counts=target is not Dialect.CHAT or candidate.provider.name == _OPENAI,
    )
    edits = _usage_edits(target, translated.document)
    if candidate.provider.checks_signatures:
        edits += cache_prefix(request, plan)
    document = edit_document(translated.document, edits)
    call = _call(request, candidate, dump_object(document), document)
    return Outgoing(call, translated.dropped, hides_usage=False)


def with_persona(request: ModelRequest, plan: Plan) -> tuple[JsonObject, int]:
    """The request as its persona makes it, and its size in bytes."""
    if plan.persona is None:
        return request.document, len(request.body)
    edits = _persona_edits(request, plan)
    return edit_document(request.document, edits), len(edit_bytes(request.body, edits))


def _persona_edits(request: ModelRequest, plan: Plan) -> list[Edit]:
    if plan.persona is None:
        return []
    edits = set_defaults(request.document, plan.persona.defaults)
    return edits + put_system_first(request.document, request.dialect, plan.persona.system)


def _edits(request: ModelRequest, plan: Plan, most: int | None) -> list[Edit]:
    edits = _persona_edits(request, plan)
    if most is None:
        return edits
    return edits + lower_output(edit_document(request.document, edits), request.dialect, most)


def _usage_edits(target: Dialect, document: JsonObject) -> list[Edit]:
    return ask_for_usage(document) if target is Dialect.CHAT else []


def _call(
    request: ModelRequest, candidate: Candidate, body: bytes, document: JsonObject
) -> ProviderCall:
    return ProviderCall(
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=body,
        request=document,
        target=candidate.target,
        execution=request.caller.execution or request.caller.account,
        credential=candidate.credential,
        stream=request.is_stream,
    )
