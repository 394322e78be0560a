"""Content blocks of the inner form, which is that of Anthropic Messages."""

import json
from collections.abc import Iterable

from pydantic import JsonValue

from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_json.objects import JsonObject, list_at, object_at, text_at

THINKING = ("thinking", "redacted_thinking")


def text_block(text: str) -> JsonObject:
    """A block of plain text."""
    return {"type": "text", "text": text}


def objects(values: Iterable[JsonValue]) -> list[JsonObject]:
    """Those of `values` that are objects."""
    return [value for value in values if isinstance(value, dict)]


def blocks_of(content: JsonValue) -> list[JsonObject]:
    """Content as blocks: a text alone is one block, an empty one none."""
    if isinstance(content, str):
        return [text_block(content)] if content else []
    return objects(content) if isinstance(content, list) else []


def texts_of(content: JsonValue) -> list[str]:
    """The texts of content that is text, in order."""
    return [text_at(block, "text") for block in blocks_of(content) if text_at(block, "text")]


def is_text(block: JsonObject) -> bool:
    """Whether a block can be said as text alone."""
    return block.get("type") in ("text", "search_result") or (
        block.get("type") == "document"
        and object_at(block, "source").get("type") in ("text", "content")
        and not images_within(block)
    )


def said_text(block: JsonObject) -> str:
    """A block as text: title, context and text of documents and search results included."""
    if block.get("type") == "text":
        return text_at(block, "text")
    if block.get("type") == "search_result":
        words = [text_at(block, "title"), text_at(block, "source"), *texts_of(block.get("content"))]
        return "\n\n".join(filter(None, words))
    source = object_at(block, "source")
    words = [text_at(block, "title"), text_at(block, "context"), text_at(source, "data")]
    words += texts_of(source.get("content"))
    return "\n\n".join(filter(None, words))


def images_within(document: JsonObject) -> list[JsonObject]:
    """Images inside a document that is made of content blocks."""
    content = blocks_of(object_at(document, "source").get("content"))
    return [block for block in content if block.get("type") == "image"]


def flattened(blocks: list[JsonObject]) -> list[JsonObject]:
    """Text, images and PDFs only: documents of text are said, those of blocks are taken apart."""
    flat: list[JsonObject] = []
    for block in blocks:
        if is_text(block):
            flat += [text_block(said_text(block))] if said_text(block) else []
        elif images := images_within(block) if block.get("type") == "document" else []:
            flat += [text_block(said_text(block)), *images]
        else:
            flat.append(block)
    return flat


def messages_of(document: JsonObject) -> list[JsonObject]:
    """The messages of a request, in either dialect. Raises UntranslatableError."""
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise UntranslatableError("messages", "must be a list of at least one message")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise UntranslatableError(f"messages[{index}]", "must be an object")
    return objects(list_at(document, "messages"))


def parse_arguments(written: str) -> JsonObject | None:
    """Arguments of a tool call; none is an empty object, None is what is no object."""
    if not written.strip():
        return {}
    try:
        arguments = json.loads(written)
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def picked(document: JsonObject, *names: str) -> JsonObject:
    """The fields `names` of `document`, those that are there and not null."""
    return {name: document[name] for name in names if document.get(name) is not None}
