"""The price of an answer follows from what it says, field by field, or the answer is marked."""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from anthropic.types.beta import BetaMessageDeltaUsage, BetaUsage
from google.genai.types import GenerateContentResponseUsageMetadata
from openai.types import CompletionUsage
from pydantic import BaseModel, JsonValue
from pydantic.alias_generators import to_camel

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.meter import Meter, new_meter
from heliostat_gateway.money.costs import Charge, charge
from heliostat_gateway.money.prices import find_rates
from heliostat_gateway.money.usage_fields import (
    BESIDE_CHAT,
    BESIDE_GEMINI,
    CHAT,
    GEMINI,
    MESSAGES,
    UsageField,
    known_paths,
)
from heliostat_gateway.sse import EventReader
from heliostat_json.objects import JsonObject, dump_object

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
SOL, AUDIO, FLASH = "gpt-6.1-sol", "gpt-audio", "gemini-3-flash-preview"


@dataclass(frozen=True)
class Case:
    """An answer that uses one field, what it costs by hand, and what of it is marked."""

    field: str
    model: str
    dollars: str  # as a sum of tokens x price per million, by hand
    usage: JsonObject
    marks: tuple[str, ...] = ()
    beside: JsonObject | None = None
    provider: str = ""


BASE: JsonObject = {"input_tokens": 1000, "output_tokens": 100}
OPUS_BASE = "1000*4 + 100*20"
SPLIT: JsonObject = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}


def turn(kind: str = "message", **counts: int | str | JsonObject) -> JsonObject:
    return {"type": kind, "input_tokens": 1000, "output_tokens": 100, **counts}


