"""What a target takes less of than the caller's dialect.

It is mended where the meaning stays, else refused by name before anything is paid.

Names and ids that a target does not take are written in another way, the same each time, and the
names in its answer are those of the caller again.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import blocks_of, objects
from heliostat_gateway.dialects.encodings import parse_data_url
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


@dataclass(frozen=True)
class Limits:
    """The limits of one target."""

    title: str  # for people
    name: re.Pattern[str]  # of a tool
    longest_name: int
    call_id: re.Pattern[str]
    longest_id: int
    images: frozenset[str]
    stops: int | None = None  # stop sequences at most
    tools: int | None = None
    takes_blank_stops: bool = True
    only_https: bool = False  # addresses of images


_WORD: Final = re.compile(r"[A-Za-z0-9_-]+")
_ANY: Final = re.compile(r".+", re.DOTALL)
_WEB_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
LIMITS: Final = {
    Dialect.MESSAGES: Limits(
        "Anthropic", _WORD, 128, _WORD, 128, _WEB_IMAGES, takes_blank_stops=False, only_https=True
    ),
    Dialect.CHAT: Limits("OpenAI", _WORD, 64, _ANY, 40, _WEB_IMAGES, stops=4, tools=128),
    Dialect.GEMINI: Limits(
        "Gemini",
        re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*"),
        64,
        _ANY,
        1024,
        frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"}),
        stops=5,
    ),
}
_SAME_IMAGE: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg"}
_MOST_MARKS: Final = 4  # of `cache_control` that Anthropic takes
_HASH: Final = 8


def check_limits(
    document: JsonObject, source: Dialect, target: Dialect, *, counts: bool = True
) -> None:
    """Raises UntranslatableError for what no mending keeps the meaning of.

    `counts`: also for too many of something, which only the maker of the dialect limits.
    """
    limits = LIMITS[target]
    stops = list(_stops(document, source))
    if counts and limits.stops is not None and len(stops) > limits.stops:
        name = stops[limits.stops][0].partition("[")[0]
        raise UntranslatableError(name, f"{limits.title} takes at most {limits.stops}; send fewer")
    if counts and limits.tools is not None and len(list_at(document, "tools")) > limits.tools:
        raise UntranslatableError("tools", f"{limits.title} takes at most {limits.tools}")
    for place, text in stops:
        if not limits.takes_blank_stops and not text.strip():
            raise UntranslatableError(
                place, f"{limits.title} takes none of white space alone; leave it out"
            )
    for place, kind, address in _images(document, source):
        if kind and kind not in limits.images:
            raise UntranslatableError(
                place, f"{limits.title} takes {', '.join(sorted(limits.images))}, not {kind[:40]}"
            )
        if limits.only_https and address.startswith("http:"):
            raise UntranslatableError(place, f"{limits.title} fetches only https; send its bytes")


def fit_limits(inner: JsonObject, target: Dialect) -> JsonObject:
    """The request in the inner form, with names, ids, images and marks as the target takes them."""
    limits = LIMITS[target]
    fitted = dict(inner)
    if "stop_sequences" in fitted:
        fitted["stop_sequences"] = [stop for stop in list_at(fitted, "stop_sequences") if stop]
    if "tools" in fitted:
        fitted["tools"] = [_named(tool, limits) for tool in objects(list_at(fitted, "tools"))]
    choice = object_at(fitted, "tool_choice")
    if text_at(choice, "name"):
        fitted["tool_choice"] = _named(choice, limits)
    fitted["messages"] = [
        _fit_message(message, limits) for message in objects(list_at(fitted, "messages"))
    ]
    return _with_few_marks(fitted) if target is Dialect.MESSAGES else fitted


def told_names(document: JsonObject, source: Dialect, target: Dialect) -> Mapping[str, str]:
    """Names of tools as the target was told them, and the caller's own, where these differ."""
    tools = objects(list_at(document, "tools"))
    names = [
        text_at(object_at(tool, "function") if source is Dialect.CHAT else tool, "name")
        for tool in tools
    ]
    limits = LIMITS[target]
    told = {fit_name(name, limits): name for name in names if name}
    return {name: own for name, own in told.items() if name != own}


