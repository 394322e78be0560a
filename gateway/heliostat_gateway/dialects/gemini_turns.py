"""Messages of the inner form, written as Gemini's contents."""

from typing import Final

from heliostat_gateway.dialects.blocks import THINKING, blocks_of, flattened
from heliostat_gateway.dialects.encodings import media_type_at
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.signatures import SignedPart, ThoughtSignature, read_signature
from heliostat_json.objects import JsonObject, object_at, text_at

# Documented by Google for calls that another model made: Gemini 3 and later refuse a step of the
# present turn whose first call is not signed.
FOREIGN_CALL: Final = "skip_thought_signature_validator"
_ASKS_FOR_NO_SIGNATURE: Final = ("gemini-1", "gemini-2")


def write_contents(messages: list[JsonObject], model: str) -> list[JsonObject]:
    """The contents for `model`. Raises UntranslatableError for a result without its call."""
    names: dict[str, str] = {}  # of calls, by id: Gemini wants a result to say its tool's name
    contents: list[JsonObject] = []
    for index, message in enumerate(messages):
        blocks = blocks_of(message.get("content"))
        if message.get("role") == "assistant":
            names |= {
                text_at(block, "id"): text_at(block, "name")
                for block in blocks
                if block.get("type") == "tool_use"
            }
            parts = _Parts(blocks).parts
            if not model.startswith(_ASKS_FOR_NO_SIGNATURE):
                _mark_foreign_calls(parts)
            role = "model"
        else:
            parts = [
                part
                for place, block in enumerate(blocks)
                for part in _user_parts(block, names, f"messages[{index}].content[{place}]")
            ]
            role = "user"
        if parts:
            contents.append({"role": role, "parts": [*parts]})
    return contents


class _Parts:
    """The parts of a model's turn; each signature is put back on the part that it was on."""

    def __init__(self, blocks: list[JsonObject]) -> None:
        self.parts: list[JsonObject] = []
        signed = [signature for block in blocks if (signature := read_signature(block))]
        self._of_calls = {
            each.call: each.signature for each in signed if each.part is SignedPart.CALL
        }
        for block in blocks:
            if block.get("type") in THINKING:
                self._think(block, read_signature(block))
            elif block.get("type") == "tool_use":
                self._call(block)
            else:
                self.parts += [_part(each) for each in flattened([block])]

    def _think(self, block: JsonObject, signature: ThoughtSignature | None) -> None:
        if signature is None:
            return
        text = text_at(block, "thinking")
        if signature.part is SignedPart.THOUGHT:
            signed: JsonObject = {"thoughtSignature": signature.signature}
            self.parts.append({"text": text, "thought": True, **signed})
        elif text:
            self.parts.append({"text": text, "thought": True})
        if signature.part is SignedPart.TEXT:
            self._sign_text(signature.signature)

    def _sign_text(self, signature: str) -> None:
        last = self.parts[-1] if self.parts else {}
        if not ("text" in last and "thought" not in last and "thoughtSignature" not in last):
            last = {"text": ""}
            self.parts.append(last)
        last["thoughtSignature"] = signature

    def _call(self, block: JsonObject) -> None:
        call: JsonObject = {
            "id": block.get("id"),
            "name": block.get("name"),
            "args": object_at(block, "input"),
        }
        part: JsonObject = {"functionCall": call}
        if signature := self._of_calls.get(text_at(block, "id")):
            part["thoughtSignature"] = signature
        self.parts.append(part)


def _mark_foreign_calls(parts: list[JsonObject]) -> None:
    """Of parallel calls only the first is signed: the others stay as Gemini itself has them."""
    first = next((part for part in parts if "functionCall" in part), {})
    if first and "thoughtSignature" not in first:
        first["thoughtSignature"] = FOREIGN_CALL


def _user_parts(block: JsonObject, names: dict[str, str], where: str) -> list[JsonObject]:
    if block.get("type") == "tool_result":
        return [_result(block, names, where)]
    return [_part(each) for each in flattened([block])]


def _result(block: JsonObject, names: dict[str, str], where: str) -> JsonObject:
    call = text_at(block, "tool_use_id")
    if call not in names:
        raise UntranslatableError(
            f"{where}.tool_use_id", "must be the id of a tool_use block before it"
        )
    content = flattened(blocks_of(block.get("content")))
    text = "\n".join(text_at(each, "text") for each in content if each.get("type") == "text")
    key = "error" if block.get("is_error") is True else "output"
    response: JsonObject = {"id": call, "name": names[call], "response": {key: text}}
    if media := [_part(each) for each in content if each.get("type") != "text"]:
        response["parts"] = [*media]
    return {"functionResponse": response}


def _part(block: JsonObject) -> JsonObject:
    if block.get("type") == "text":
        return {"text": text_at(block, "text")}
    source = object_at(block, "source")
    if source.get("type") == "url":
        url = text_at(source, "url")
        pdf = block.get("type") == "document"
        media_type = "application/pdf" if pdf else media_type_at(url)
        file: JsonObject = {"fileUri": url}
        return {"fileData": {**file, "mimeType": media_type} if media_type else file}
    return {
        "inlineData": {"mimeType": source.get("media_type"), "data": source.get("data")},
    }
