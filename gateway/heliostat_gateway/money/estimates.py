"""How much a request will use: expected for most keys, at most for strict ones.

Expected = counted input (bytes / 4, rounded up) + the output that this agent got from this model
lately. At most = bytes as tokens for text, fixed maxima for what is no text, the dearest price of
each, and the whole of `max_tokens`.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.money.bookings import Bound, Estimate, Usage
from heliostat_gateway.money.prices import Rates, RateTable, cost_nanos
from heliostat_json.objects import JsonObject, count_at, list_at, object_at, text_at

# What an agent without a history is expected to get: about a page of text or a large tool call.
DEFAULT_OUTPUT_TOKENS: Final = 1000
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
_MEAN_SHARE = 8  # of a new value, one eighth
_SCALE = 256  # integers with a fraction
_NANOS_PER_TOKEN = 1000  # at a dollar per million
_AGENTS = 4096


class UnboundedRequestError(Exception):
    """A strict key asks for something without an upper bound; names the field and the remedy."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.field = where


@dataclass
class _Recent:
    """Smoothed mean and deviation of outputs, as TCP estimates its round trips; scaled."""

    mean: int
    deviation: int

    def learn(self, output: int) -> None:
        off = output * _SCALE - self.mean
        self.mean += off // _MEAN_SHARE
        self.deviation += (abs(off) - self.deviation) // _MEAN_SHARE

    @property
    def expected(self) -> int:
        return -(-(self.mean + 2 * self.deviation) // _SCALE)


class OutputHistory:
    """Recent outputs by agent and model, in this process; the longest unused are forgotten."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[str, str], _Recent] = OrderedDict()

    def learn(self, agent: str, model: str, output: int) -> None:
        """Takes in what a whole answer put out."""
        recent = self._recent.get((agent, model))
        if recent is None:
            self._recent[agent, model] = _Recent(output * _SCALE, output * _SCALE // 2)
            if len(self._recent) > _AGENTS:
                self._recent.popitem(last=False)
            return
        recent.learn(output)
        self._recent.move_to_end((agent, model))

    def expected(self, agent: str, model: str, max_tokens: int | None) -> int:
        """Tokens that the next answer will probably have; never above `max_tokens`."""
        recent = self._recent.get((agent, model))
        expected = DEFAULT_OUTPUT_TOKENS if recent is None else recent.expected
        return expected if max_tokens is None else min(expected, max_tokens)


def max_tokens_of(document: JsonObject) -> int | None:
    """The maximum that a request names, in either dialect."""
    found = [
        value
        for name in ("max_completion_tokens", "max_tokens")
        if type(value := document.get(name)) is int and value >= 0
    ]
    return found[0] if found else None


def counted_input(request_bytes: int) -> Usage:
    """What a request counts for that no answer has reported on."""
    return Usage(input=-(-request_bytes // 4))


def expect(rates: Rates, request_bytes: int, output: int) -> Estimate:
    """Counted input and `output` tokens. Raises KeyError for an unpriced kind."""
    usage = counted_input(request_bytes)
    whole = Usage(input=usage.input, output=output)
    cost = cost_nanos(rates, whole)
    return Estimate(whole, cost, output_nanos=max(0, cost - cost_nanos(rates, usage)))


def bound(rates: Rates, document: JsonObject, request_bytes: int) -> Bound:
    """The most that the request can use. Raises UnboundedRequestError."""
    uses = _server_tool_uses(document)
    choices = max(1, count_at(document, "n"))
    named = max_tokens_of(document)
    maximum = STRICT_MAX_TOKENS if named is None else named
    tokens = _input_tokens(document, request_bytes)
    # Each use of a server tool sends everything again, with what the uses before it found.
    tokens = (uses + 1) * (tokens + uses * (SERVER_TOOL_TOKENS + maximum))
    table = dearest_table(rates, tokens, text_at(document, "speed"))
    input_rate = max(
        table[kind] for kind in ("input", "cache_read", "cache_write_5m", "cache_write_1h")
    )
    nanos = _up(tokens * input_rate * _NANOS_PER_TOKEN)
    if uses:
        if "web_searches" not in table:
            raise UnboundedRequestError("tools", "this model's server tools have no known price.")
        nanos += _up(uses * table["web_searches"] * _NANOS_PER_TOKEN)
    return Bound(
        input_tokens=tokens,
        input_nanos=nanos,
        max_tokens=maximum,
        output_rate=_up(table["output"] * _NANOS_PER_TOKEN * 1000),
        choices=choices,
    )


def dearest_table(rates: Rates, most_input: int, speed: str) -> RateTable:
    """For each kind the dearest price of every size up to `most_input` and of each speed.

    Sizes are tried at each power of two: tiers start far apart, and the largest counts too.
    """
    tables = [
        rates.table(Usage(input=size, speed=one))
        for size in [*(1 << power for power in range(most_input.bit_length())), most_input]
        for one in {"", speed}
    ]
    kinds = {kind for table in tables for kind in table}
    return {kind: max(table[kind] for table in tables if kind in table) for kind in kinds}


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
    for name in ("mcp_servers", "web_search_options", "container"):
        if document.get(name):
            raise UnboundedRequestError(name, "has no upper bound; a strict key can't use it.")
    uses = 0
    for index, tool in enumerate(list_at(document, "tools")):
        if not isinstance(tool, dict):
            continue
        kind = text_at(tool, "type")
        if not kind or _CLIENT_TOOL.fullmatch(kind):
            continue
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
