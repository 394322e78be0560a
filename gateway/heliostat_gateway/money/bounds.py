"""The most that a request of a strict key can use.

At most = bytes as tokens for text, fixed maxima for what is no text, the dearest price of each
variant that the request allows, and the whole of `max_tokens`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.money.bookings import Bound, Terms, Usage
from heliostat_gateway.money.costs import max_tokens_of
from heliostat_gateway.money.prices import Rates, RateTable
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

# What a strict request gets that names no maximum; the gateway then writes it into the request.
STRICT_MAX_TOKENS: Final = 8192
# Most tokens of one image at the largest size that a provider does not scale down.
IMAGE_TOKENS: Final = 8192
# A document may fill the largest context window that is sold; its bytes say nothing about its text.
DOCUMENT_TOKENS: Final = 1_000_000
# What providers put in front of a request that has tools.
HIDDEN_TOKENS: Final = 2048
# What one use of a server tool may put into the context; its max_uses says how often.
SERVER_TOOL_TOKENS: Final = 100_000

_IMAGES: Final = frozenset({"image", "image_url", "input_image"})
_DOCUMENTS: Final = frozenset({"document", "file", "input_file", "input_audio", "container_upload"})
# Tools with a type that run at the client: they cost nothing but the tokens of the request.
_CLIENT_TOOL: Final = re.compile(r"(custom|function|(bash|text_editor|computer|memory)_\d+)")
_INPUTS: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
_OUTPUTS: Final = frozenset({"output"})
_OPEN_TIERS: Final = frozenset({"", "auto"})
_PLAIN_TIERS: Final = frozenset({"default", "standard", "standard_only"})
_ANYWHERE: Final = frozenset({"global"})
# What lets a provider do more, or ask other models, than the request says.
_UNBOUNDED: Final = (
    "mcp_servers",
    "web_search_options",
    "container",
    "fallbacks",
    "fallback_credit_token",
    "models",
    "plugins",
)
_NANOS_PER_TOKEN = 1000  # at a dollar per million


class UnboundedRequestError(Exception):
    """A strict key asks for something without an upper bound; names the field and the remedy."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.field = where


def bound(rates: Rates, document: JsonObject, request_bytes: int) -> Bound:
    """The most that the request can use. Raises UnboundedRequestError."""
    uses = _server_tool_uses(document)
    choices = max(1, count_at(document, "n"))
    named = max_tokens_of(document)
    maximum = STRICT_MAX_TOKENS if named is None else named
    tokens = _input_tokens(document, request_bytes)
    # Each use of a server tool sends everything again, with what the uses before it found.
    tokens = (uses + 1) * (tokens + uses * (SERVER_TOOL_TOKENS + maximum))
    table = dearest_table(rates, tokens, _allowed_terms(rates, document))
    media = _media(rates, document, table)
    input_rate = max(table[kind] for kind in (*_INPUTS, *media) if not kind.startswith("output"))
    output_rate = max(table[kind] for kind in _OUTPUTS | media if kind.startswith("output"))
    output_rate = max(output_rate, table.get("thinking", output_rate))
    nanos = _up(tokens * input_rate * _NANOS_PER_TOKEN)
    if uses:
        if "web_searches" not in table:
            raise UnboundedRequestError("tools", "this model's server tools have no known price.")
        nanos += _up(uses * table["web_searches"] * _NANOS_PER_TOKEN)
    return Bound(
        input_tokens=tokens,
        input_nanos=nanos,
        max_tokens=maximum,
        output_rate=_up(output_rate * _NANOS_PER_TOKEN * 1000),
        choices=choices,
    )


def dearest_table(rates: Rates, most_input: int, variants: Sequence[Usage]) -> RateTable:
    """Finds for each kind the dearest price of every size up to `most_input` and of each variant.

    Sizes are tried at each power of two: tiers start far apart, and the largest counts too.
    """
    tables = [
        rates.table(replace(variant, input=size))
        for size in [*(1 << power for power in range(most_input.bit_length())), most_input]
        for variant in variants
    ]
    kinds = {kind for table in tables for kind in table}
    return {kind: max(table[kind] for table in tables if kind in table) for kind in kinds}