MESSAGES_CASES = (
    Case("input_tokens", OPUS, OPUS_BASE, BASE),
    Case("input_tokens", HAIKU, "100001*0.5 + 100*2.5", BASE | {"input_tokens": 100_001}),
    Case("output_tokens", OPUS, "1000*4 + 7*20", BASE | {"output_tokens": 7}),
    Case(
        "output_tokens_details.thinking_tokens",
        OPUS,
        OPUS_BASE,
        BASE | {"output_tokens_details": {"thinking_tokens": 60}},
    ),
    Case(
        "cache_read_input_tokens",
        OPUS,
        f"{OPUS_BASE} + 50*0.2",
        BASE | {"cache_read_input_tokens": 50},
    ),
    Case(
        "cache_creation_input_tokens",
        OPUS,
        f"{OPUS_BASE} + 50*5",
        BASE | {"cache_creation_input_tokens": 50},
    ),
    Case(
        "cache_creation.ephemeral_5m_input_tokens",
        OPUS,
        f"{OPUS_BASE} + 30*5 + 70*8",
        BASE | {"cache_creation_input_tokens": 100, "cache_creation": SPLIT},
    ),
    Case(
        "cache_creation.ephemeral_1h_input_tokens",
        OPUS,
        f"{OPUS_BASE} + 70*8",
        BASE | {"cache_creation": {"ephemeral_1h_input_tokens": 70}},
    ),
    Case(
        "server_tool_use.web_search_requests",
        OPUS,
        f"{OPUS_BASE} + 3*10000",
        BASE | {"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 0}},
    ),
    Case(
        "server_tool_use.web_fetch_requests",
        OPUS,
        OPUS_BASE,
        BASE | {"server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 4}},
    ),
    Case("service_tier", OPUS, OPUS_BASE, BASE | {"service_tier": "standard"}),
    Case("service_tier", OPUS, "1000*2 + 100*10", BASE | {"service_tier": "batch"}),
    Case(
        "service_tier",
        OPUS,
        OPUS_BASE,
        BASE | {"service_tier": "priority"},
        ("service_tier=priority",),
    ),
    Case("speed", "claude-opus-4-8", "1000*10 + 100*50", BASE | {"speed": "fast"}),
    Case("speed", HAIKU, "1000*0.1 + 100*0.5", BASE | {"speed": "fast"}, ("speed=fast",)),
    Case("inference_geo", OPUS, OPUS_BASE, BASE | {"inference_geo": "global"}),
    Case("inference_geo", OPUS, "1000*4.4 + 100*22", BASE | {"inference_geo": "us"}),
    Case(
        "inference_geo",
        OPUS,
        "1000*4.4 + 100*22 + 1*10000",
        BASE | {"inference_geo": "us", "server_tool_use": {"web_search_requests": 1}},
    ),
    Case("inference_geo", OPUS, OPUS_BASE, BASE | {"inference_geo": "eu"}, ("inference_geo=eu",)),
    # The sum of pydantic-ai#5065: the compaction is not in the counts of the answer.
    Case(
        "iterations[].type",
        SONNET,
        "23000*2 + 1000*10 + 180000*2 + 3500*10",
        {
            "input_tokens": 23_000,
            "output_tokens": 1000,
            "iterations": [
                turn("compaction", input_tokens=180_000, output_tokens=3500),
                turn(input_tokens=23_000, output_tokens=1000),
            ],
        },
    ),
    # Each iteration has the tier of its own size.
    Case(
        "iterations[].input_tokens",
        HAIKU,
        "60000*0.1 + 100*0.5 + 70000*0.1 + 100*0.5",
        {
            "input_tokens": 60_000,
            "output_tokens": 200,
            "iterations": [turn(input_tokens=60_000), turn(input_tokens=70_000)],
        },
    ),
    Case(
        "iterations[].output_tokens",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE} + 100*20",
        BASE | {"output_tokens": 300, "iterations": [turn(), turn()]},
        ("iterations",),
    ),
    Case(
        "iterations[].type",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE}",
        BASE | {"iterations": [turn(), turn("dream")]},
        ("iterations[].type=dream",),
    ),
    Case(
        "iterations[].model",
        SONNET,
        f"1000*2 + 100*10 + {OPUS_BASE}",
        BASE | {"iterations": [turn(), turn("advisor_message", model=OPUS)]},
    ),
    Case(
        "iterations[].model",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE}",
        BASE | {"iterations": [turn(), turn("fallback_message", model="claude-nobody-1")]},
        ("iterations[].model=claude-nobody-1",),
    ),
    Case(
        "iterations[].cache_read_input_tokens",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE} + 9*0.2",
        BASE | {"iterations": [turn(), turn("compaction", cache_read_input_tokens=9)]},
    ),
    Case(
        "iterations[].cache_creation_input_tokens",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE} + 9*5",
        BASE | {"iterations": [turn(), turn("compaction", cache_creation_input_tokens=9)]},
    ),
    Case(
        "iterations[].cache_creation.ephemeral_5m_input_tokens",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE} + 30*5 + 70*8",
        BASE | {"iterations": [turn(), turn("compaction", cache_creation=SPLIT)]},
    ),
    Case(
        "iterations[].cache_creation.ephemeral_1h_input_tokens",
        OPUS,
        f"{OPUS_BASE} + {OPUS_BASE} + 70*8",
        BASE
        | {
            "iterations": [
                turn(),
                turn("compaction", cache_creation={"ephemeral_1h_input_tokens": 70}),
            ]
        },
    ),
    Case(
        "fallback_credit.*",
        OPUS,
        OPUS_BASE,
        BASE | {"fallback_credit": {"status": {"type": "redeemed"}}},
        ("fallback_credit",),
    ),
    Case(
        "fallback_credit.*",
        OPUS,
        OPUS_BASE,
        BASE | {"fallback_credit": {"status": {"type": "not_applied", "reason": "expired"}}},
    ),
)

CHAT_BASE: JsonObject = {"prompt_tokens": 1000, "completion_tokens": 100}
SOL_BASE = "1000*2 + 100*10"


def prompt(**counts: JsonValue) -> JsonObject:
    return CHAT_BASE | {"prompt_tokens_details": counts}


def completion(**counts: int) -> JsonObject:
    return CHAT_BASE | {"completion_tokens_details": {**counts}}