def restore_name(event: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """An event of the inner form, or a block, with the caller's own name of the tool."""
    block = object_at(event, "content_block") or event
    own = names.get(text_at(block, "name"))
    if own is None or block.get("type") != "tool_use":
        return event
    named: JsonObject = {**block, "name": own}
    return named if block is event else {**event, "content_block": named}


def fit_name(name: str, limits: Limits) -> str:
    """A tool's name as the target takes it; what is changed ends in a hash of the whole."""
    if limits.name.fullmatch(name) and len(name) <= limits.longest_name:
        return name
    return _hashed(name, limits.longest_name)


def _fit_id(call_id: str, limits: Limits) -> str:
    if limits.call_id.fullmatch(call_id) and len(call_id) <= limits.longest_id:
        return call_id
    return _hashed(call_id, limits.longest_id)


def _hashed(text: str, longest: int) -> str:
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_HASH]
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", text)[: longest - _HASH - 2]
    plain = plain if plain[:1].isalpha() else f"_{plain}"
    return f"{plain[: longest - _HASH - 1]}_{digest}"


def _named(tool: JsonObject, limits: Limits) -> JsonObject:
    name = text_at(tool, "name")
    return {**tool, "name": fit_name(name, limits)} if name else tool


def _fit_message(message: JsonObject, limits: Limits) -> JsonObject:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [_fit_block(block, limits) for block in content]}


def _fit_block(block: JsonValue, limits: Limits) -> JsonValue:
    if not isinstance(block, dict):
        return block
    match block.get("type"):
        case "tool_use":
            call_id = _fit_id(text_at(block, "id"), limits) if text_at(block, "id") else ""
            return {**_named(block, limits), **({"id": call_id} if call_id else {})}
        case "tool_result":
            fitted: JsonObject = {**block}
            if call := text_at(block, "tool_use_id"):
                fitted["tool_use_id"] = _fit_id(call, limits)
            if isinstance(content := block.get("content"), list):
                fitted["content"] = [_fit_block(each, limits) for each in content]
            return fitted
        case "image":
            source = object_at(block, "source")
            same = _SAME_IMAGE.get(text_at(source, "media_type").lower())
            return {**block, "source": {**source, "media_type": same}} if same else block
        case _:
            return block


def _with_few_marks(inner: JsonObject) -> JsonObject:
    """Keeps as many marks of the cache as Anthropic takes: the last ones, which cover the rest."""
    places = [
        *objects(list_at(inner, "tools")),
        *objects(list_at(inner, "system")),
        *(
            block
            for message in objects(list_at(inner, "messages"))
            for block in blocks_of(message.get("content"))
        ),
    ]
    marked = [id(place) for place in places if "cache_control" in place]
    if len(marked) <= _MOST_MARKS:
        return inner
    dropped = set(marked[:-_MOST_MARKS])

    def thin(block: JsonValue) -> JsonValue:
        if not isinstance(block, dict) or id(block) not in dropped:
            return block
        return {name: value for name, value in block.items() if name != "cache_control"}

    thinned = dict(inner)
    for name in ("tools", "system"):
        if name in inner:
            thinned[name] = [thin(each) for each in list_at(inner, name)]
    thinned["messages"] = [
        {**message, "content": [thin(each) for each in list_at(message, "content")]}
        if isinstance(message.get("content"), list)
        else message
        for message in objects(list_at(inner, "messages"))
    ]
    return thinned


def _stops(document: JsonObject, source: Dialect) -> Iterator[tuple[str, str]]:
    """Stop sequences with their places; an empty one stops nothing and is left out."""
    name = "stop" if source is Dialect.CHAT else "stop_sequences"
    value = document.get(name)
    if isinstance(value, str) and value:
        yield name, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, str) and each:
                yield f"{name}[{index}]", each


def _images(document: JsonObject, source: Dialect) -> Iterator[tuple[str, str, str]]:
    """Images with their places: type of the bytes, or address."""
    for number, message in enumerate(objects(list_at(document, "messages"))):
        for place, block in _blocks(message.get("content"), f"messages[{number}].content"):
            if source is Dialect.CHAT and block.get("type") == "image_url":
                url = text_at(object_at(block, "image_url"), "url")
                found = parse_data_url(url)
                kind = _image_type(found.media_type) if found is not None else ""
                yield f"{place}.image_url.url", kind, url
            elif source is Dialect.MESSAGES and block.get("type") == "image":
                held = object_at(block, "source")
                kind = _image_type(text_at(held, "media_type"))
                yield f"{place}.source", kind, text_at(held, "url")


def _blocks(content: JsonValue, place: str) -> Iterator[tuple[str, JsonObject]]:
    for index, block in enumerate(content if isinstance(content, list) else []):
        if isinstance(block, dict):
            yield f"{place}[{index}]", block
            yield from _blocks(block.get("content"), f"{place}[{index}].content")


def _image_type(written: str) -> str:
    kind = written.lower()
    return _SAME_IMAGE.get(kind, kind)
