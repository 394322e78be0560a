"""Streams, case by case: golden files, however the bytes are cut. In integration SDKs read them."""

from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.translation import stream_translation
from heliostat_gateway.sse import EventReader
from heliostat_json.objects import text_at
from support.golden import CALLERS, GOLDEN, PROVIDERS, asked_by, compare_text, find_cases
from support.streams import is_whole, objects_of, translated

CASES = [
    pytest.param(case, source, target, id=f"{source}-{case.stem}-{target}")
    for source in PROVIDERS
    for case in find_cases("streams", source, ".sse")
    for target in CALLERS
    if target is not source
]


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_a_stream_becomes_the_golden_one(case: Path, source: Dialect, target: Dialect) -> None:
    stream = translated([case.read_bytes()], source, target)
    compare_text(case, target, stream)


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_byte_by_byte_it_is_the_same(case: Path, source: Dialect, target: Dialect) -> None:
    raw = case.read_bytes()
    single = [raw[at : at + 1] for at in range(len(raw))]
    assert translated(single, source, target) == translated([raw], source, target)


@pytest.mark.parametrize(
    ("source", "name", "target"),
    [
        (Dialect.CHAT, "tools_in_parallel", Dialect.MESSAGES),
        (Dialect.GEMINI, "signed_calls", Dialect.MESSAGES),
        (Dialect.GEMINI, "text", Dialect.CHAT),
        (Dialect.MESSAGES, "text", Dialect.CHAT),
    ],
)
def test_where_the_bytes_are_cut_changes_nothing(
    source: Dialect, name: str, target: Dialect
) -> None:
    raw = (GOLDEN / "streams" / source / f"{name}.sse").read_bytes()
    whole = translated([raw], source, target)
    for cut in range(1, len(raw)):
        assert translated([raw[:cut], raw[cut:]], source, target) == whole


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_blocks_are_in_order_and_each_is_closed(
    case: Path, source: Dialect, target: Dialect
) -> None:
    stream = translated([case.read_bytes()], source, target)
    if target is Dialect.CHAT or not is_whole(stream):
        return
    events = objects_of(stream)
    kinds = [text_at(event, "type") for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    starts = [event["index"] for event in events if event["type"] == "content_block_start"]
    stops = [event["index"] for event in events if event["type"] == "content_block_stop"]
    assert starts == stops == list(range(len(starts)))


def test_a_chat_stream_without_the_option_tells_no_usage() -> None:
    case = find_cases("streams", Dialect.GEMINI, ".sse")[-1]
    asked = {**asked_by(Dialect.CHAT), "stream_options": None}
    translation = stream_translation(Dialect.GEMINI, Dialect.CHAT, asked)
    events = EventReader().feed(case.read_bytes())
    seen = [raw for event in events for raw in translation.feed(event)]
    seen += translation.finish()
    assert seen[-1] == b"data: [DONE]\n\n"
    assert b"usage" not in b"".join(seen)