CHAT_CASES = (
    Case("prompt_tokens", SOL, SOL_BASE, CHAT_BASE),
    Case("prompt_tokens", SOL, "272001*4 + 100*15", CHAT_BASE | {"prompt_tokens": 272_001}),
    Case("completion_tokens", SOL, "1000*2 + 7*10", CHAT_BASE | {"completion_tokens": 7}),
    Case("total_tokens", SOL, SOL_BASE, CHAT_BASE | {"total_tokens": 1100}),
    Case("total_tokens", SOL, SOL_BASE, CHAT_BASE | {"total_tokens": 1101}, ("total_tokens",)),
    Case(
        "prompt_tokens_details.cached_tokens",
        SOL,
        "600*2 + 400*0.1 + 100*10",
        prompt(cached_tokens=400),
    ),
    Case(
        "prompt_tokens_details.cache_write_tokens",
        SOL,
        "600*2 + 400*2.5 + 100*10",
        prompt(cache_write_tokens=400),
    ),
    Case("prompt_tokens_details.text_tokens", SOL, SOL_BASE, prompt(text_tokens=1000)),
    Case(
        "prompt_tokens_details.audio_tokens",
        AUDIO,
        "300*2.5 + 700*32 + 100*10",
        prompt(audio_tokens=700),
    ),
    Case(
        "prompt_tokens_details.audio_tokens",
        "gpt-4o-audio-preview",
        "1000*2.5 + 100*10",
        prompt(audio_tokens=700),
        ("input_audio",),
    ),
    Case("prompt_tokens_details.image_tokens", SOL, SOL_BASE, prompt(image_tokens=700)),
    Case(
        "prompt_tokens_details.image_tokens",
        "gpt-realtime",
        "300*4 + 700*5 + 100*16",
        prompt(image_tokens=700),
    ),
    Case("prompt_tokens_details.video_tokens", SOL, SOL_BASE, prompt(video_tokens=700)),
    Case(
        "prompt_tokens_details.cached_tokens_details.text_tokens",
        "gpt-realtime",
        "300*4 + 300*32 + 400*0.4 + 100*16",
        prompt(audio_tokens=300, cached_tokens=400, cached_tokens_details={"text_tokens": 400}),
    ),
    Case(
        "prompt_tokens_details.cached_tokens_details.audio_tokens",
        "gpt-realtime-mini",
        "600*10 + 300*0.06 + 100*0.3 + 100*2.4",
        prompt(
            audio_tokens=700,
            cached_tokens=400,
            cached_tokens_details={"text_tokens": 300, "audio_tokens": 100},
        ),
    ),
    Case(
        "prompt_tokens_details.cached_tokens_details.image_tokens",
        "gpt-realtime",
        "600*4 + 400*0.5 + 100*16",
        prompt(image_tokens=400, cached_tokens=400, cached_tokens_details={"image_tokens": 400}),
    ),
    # What of the cached was audio is not said, and it costs another price.
    Case(
        "prompt_tokens_details.cached_tokens",
        "gpt-realtime-mini",
        "600*10 + 400*0.06 + 100*2.4",
        prompt(audio_tokens=700, cached_tokens=400),
        ("cached input_audio", "shares of input"),
    ),
    Case(
        "completion_tokens_details.reasoning_tokens", SOL, SOL_BASE, completion(reasoning_tokens=90)
    ),
    Case("completion_tokens_details.text_tokens", SOL, SOL_BASE, completion(text_tokens=100)),
    Case(
        "completion_tokens_details.audio_tokens",
        AUDIO,
        "1000*2.5 + 20*10 + 80*64",
        completion(audio_tokens=80),
    ),
    Case(
        "completion_tokens_details.image_tokens",
        "gpt-image-1.5",
        "1000*5 + 20*10 + 80*32",
        completion(image_tokens=80),
    ),
    Case(
        "completion_tokens_details.accepted_prediction_tokens",
        SOL,
        SOL_BASE,
        completion(accepted_prediction_tokens=40),
    ),
    Case(
        "completion_tokens_details.rejected_prediction_tokens",
        SOL,
        SOL_BASE,
        completion(rejected_prediction_tokens=40),
    ),
    Case("cached_tokens", SOL, "600*2 + 400*0.1 + 100*10", CHAT_BASE | {"cached_tokens": 400}),
    Case(
        "prompt_cache_hit_tokens",
        SOL,
        "600*2 + 400*0.1 + 100*10",
        CHAT_BASE | {"prompt_cache_hit_tokens": 400, "prompt_cache_miss_tokens": 600},
    ),
    Case("prompt_cache_miss_tokens", SOL, SOL_BASE, CHAT_BASE | {"prompt_cache_miss_tokens": 1000}),
    Case(
        "cost",
        "openai/gpt-6.1-sol",
        "1234.5",
        CHAT_BASE | {"cost": 0.0012345},
        provider="openrouter",
    ),
    Case("cost", SOL, SOL_BASE, CHAT_BASE | {"cost": 0.0012345}),
    Case(
        "cost_details.*",
        "openai/gpt-6.1-sol",
        "1000",
        CHAT_BASE | {"cost": 0.001, "cost_details": {"upstream_inference_cost": 0.002}},
        provider="openrouter",
    ),
    Case(
        "is_byok",
        "openai/gpt-6.1-sol",
        "3000",
        CHAT_BASE
        | {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}},
        provider="openrouter",
    ),
    Case(
        "server_tool_use.web_search_requests",
        SOL,
        f"{SOL_BASE} + 2*10000",
        CHAT_BASE | {"server_tool_use": {"web_search_requests": 2}},
    ),
    *(
        Case(name, SOL, SOL_BASE, CHAT_BASE | {name: 0.25})
        for name in ("queue_time", "prompt_time", "completion_time", "total_time")
    ),
    *(
        Case("service_tier", SOL, dollars, CHAT_BASE, marks, {"service_tier": tier})
        for tier, dollars, marks in (
            ("default", SOL_BASE, ()),
            ("flex", "1000*1 + 100*5", ()),
            ("priority", "1000*4 + 100*20", ()),
            ("fast", "1000*4 + 100*20", ()),
            ("scale", SOL_BASE, ("service_tier=scale",)),
        )
    ),
    Case(
        "service_tier",
        "gpt-audio",
        "1000*2.5 + 100*10",
        CHAT_BASE,
        ("service_tier=flex",),
        {"service_tier": "flex"},
    ),
    Case(
        "choices[].message.annotations",
        SOL,
        SOL_BASE,
        CHAT_BASE,
        ("annotations",),
        {"choices": [{"message": {"content": "x", "annotations": [{"type": "url_citation"}]}}]},
    ),
)

