"""Content blocks that the Messages API refuses."""

import base64
import binascii

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, text_at
from heliostat_scripted.checks import needed_object, needed_text, one_of, refuse, words
from heliostat_scripted.signatures import signature_of

_USER = words("text image document tool_result search_result container_upload")
_ASSISTANT = words("text thinking redacted_thinking tool_use server_tool_use")
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_SOURCES = words("base64 url file text content")


def check_content(content: JsonValue, role: str, field: str, *, is_last: bool) -> None:
    """The content of a message. Raises RefusedError."""
    if content is None:
        refuse(field, "Field required")
    if isinstance(content, str):
        if not content and not (is_last and role == "assistant"):
            refuse(field, "all messages must have non-empty content")
        return
    if not isinstance(content, list):
        refuse(field, "Input should be a text or a list of blocks")
    if not content and not (is_last and role == "assistant"):
        refuse(field, "all messages must have non-empty content")
    seen_other = False
    for index, block in enumerate(content):
        place = f"{field}.{index}"
        kind = _check_block(needed_object(block, place), role, place)
        if kind == "tool_result" and seen_other:
            refuse(place, "`tool_result` blocks must come before all other content")
        seen_other = seen_other or kind != "tool_result"


def _check_block(block: JsonObject, role: str, field: str) -> str:
    kind = needed_text(block.get("type"), f"{field}.type")
    wrong = _ASSISTANT - _USER if role == "user" else _USER - _ASSISTANT
    if kind in wrong:
        refuse(field, f"`{kind}` blocks can't be in {role} messages")
    if kind == "text":
        needed_text(block.get("text"), f"{field}.text")
    elif kind == "thinking":
        _check_thinking(block, field)
    elif kind == "tool_use":
        needed_text(block.get("id"), f"{field}.id")
        needed_text(block.get("name"), f"{field}.name")
        needed_object(block.get("input"), f"{field}.input")
    elif kind == "tool_result":
        _check_result(block, field)
    elif kind in ("image", "document"):
        _check_source(block, field, images=kind == "image")
    elif kind not in _USER | _ASSISTANT and not kind.endswith("_tool_result"):
        refuse(f"{field}.type", f"Input tag '{kind}' is none of the expected tags")
    return kind


def _check_thinking(block: JsonObject, field: str) -> None:
    text = block.get("thinking")
    signature = block.get("signature")
    if not isinstance(text, str):
        refuse(f"{field}.thinking", "Field required")
    if not isinstance(signature, str):
        refuse(f"{field}.signature", "Field required")
    # A client may be sent no text (display: omitted); then there is nothing to compare.
    if not signature or (text and signature != signature_of(text)):
        refuse(f"{field}.signature", "Invalid `signature` in `thinking` block")


def _check_result(block: JsonObject, field: str) -> None:
    needed_text(block.get("tool_use_id"), f"{field}.tool_use_id")
    content = block.get("content")
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        refuse(f"{field}.content", "Input should be a text or a list of blocks")
    for index, part in enumerate(content):
        place = f"{field}.content.{index}"
        inner = needed_object(part, place)
        kinds = ("text", "image", "document", "search_result", "tool_reference")
        if one_of(inner.get("type"), kinds, f"{place}.type") == "text":
            needed_text(inner.get("text"), f"{place}.text")
        elif text_at(inner, "type") in ("image", "document"):
            _check_source(inner, place, images=inner.get("type") == "image")


def _check_source(block: JsonObject, field: str, *, images: bool) -> None:
    source = needed_object(block.get("source"), f"{field}.source")
    kind = one_of(source.get("type"), _SOURCES, f"{field}.source.type")
    if kind == "url":
        needed_text(source.get("url"), f"{field}.source.url")
    if kind != "base64":
        return
    media = needed_text(source.get("media_type"), f"{field}.source.media_type")
    if images and media not in _IMAGES:
        refuse(f"{field}.source.media_type", f"Input should be one of {', '.join(sorted(_IMAGES))}")
    try:
        base64.b64decode(needed_text(source.get("data"), f"{field}.source.data"), validate=True)
    except binascii.Error:
        refuse(f"{field}.source.data", "invalid base64 data")