def _allowed_terms(rates: Rates, document: JsonObject) -> list[Usage]:
    """Every variant that may answer the request. Raises UnboundedRequestError.

    What a request leaves open is decided by a project's or workspace's own setting at the
    provider, which may be the dearest.
    """
    known = rates.variants
    tier, geo = text_at(document, "service_tier"), text_at(document, "inference_geo")
    speed = text_at(document, "speed")
    tiers, geos, speeds = {""}, {""}, {""}
    if tier in _OPEN_TIERS:
        tiers |= known.tiers - {"batch"}
    elif tier not in _PLAIN_TIERS:
        tiers |= _named("service_tier", tier, known.tiers)
    if not geo:
        geos |= known.geos
    elif geo not in _ANYWHERE:
        geos |= _named("inference_geo", geo, known.geos)
    if speed not in ("", "standard"):
        speeds |= _named("speed", speed, known.speeds)
    return [
        Usage(speed=speed, terms=Terms(tier=tier, geo=geo))
        for tier in sorted(tiers)
        for geo in sorted(geos)
        for speed in sorted(speeds)
    ]


def _named(field: str, word: str, known: frozenset[str]) -> set[str]:
    """What a request names. Raises UnboundedRequestError when it has no known price."""
    if word not in known:
        raise UnboundedRequestError(
            field, f"{word[:40]!r} has no known price for this model; leave it out."
        )
    return {word}


def _media(rates: Rates, document: JsonObject, table: RateTable) -> frozenset[str]:
    """Kinds of sound and pictures in and out of this request. Raises UnboundedRequestError."""
    found = set[str]()
    for block in _objects(document):
        kind = text_at(block, "type")
        if kind == "input_audio":
            found.add("input_audio")
        elif kind in _IMAGES:
            found.add("input_image")
        elif kind in _DOCUMENTS:
            found |= {"input_image", "input_audio", "input_video"} & table.keys()
    wanted = list_at(document, "modalities")
    found |= {f"output_{kind}" for kind in ("audio", "image") if kind in wanted}
    for kind in sorted(found):
        if kind.endswith("audio") and kind not in table and not rates.audio_as_text:
            where = "modalities" if kind.startswith("output") else "input_audio"
            raise UnboundedRequestError(where, "audio has no known price for this model.")
    found |= {kind.replace("input", "cache_read") for kind in found}
    return frozenset(found & table.keys())


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


def _input_tokens(document: JsonObject, request_bytes: int) -> int:
    images = documents = encoded = 0
    for block in _objects(document):
        kind = text_at(block, "type")
        if kind in _IMAGES:
            images += 1
        elif kind in _DOCUMENTS:
            documents += 1
        else:
            continue
        encoded += _encoded_bytes(block)
    hidden = HIDDEN_TOKENS if list_at(document, "tools") else 0
    text = max(0, request_bytes - encoded)
    return text + hidden + images * IMAGE_TOKENS + documents * DOCUMENT_TOKENS


def _encoded_bytes(block: JsonObject) -> int:
    """Bytes of base64 in an image or document: they are no text."""
    source = object_at(block, "source")
    if text_at(source, "type") == "base64":
        return len(text_at(source, "data"))
    url = text_at(object_at(block, "image_url"), "url")
    if url.startswith("data:"):
        return len(url)
    inner = object_at(block, "file") or object_at(block, "input_audio")
    return len(text_at(inner, "file_data")) + len(text_at(inner, "data"))


def _server_tool_uses(document: JsonObject) -> int:
    """How often server tools may run in all. Raises UnboundedRequestError."""
    for name in _UNBOUNDED:
        if document.get(name):
            raise UnboundedRequestError(name, "has no upper bound; a strict key can't use it.")
    for index, edit in enumerate(list_at(object_at(document, "context_management"), "edits")):
        if isinstance(edit, dict) and text_at(edit, "type").startswith("compact"):
            raise UnboundedRequestError(
                f"context_management.edits.{index}",
                "compaction is billed beside the answer; a strict key can't use it.",
            )
    uses = 0
    for index, tool in enumerate(list_at(document, "tools")):
        if not isinstance(tool, dict):
            continue
        kind = text_at(tool, "type")
        if not kind or _CLIENT_TOOL.fullmatch(kind):
            continue
        if kind.startswith("advisor"):
            raise UnboundedRequestError(
                f"tools.{index}", "an advisor is another model; a strict key can't use it."
            )
        if "max_uses" not in tool:
            raise UnboundedRequestError(
                f"tools.{index}.max_uses", "must be set for a server tool under a strict key."
            )
        uses += count_at(tool, "max_uses")
    return uses


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    """Every object in a document, at any depth."""
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, dict):
            yield found
            stack.extend(found.values())
        elif isinstance(found, list):
            stack.extend(found)