GEMINI_BASE: JsonObject = {"promptTokenCount": 1000, "candidatesTokenCount": 100}
FLASH_BASE = "1000*0.5 + 100*3"


def media(name: str, kind: str, count: int) -> JsonObject:
    return GEMINI_BASE | {name: [{"modality": kind, "tokenCount": count}]}


GEMINI_CASES = (
    Case("promptTokenCount", FLASH, FLASH_BASE, GEMINI_BASE),
    Case(
        "candidatesTokenCount", FLASH, "1000*0.5 + 7*3", GEMINI_BASE | {"candidatesTokenCount": 7}
    ),
    Case(
        "cachedContentTokenCount",
        FLASH,
        "600*0.5 + 400*0.05 + 100*3",
        GEMINI_BASE | {"cachedContentTokenCount": 400},
    ),
    Case(
        "toolUsePromptTokenCount",
        FLASH,
        "1400*0.5 + 100*3",
        GEMINI_BASE | {"toolUsePromptTokenCount": 400},
    ),
    Case("thoughtsTokenCount", FLASH, "1000*0.5 + 140*3", GEMINI_BASE | {"thoughtsTokenCount": 40}),
    Case("totalTokenCount", FLASH, FLASH_BASE, GEMINI_BASE | {"totalTokenCount": 1100}),
    Case(
        "totalTokenCount",
        FLASH,
        FLASH_BASE,
        GEMINI_BASE | {"totalTokenCount": 1101},
        ("totalTokenCount",),
    ),
    Case(
        "promptTokensDetails[].modality",
        FLASH,
        FLASH_BASE,
        media("promptTokensDetails", "TEXT", 1000),
    ),
    Case(
        "promptTokensDetails[].tokenCount",
        FLASH,
        "300*0.5 + 700*1 + 100*3",
        media("promptTokensDetails", "AUDIO", 700),
    ),
    # Google's table names audio only where it costs something else than text.
    Case(
        "promptTokensDetails[].modality",
        "gemini-3.8-flash",
        "1000*0.75 + 100*3.75",
        media("promptTokensDetails", "AUDIO", 700),
    ),
    Case(
        "cacheTokensDetails[].modality",
        FLASH,
        "300*0.5 + 300*1 + 400*0.1 + 100*3",
        media("promptTokensDetails", "AUDIO", 700)
        | {"cachedContentTokenCount": 400}
        | {"cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}]},
    ),
    Case(
        "cacheTokensDetails[].tokenCount",
        FLASH,
        "600*0.5 + 400*0.05 + 100*3",
        GEMINI_BASE
        | {"cachedContentTokenCount": 400}
        | {"cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 400}]},
    ),
    Case(
        "toolUsePromptTokensDetails[].modality",
        FLASH,
        "1000*0.5 + 50*1 + 100*3",
        media("toolUsePromptTokensDetails", "AUDIO", 50) | {"toolUsePromptTokenCount": 50},
    ),
    Case(
        "toolUsePromptTokensDetails[].tokenCount",
        FLASH,
        "1050*0.5 + 100*3",
        media("toolUsePromptTokensDetails", "TEXT", 50) | {"toolUsePromptTokenCount": 50},
    ),
    Case(
        "candidatesTokensDetails[].modality",
        "gemini-nano-banana-2.1",
        "1000*1.5 + 20*7.5 + 80*30",
        media("candidatesTokensDetails", "IMAGE", 80),
    ),
    Case(
        "candidatesTokensDetails[].tokenCount",
        "gemini-3.8-live",
        "1000*0.75 + 20*4.5 + 80*12",
        media("candidatesTokensDetails", "AUDIO", 80),
    ),
    Case("trafficType", FLASH, FLASH_BASE, GEMINI_BASE | {"trafficType": "ON_DEMAND"}),
    Case(
        "trafficType",
        FLASH,
        FLASH_BASE,
        GEMINI_BASE | {"trafficType": "PROVISIONED_THROUGHPUT"},
        ("service_tier=provisioned_throughput",),
    ),
    Case(
        "serviceTier",
        FLASH,
        FLASH_BASE,
        GEMINI_BASE | {"serviceTier": "flex"},
        ("service_tier=flex",),
    ),
    Case(
        "groundingMetadata.webSearchQueries",
        FLASH,
        f"{FLASH_BASE} + 2*14000",
        GEMINI_BASE,
        beside={"candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}]},
    ),
    Case(
        "groundingMetadata.groundingChunks[].maps",
        FLASH,
        FLASH_BASE,
        GEMINI_BASE,
        ("groundingChunks[].maps",),
        {"candidates": [{"groundingMetadata": {"groundingChunks": [{"maps": {"uri": "x"}}]}}]},
    ),
)
CASES = {
    Dialect.MESSAGES: ("anthropic", "usage", MESSAGES_CASES, MESSAGES),
    Dialect.CHAT: ("openai", "usage", CHAT_CASES, (*CHAT, *BESIDE_CHAT)),
    Dialect.GEMINI: ("google", "usageMetadata", GEMINI_CASES, (*GEMINI, *BESIDE_GEMINI)),
}


def nanos(dollars: str) -> int:
    """A sum of `tokens*price` per million, by hand."""
    products = (term.split("*") for term in dollars.split(" + "))
    total = sum(
        (Decimal(term[0]) * Decimal(term[1] if len(term) > 1 else 1) for term in products),
        Decimal(0),
    )
    return int((total * 1000).to_integral_value(ROUND_HALF_EVEN))


def charged(dialect: Dialect, case: Case) -> Charge:
    provider, name, _, _ = CASES[dialect]
    rates = find_rates(case.model, case.provider or provider, NOW)
    assert rates is not None, case.model
    meter = new_meter(dialect, 100)
    meter.read_message(dump_object({name: case.usage} | (case.beside or {})))
    assert meter.final
    return charge(rates, meter.usage())


ALL = [(dialect, case) for dialect, (_, _, cases, _) in CASES.items() for case in cases]


@pytest.mark.parametrize(
    ("dialect", "case"), ALL, ids=[f"{d.value}-{c.field}-{n}" for n, (d, c) in enumerate(ALL)]
)
def test_a_field_changes_the_price_as_the_table_says(dialect: Dialect, case: Case) -> None:
    assert charged(dialect, case) == Charge(nanos(case.dollars), case.marks)


@pytest.mark.parametrize("dialect", CASES)
def test_every_row_of_the_table_has_a_case(dialect: Dialect) -> None:
    _, _, cases, fields = CASES[dialect]
    assert {each.path for each in fields} == {case.field for case in cases}


@pytest.mark.parametrize("dialect", CASES)
@pytest.mark.parametrize(
    ("field", "mark"),
    [
        ({"quantum_tokens": 5}, "quantum_tokens"),
        ({"new": {"deep": [{"count": 1}]}}, "new.deep[].count"),
        ({"mode": "turbo"}, "mode"),
        ({"fee": 0.5}, "fee"),
        ({"doubled": True}, "doubled"),
    ],
)
def test_a_field_that_nobody_knows_marks_the_answer(
    dialect: Dialect, field: JsonObject, mark: str
) -> None:
    _, _, cases, _ = CASES[dialect]
    case = Case("", cases[0].model, cases[0].dollars, cases[0].usage | field)
    assert charged(dialect, case) == Charge(nanos(case.dollars), (mark,))


@pytest.mark.parametrize("dialect", CASES)
@pytest.mark.parametrize("nothing", [0, None, "", False, {}, [], 0.0])
def test_an_unknown_field_that_says_nothing_marks_nothing(
    dialect: Dialect,
    nothing: typing.Any,
) -> None:
    _, _, cases, _ = CASES[dialect]
    case = Case("", cases[0].model, cases[0].dollars, cases[0].usage | {"unheard_of": nothing})
    assert charged(dialect, case).unpriced == ()


def test_names_that_come_from_outside_are_few_and_short() -> None:
    usage = BASE | {f"{'x' * 500}{n}": 1 for n in range(100)}
    found = charged(Dialect.MESSAGES, Case("", OPUS, OPUS_BASE, usage)).unpriced
    assert len(found) <= 8
    assert all(len(name) <= 80 for name in found)


def paths(model: type[BaseModel], before: str = "", *, camel: bool = False) -> Iterator[str]:
    """The paths of all fields of a usage object, as an SDK declares them."""
    for name, field in model.model_fields.items():
        path = before + (to_camel(name) if camel else name)
        inner = [each for each in _types(field.annotation) if _is_model(each)]
        mark = "[]." if "List" in str(field.annotation) or "list" in str(field.annotation) else "."
        if not inner:
            yield path
        for each in inner:
            yield from paths(each, path + mark, camel=camel)


def _types(annotation: object) -> Iterator[type[BaseModel]]:
    if _is_model(annotation):
        yield typing.cast("type[BaseModel]", annotation)
    for each in typing.get_args(annotation):
        yield from _types(each)


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


@pytest.mark.parametrize(
    ("model", "fields", "camel"),
    [
        (BetaUsage, MESSAGES, False),
        (BetaMessageDeltaUsage, MESSAGES, False),
        (CompletionUsage, CHAT, False),
        (GenerateContentResponseUsageMetadata, GEMINI, True),
    ],
)
def test_every_field_that_an_sdk_declares_is_in_the_table(
    model: type[BaseModel], fields: tuple[UsageField, ...], camel: bool
) -> None:
    """A new release of an SDK that knows another field fails here."""
    known = known_paths(fields)
    covered = tuple(path.removesuffix("*") for path in known if path.endswith(".*"))
    unknown = {path for path in paths(model, camel=camel) if path not in known}
    assert {path for path in unknown if not path.startswith(covered or ("-",))} == set()


def streamed(dialect: Dialect, *events: JsonObject) -> Meter:
    meter, reader = new_meter(dialect, 100), EventReader()
    for each in events:
        for event in reader.feed(b"data: " + dump_object(each) + b"\n\n"):
            meter.read_event(event)
    return meter


def test_the_stream_says_the_tier_in_its_first_event_and_the_iterations_in_its_last() -> None:
    start = BASE | {"service_tier": "batch", "inference_geo": "us", "output_tokens": 1}
    last: JsonObject = {
        "output_tokens": 100,
        "iterations": [turn("compaction", input_tokens=500), turn()],
    }
    meter = streamed(
        Dialect.MESSAGES,
        {"type": "message_start", "message": {"usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last},
        {"type": "message_stop"},
    )
    rates = find_rates(OPUS, "anthropic", NOW)
    assert rates is not None
    assert meter.usage().total == 1000 + 100 + 500 + 100
    assert charge(rates, meter.usage()) == Charge(nanos("1500*2.2 + 200*11"))


def test_a_chat_stream_says_the_tier_in_any_chunk() -> None:
    meter = streamed(
        Dialect.CHAT,
        {"choices": [{"delta": {"content": "x"}}], "service_tier": "flex"},
        {"choices": [], "usage": CHAT_BASE},
    )
    rates = find_rates(SOL, "openai", NOW)
    assert rates is not None
    assert charge(rates, meter.usage()) == Charge(nanos("1000*1 + 100*5"))


def test_searches_that_an_earlier_event_names_are_billed_with_the_last() -> None:
    meter = streamed(
        Dialect.GEMINI,
        {"candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}]},
        {"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI_BASE},
    )
    assert meter.usage().web_searches == 2
