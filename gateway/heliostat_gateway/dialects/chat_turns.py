"""Messages of the inner form, written as messages of chat completions."""

from heliostat_gateway.dialects.blocks import blocks_of, flattened, texts_of
from heliostat_gateway.dialects.encodings import data_url_of
from heliostat_gateway.dialects.reasoning_details import read_details
from heliostat_json.objects import JsonObject, dump_object, object_at, text_at

# Chat completions cannot say that a tool failed except in words.
TOOL_FAILED = "The tool failed:"
ATTACHED = "Attached to the result of the tool call"


def write_turns(messages: list[JsonObject]) -> list[JsonObject]:
    """The messages, in order; results of tools come before whatever else a user message holds."""
    written: list[JsonObject] = []
    for message in messages:
        role = text_at(message, "role")
        blocks = blocks_of(message.get("content"))
        if role == "assistant":
            written += _assistant(blocks)
        elif role == "system":
            text = "\n\n".join(texts_of(message.get("content")))
            written.append({"role": "system", "content": text})
        else:
            written += _user(blocks)
    return written


def joined_text(blocks: list[JsonObject]) -> str:
    """What an assistant says, as one text: blocks beside each other are joined as they are.

    Where something else stood between two texts, a blank line takes its place.
    """
    text = ""
    apart = False
    for block in blocks:
        if block.get("type") == "text":
            gap = "\n\n" if apart and text and block.get("text") else ""
            text += gap + text_at(block, "text")
            apart = False
        else:
            apart = True
    return text


def written_call(block: JsonObject) -> JsonObject:
    """A tool call; its id stays."""
    arguments = dump_object(object_at(block, "input")).decode()
    function: JsonObject = {"name": block.get("name"), "arguments": arguments}
    return {"id": block.get("id"), "type": "function", "function": function}


def _assistant(blocks: list[JsonObject]) -> list[JsonObject]:
    text = joined_text(flattened(blocks))
    calls = [written_call(block) for block in blocks if block.get("type") == "tool_use"]
    if not text and not calls:
        return []
    message: JsonObject = {"role": "assistant", "content": text or None}
    if details := [each for block in blocks for each in read_details(block)]:
        message["reasoning_details"] = [*details]
    return [{**message, "tool_calls": [*calls]} if calls else message]


def _user(blocks: list[JsonObject]) -> list[JsonObject]:
    written: list[JsonObject] = []
    parts: list[JsonObject] = []
    for block in blocks:
        if block.get("type") != "tool_result":
            parts += [_part(each) for each in flattened([block])]
            continue
        content = flattened(blocks_of(block.get("content")))
        attached = [each for each in content if each.get("type") != "text"]
        written.append(_result(block, content))
        if attached:
            note = f"{ATTACHED} {text_at(block, 'tool_use_id')}:"
            parts += [{"type": "text", "text": note}, *map(_part, attached)]
    if parts:
        only = parts[0].get("text") if len(parts) == 1 else None
        written.append({"role": "user", "content": only or [*parts]})
    return written


def _result(block: JsonObject, content: list[JsonObject]) -> JsonObject:
    texts = [text_at(each, "text") for each in content if each.get("type") == "text"]
    if block.get("is_error") is True:
        texts.insert(0, TOOL_FAILED)
    return {
        "role": "tool",
        "tool_call_id": block.get("tool_use_id"),
        "content": "\n".join(texts),
    }


def _part(block: JsonObject) -> JsonObject:
    source = object_at(block, "source")
    if block.get("type") == "image":
        url = source.get("url") if source.get("type") == "url" else data_url_of(source)
        return {"type": "image_url", "image_url": {"url": url}}
    if block.get("type") == "document":
        name = text_at(block, "title") or "document.pdf"
        return {"type": "file", "file": {"filename": name, "file_data": data_url_of(source)}}
    return {"type": "text", "text": text_at(block, "text")}
