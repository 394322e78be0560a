"""What a strict key reserves, as docs/gateway.md says it: from above, and never without a limit."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue

from heliostat_gateway.money.bookings import Bound, Usage
from heliostat_gateway.money.bounds import UnboundedRequestError, bound, dearest_table
from heliostat_gateway.money.costs import OutputHistory
from heliostat_gateway.money.prices import FlatRates, RateTable, Variants
from heliostat_json.objects import JsonObject

PAGE = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
PLAIN = {
    "input": Decimal(2),
    "output": Decimal(10),
    "cache_read": Decimal(1),
    "cache_write_5m": Decimal(3),
    "cache_write_1h": Decimal(4),
}
WITH_SEARCH = PLAIN | {"web_searches": Decimal(10_000)}
TEXT_BYTES = 500  # of a request beside what is encoded in it
PAYLOAD = "A" * 30_000


def bound_of(
    document: JsonObject, request_bytes: int = TEXT_BYTES, prices: RateTable = WITH_SEARCH
) -> Bound:
    return bound(FlatRates(prices), {"max_tokens": 100, **document}, request_bytes)


def said(*words: str) -> None:
    """The page says so, and callers rely on it."""
    for each in words:
        assert each in PAGE


def messages(*blocks: JsonObject) -> JsonObject:
    return {"messages": [{"content": [*blocks]}]}


# ---- tokens --------------------------------------------------------------------------------------


def test_each_byte_of_text_is_a_token() -> None:
    said("each byte of text a token")
    assert bound_of({"messages": [{"content": "Hello."}]}).input_tokens == TEXT_BYTES


def test_a_request_without_a_maximum_gets_the_one_that_the_page_names() -> None:
    said("`max_tokens` (8,192 if none is named)", "1,000 tokens\n  without a history")
    assert bound(FlatRates(PLAIN), {}, 0).max_tokens == 8192
    assert bound_of({"max_tokens": 0}).max_tokens == 0
    assert OutputHistory().expected("agent", "model", None) == 1000


IMAGE: JsonObject = {"type": "image", "source": {"type": "base64", "data": PAYLOAD}}
IMAGE_URL: JsonObject = {"type": "image_url", "image_url": {"url": f"data:image/png,{PAYLOAD}"}}
FILE: JsonObject = {"type": "file", "file": {"file_data": PAYLOAD}}
DOCUMENT: JsonObject = {"type": "document", "source": {"type": "base64", "data": PAYLOAD}}
LINKED: JsonObject = {"type": "image", "source": {"type": "url", "data": PAYLOAD}}
LINKED_URL: JsonObject = {"type": "image_url", "image_url": {"url": f"https://x/{PAYLOAD}"}}
URL_HEAD = len("data:image/png,")


@pytest.mark.parametrize(
    ("blocks", "encoded", "tokens"),
    [
        ([IMAGE], 30_000, 8192),
        ([IMAGE, {"type": "text"}, IMAGE], 60_000, 2 * 8192),
        ([IMAGE_URL], 30_000 + URL_HEAD, 8192),
        ([{**IMAGE, "type": "input_image"}], 30_000, 8192),
        ([LINKED], 0, 8192),
        ([LINKED_URL], 0, 8192),
        ([DOCUMENT], 30_000, 1_000_000),
        ([FILE, DOCUMENT], 60_000, 2_000_000),
        ([{**FILE, "type": "input_file"}], 30_000, 1_000_000),
        ([{"type": "container_upload"}], 0, 1_000_000),
        ([{"type": "tool_result", "content": [IMAGE, FILE]}], 60_000, 1_008_192),
        ([{"type": "text", "source": {"type": "base64", "data": PAYLOAD}}], 0, 0),
    ],
)
def test_what_is_no_text_counts_with_its_maximum_instead_of_its_bytes(
    blocks: list[JsonObject], encoded: int, tokens: int
) -> None:
    said("an image 8,192 tokens, a document 1,000,000", "instead of\ntheir bytes")
    found = bound_of(messages(*blocks), encoded + TEXT_BYTES)
    assert found.input_tokens == tokens + TEXT_BYTES


def test_a_request_is_never_smaller_than_what_is_encoded_in_it() -> None:
    assert bound_of(messages(IMAGE), 10).input_tokens == 8192


def test_sound_in_base64_counts_as_a_document() -> None:
    sound: JsonObject = {"type": "input_audio", "input_audio": {"data": PAYLOAD}}
    prices = PLAIN | {"input_audio": Decimal(40)}
    found = bound_of(messages(sound), 30_000 + TEXT_BYTES, prices)
    assert found.input_tokens == 1_000_000 + TEXT_BYTES


def test_tools_add_what_providers_put_before_them() -> None:
    said("2,048 for what providers put before tools")
    kinds = ("custom", "function", "computer_20251124")
    client_tools: list[JsonValue] = [{"type": kind} for kind in kinds]
    tools: list[JsonValue] = [{"name": "a"}, *client_tools, "nonsense"]
    assert bound_of({"tools": tools}).input_tokens == TEXT_BYTES + 2048
    assert bound_of({"tools": []}).input_tokens == TEXT_BYTES


def search(uses: int) -> JsonObject:
    return {"type": "web_search_20260209", "max_uses": uses}


@pytest.mark.parametrize(
    ("tools", "uses"),
    [
        ([search(0)], 0),
        ([search(1)], 1),
        ([search(2)], 2),
        ([search(2), {"name": "a"}, search(1)], 3),
    ],
)
def test_each_use_of_a_server_tool_sends_all_again(tools: list[JsonObject], uses: int) -> None:
    said("each use of a server tool sends all again with 100,000\ntokens of findings")
    found = bound_of({"tools": [*tools]})
    once = TEXT_BYTES + 2048
    tokens = (uses + 1) * (once + uses * (100_000 + 100))
    assert found.input_tokens == tokens
    assert found.input_nanos == tokens * 4000 + uses * 10_000_000


def test_a_server_tool_without_a_price_is_refused() -> None:
    assert bound_of({"tools": [search(0)]}, prices=PLAIN).input_nanos > 0
    with pytest.raises(UnboundedRequestError) as caught:
        bound_of({"tools": [search(1)]}, prices=PLAIN)
    assert caught.value.field == "tools"


@pytest.mark.parametrize(
    "name",
    [
        "mcp_servers",
        "web_search_options",
        "container",
        "fallbacks",
        "fallback_credit_token",
        "models",
        "plugins",
    ],
)
def test_what_lets_a_provider_do_more_than_the_request_says_is_refused(name: str) -> None:
    bound_of({name: []})  # it says nothing
    with pytest.raises(UnboundedRequestError) as caught:
        bound_of({name: ["x"]})
    assert caught.value.field == name


def test_edits_that_only_take_something_away_are_allowed() -> None:
    def edited(*kinds: str) -> Bound:
        edits: list[JsonValue] = [{"type": kind} for kind in kinds]
        return bound_of({"context_management": {"edits": ["nonsense", *edits]}})

    assert edited("clear_tool_uses_20250919").input_tokens == TEXT_BYTES
    with pytest.raises(UnboundedRequestError) as caught:
        edited("clear_tool_uses_20250919", "compact_20260112")
    assert caught.value.field == "context_management.edits.2"


@pytest.mark.parametrize(
    ("asked", "choices"), [({}, 1), ({"n": 0}, 1), ({"n": 1}, 1), ({"n": 4}, 4)]
)
def test_every_choice_is_paid(asked: JsonObject, choices: int) -> None:
    assert bound_of(asked).choices == choices


# ---- prices --------------------------------------------------------------------------------------


def test_fractions_are_rounded_up() -> None:
    cheap = dict.fromkeys(PLAIN, Decimal("0.0000015"))
    found = bound_of({}, 1, cheap)
    assert (found.input_nanos, found.output_rate) == (1, 2)


@pytest.mark.parametrize("kind", ["input", "cache_read", "cache_write_5m", "cache_write_1h"])
def test_all_input_may_have_the_dearest_price(kind: str) -> None:
    prices = PLAIN | {kind: Decimal(9)}
    assert bound_of({}, 7, prices).input_nanos == 7 * 9000


def test_thinking_may_be_dearer_than_other_output() -> None:
    assert bound_of({}).output_rate == 10_000_000
    assert bound_of({}, prices=PLAIN | {"thinking": Decimal(30)}).output_rate == 30_000_000
    assert bound_of({}, prices=PLAIN | {"thinking": Decimal(3)}).output_rate == 10_000_000


MEDIA = PLAIN | {
    "input_audio": Decimal(40),
    "cache_read_audio": Decimal(5),
    "input_image": Decimal(20),
    "input_video": Decimal(50),
    "output_audio": Decimal(60),
    "output_image": Decimal(70),
}
SOUND: JsonObject = {"type": "input_audio"}


@pytest.mark.parametrize(
    ("document", "rate_in", "rate_out"),
    [
        ({}, 4, 10),
        (messages({"type": "text"}), 4, 10),
        (messages(SOUND), 40, 10),
        (messages({"type": "image"}), 20, 10),
        (messages({"type": "image_url"}), 20, 10),
        (messages({"type": "input_image"}), 20, 10),
        (messages({"type": "document"}), 50, 10),
        (messages({"type": "text"}, {"type": "image"}, SOUND), 40, 10),
        ({"modalities": ["text"]}, 4, 10),
        ({"modalities": ["text", "audio"]}, 4, 60),
        ({"modalities": ["image"]}, 4, 70),
    ],
)
def test_sound_and_pictures_are_reserved_at_their_own_prices(
    document: JsonObject, rate_in: int, rate_out: int
) -> None:
    found = bound_of(document, prices=MEDIA)
    assert found.input_nanos == found.input_tokens * rate_in * 1000
    assert found.output_rate == rate_out * 1_000_000


def test_sound_from_the_cache_may_be_dearer() -> None:
    found = bound_of(messages(SOUND), prices=MEDIA | {"cache_read_audio": Decimal(80)})
    assert found.input_nanos == found.input_tokens * 80_000


def test_pictures_without_a_price_of_their_own_cost_as_text() -> None:
    found = bound_of(messages({"type": "image"}) | {"modalities": ["image"]}, prices=PLAIN)
    assert (found.input_nanos, found.output_rate) == (found.input_tokens * 4000, 10_000_000)


@pytest.mark.parametrize(
    ("document", "field"),
    [(messages(SOUND), "input_audio"), ({"modalities": ["audio"]}, "modalities")],
)
def test_sound_without_a_price_of_its_own_is_refused_where_it_does_not_cost_as_text(
    document: JsonObject, field: str
) -> None:
    class AudioAsText(FlatRates):
        audio_as_text = True

    with pytest.raises(UnboundedRequestError) as caught:
        bound_of(document, prices=PLAIN)
    assert caught.value.field == field
    found = bound(AudioAsText(PLAIN), {"max_tokens": 1, **document}, TEXT_BYTES)
    assert (found.input_nanos, found.output_rate) == (found.input_tokens * 4000, 10_000_000)


# ---- variants ------------------------------------------------------------------------------------


def priced(factor: int) -> RateTable:
    return {kind: price * factor for kind, price in PLAIN.items()}


VARIANTS = FlatRates(
    PLAIN,
    named={
        ("tier", "priority"): priced(2),
        ("geo", "us"): priced(3),
        ("speed", "fast"): priced(5),
        ("tier", "batch"): priced(7),
    },
)


@pytest.mark.parametrize(
    ("asked", "factor"),
    [
        ({}, 3),  # nothing of a request says that it stays out of a place
        ({"inference_geo": "global"}, 2),
        ({"inference_geo": "global", "service_tier": "auto"}, 2),
        ({"inference_geo": "global", "service_tier": "default"}, 1),
        ({"inference_geo": "global", "service_tier": "standard"}, 1),
        ({"inference_geo": "global", "service_tier": "standard_only"}, 1),
        ({"inference_geo": "global", "service_tier": "priority"}, 2),
        ({"inference_geo": "us", "service_tier": "default"}, 3),
        ({"inference_geo": "global", "speed": "standard"}, 2),
        ({"inference_geo": "global", "speed": "fast"}, 5),
        ({"inference_geo": "global", "service_tier": "batch"}, 7),
    ],
)
def test_the_dearest_variant_that_a_request_allows_is_reserved(
    asked: JsonObject, factor: int
) -> None:
    found = bound(VARIANTS, {"max_tokens": 1, **asked}, 7)
    assert (found.input_nanos, found.output_rate) == (7 * 4000 * factor, 10_000_000 * factor)


@pytest.mark.parametrize("field", ["service_tier", "inference_geo", "speed"])
def test_a_variant_without_a_price_is_refused_by_its_field(field: str) -> None:
    with pytest.raises(UnboundedRequestError) as caught:
        bound(VARIANTS, {field: "warp"}, 7)
    assert caught.value.field == field


class Sized:
    """Each doubling of the input has prices of its own; above `cliff` they are lower again."""

    variants = Variants()
    audio_as_text = takes_stated = False

    def __init__(self, cliff: int) -> None:
        self.cliff = cliff

    def table(self, usage: Usage) -> RateTable:
        size = usage.total_input
        price = Decimal(1 if size > self.cliff else size.bit_length() + 1)
        own = {"thinking": Decimal(size)} if size > 3 else {}
        return {"input": price, **own}

    def other(self, model: str) -> None:
        """No other model."""


@pytest.mark.parametrize(
    ("cliff", "most", "price"),
    [(1000, 0, 1), (1000, 1, 2), (1000, 5, 4), (3, 100, 3), (99, 100, 8)],
)
def test_the_dearest_price_of_every_size_up_to_the_largest_counts(
    cliff: int, most: int, price: int
) -> None:
    table = dearest_table(Sized(cliff), most, [Usage()])
    assert table["input"] == price
    assert table.get("thinking") == (Decimal(most) if most > 3 else None)
