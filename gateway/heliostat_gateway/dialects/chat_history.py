"""The messages of a chat completion request, read into `system` and `messages` of the inner form.

`thinking_blocks` on an assistant message is our extension: the thinking that an answer of ours
carried, sent back as it came.
"""

from collections.abc import Callable
from typing import Final

from heliostat_gateway.dialects.blocks import (
    THINKING,
    blocks_of,
    messages_of,
    objects,
    parse_arguments,
    text_block,
)
from heliostat_gateway.dialects.encodings import decoded_text, parse_data_url
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.signatures import SignedPart, read_signature
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


def read_history(document: JsonObject) -> JsonObject:
    """`system` and `messages`. Raises UntranslatableError."""
    history = _History()
    for index, message in enumerate(messages_of(document)):
        role = text_at(message, "role")
        read = _READERS.get(role)
        if read is None:
            raise UntranslatableError(
                f"messages[{index}].role", f"must be one of {', '.join(_READERS)}"
            )
        read(history, message, f"messages[{index}]")
    fields: JsonObject = {"messages": [*history.messages]}
    return {"system": [*history.system], **fields} if history.system else fields


class _History:
    """What has been read so far."""

    def __init__(self) -> None:
        self.system: list[JsonObject] = []
        self.messages: list[JsonObject] = []
        self.calls: set[str] = set()

    def read_system(self, message: JsonObject, where: str) -> None:
        """At the start it is the system prompt, later a message where it stands."""
        texts = _texts(message, where)
        if not self.messages:
            self.system += texts
        elif texts:
            self._add("system", texts)

    def read_user(self, message: JsonObject, where: str) -> None:
        parts = [
            _user_part(part, f"{where}.content[{index}]")
            for index, part in enumerate(blocks_of(message.get("content")))
        ]
        said = [part for part in parts if part.get("text") != ""]
        if said:
            said[-1] = _marked(said[-1], message)
        self._add("user", said)

    def read_assistant(self, message: JsonObject, where: str) -> None:
        """Thinking, text, calls; an assistant that said nothing leaves nothing."""
        thoughts = [
            {name: value for name, value in block.items() if name != "index"}
            for block in objects(list_at(message, "thinking_blocks"))
            if block.get("type") in THINKING
        ]
        words = [
            _marked(text_block(text_at(part, "text") or text_at(part, "refusal")), part)
            for part in blocks_of(message.get("content"))
        ]
        words += [text_block(text_at(message, "refusal"))]
        calls = [
            self._call(call, f"{where}.tool_calls[{index}]")
            for index, call in enumerate(objects(list_at(message, "tool_calls")))
        ]
        before = [block for block in thoughts if not _is_after_text(block)]
        after = [block for block in thoughts if _is_after_text(block)]
        said = [block for block in words if block["text"]]
        if content := [*before, *said, *after, *calls]:
            content[-1] = _marked(content[-1], message)
            self._add("assistant", content)

    def _call(self, call: JsonObject, where: str) -> JsonObject:
        function = object_at(call, "function")
        arguments = parse_arguments(text_at(function, "arguments"))
        if arguments is None:
            raise UntranslatableError(f"{where}.function.arguments", "must be a JSON object")
        for field, text in (("id", text_at(call, "id")), ("name", text_at(function, "name"))):
            if not text:
                raise UntranslatableError(f"{where}.{field}", "must not be empty")
        self.calls.add(text_at(call, "id"))
        return {
            "type": "tool_use",
            "id": text_at(call, "id"),
            "name": text_at(function, "name"),
            "input": arguments,
        }

    def read_tool(self, message: JsonObject, where: str) -> None:
        """Results that follow each other are one message, as Messages has them."""
        call = text_at(message, "tool_call_id")
        if call not in self.calls:
            raise UntranslatableError(
                f"{where}.tool_call_id", "must be the id of a tool call before it"
            )
        texts = _texts(message, where)
        result: JsonObject = {"type": "tool_result", "tool_use_id": call}
        # Anthropic marks the result as a whole, never what is in it.
        marks = [mark for text in texts if (mark := text.pop("cache_control", None))]
        result |= {"content": [*texts]}
        if marks:
            result["cache_control"] = marks[-1]
        result = _marked(result, message)
        last = self.messages[-1]
        results = list_at(last, "content")
        if last["role"] == "user" and objects(results)[-1:] and _is_result(objects(results)[-1]):
            results.append(result)
        else:
            self._add("user", [result])

    def _add(self, role: str, content: list[JsonObject]) -> None:
        self.messages.append({"role": role, "content": [*content]})


_READERS: Final[dict[str, Callable[[_History, JsonObject, str], None]]] = {
    "system": _History.read_system,
    "developer": _History.read_system,
    "user": _History.read_user,
    "assistant": _History.read_assistant,
    "tool": _History.read_tool,
}


def _is_result(block: JsonObject) -> bool:
    return block.get("type") == "tool_result"


def _is_after_text(block: JsonObject) -> bool:
    """Gemini's signature of a text stands behind the text, every other thought before."""
    signed = read_signature(block)
    return signed is not None and signed.part is SignedPart.TEXT


def _texts(message: JsonObject, where: str) -> list[JsonObject]:
    """The texts of a message that can only be text. Raises UntranslatableError."""
    parts = blocks_of(message.get("content"))
    for index, part in enumerate(parts):
        if part.get("type") != "text":
            raise UntranslatableError(f"{where}.content[{index}].type", "must be text")
    texts = [_marked(text_block(text_at(part, "text")), part) for part in parts if part.get("text")]
    if texts and message.get("role") != "tool":
        texts[-1] = _marked(texts[-1], message)
    return texts


def _marked(block: JsonObject, said: JsonObject) -> JsonObject:
    """The block with the mark of the prompt cache that a part or message of the caller has."""
    mark = said.get("cache_control")
    return {**block, "cache_control": mark} if isinstance(mark, dict) else block


def _user_part(part: JsonObject, where: str) -> JsonObject:
    if part.get("type") == "image_url":
        return _marked(_image(part, where), part)
    if part.get("type") == "file":
        return _marked(_file(object_at(part, "file"), where), part)
    return _marked(text_block(text_at(part, "text") or text_at(part, "refusal")), part)


def _image(part: JsonObject, where: str) -> JsonObject:
    url = text_at(object_at(part, "image_url"), "url")
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    found = parse_data_url(url)
    if found is None:
        raise UntranslatableError(f"{where}.image_url.url", "a data URL must be base64")
    source: JsonObject = {"type": "base64", "media_type": found.media_type, "data": found.data}
    return {"type": "image", "source": source}


def _file(file: JsonObject, where: str) -> JsonObject:
    found = parse_data_url(text_at(file, "file_data"))
    if found is None:
        raise UntranslatableError(f"{where}.file.file_data", "must be a base64 data URL")
    title: JsonObject = {"title": file["filename"]} if text_at(file, "filename") else {}
    if found.media_type == "application/pdf":
        pdf: JsonObject = {"type": "base64", "media_type": "application/pdf", "data": found.data}
        return {"type": "document", "source": pdf, **title}
    text = decoded_text(found.data) if found.media_type.startswith("text/") else None
    if text is None:
        raise UntranslatableError(f"{where}.file.file_data", "must be a PDF or UTF-8 text")
    plain: JsonObject = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": plain, **title}
