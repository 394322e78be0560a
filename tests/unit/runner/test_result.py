from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_runner.guard.reports import Ask, GuardReport, Outcome, Receipt, UnaskedCall
from heliostat_runner.reasons import Reason, Verdict
from heliostat_runner.result import (
    MARK,
    MAX_BYTES,
    Result,
    TranscriptRecord,
    Usage,
    encode_result,
    write_result,
)

NOON = datetime(2026, 11, 21, 12, 0, 0, 5000, tzinfo=UTC)


def make_result(text: str = "done", message: str = "Verified by true.") -> Result:
    return Result(
        verdict=Verdict(Reason.VERIFIED, message),
        start=NOON,
        end=NOON,
        text=text,
        session_id="11111111-1111-4111-8111-111111111111",
        turns=7,
        usage=Usage(1, 2, 3, 4),
        transcript=TranscriptRecord(
            ".heliostat/transcript-1.jsonl", 120, 90000, "stdout ends here"
        ),
    )


def test_the_document_is_the_contract() -> None:
    assert json.loads(encode_result(make_result())) == {
        "version": 1,
        "outcome": "Succeeded",
        "reason": "Verified",
        "cause": None,
        "message": "Verified by true.",
        "result": "done",
        "truncated": False,
        "sessionId": "11111111-1111-4111-8111-111111111111",
        "resumed": False,
        "turns": 7,
        "secondAttempts": 0,
        "usage": {
            "inputTokens": 1,
            "outputTokens": 2,
            "cacheReadTokens": 3,
            "cacheWriteTokens": 4,
        },
        "transcript": {
            "path": ".heliostat/transcript-1.jsonl",
            "lines": 120,
            "bytes": 90000,
            "stdoutCut": True,
            "marker": "stdout ends here",
        },
        "startTime": "2026-11-21T12:00:00.005Z",
        "endTime": "2026-11-21T12:00:00.005Z",
    }


ASK = Ask("toolu_1", "Bash", "sha256:" + "d" * 64, b'{"v":1}', "Bash: curl x")
RECEIPT = Receipt("a-1", "sha256:" + "d" * 64, Outcome.DONE, "201 Created")


def with_guard(report: GuardReport, **words: str) -> dict[str, object]:
    data = encode_result(replace(make_result(**words), guard=report))
    assert len(data) <= MAX_BYTES
    document = json.loads(data)
    assert isinstance(document, dict)
    return document


def test_what_the_guard_tells_is_the_contract() -> None:
    plain = json.loads(encode_result(make_result()))
    calls = (UnaskedCall("Bash", "Send", "example.com"),)

    told = with_guard(GuardReport(ASK, (RECEIPT,), 2, would_ask=calls, would_ask_count=7))

    assert {name: told[name] for name in told.keys() - plain.keys()} == {
        "ask": {
            "toolUseId": "toolu_1",
            "tool": "Bash",
            "digest": ASK.digest,
            "complete": True,
            "bytes": 7,
            "preview": "Bash: curl x",
            "action": '{"v":1}',
        },
        "receipts": [
            {"approval": "a-1", "digest": ASK.digest, "outcome": "Done", "text": "201 Created"}
        ],
        "denied": 2,
        "wouldAsk": [{"tool": "Bash", "class": "Send", "target": "example.com"}],
        "wouldAskCount": 7,
    }
    assert with_guard(GuardReport()) == plain


def ask_of(size: int, filler: str = "a", **changes: object) -> GuardReport:
    return GuardReport(replace(ASK, canonical=(filler * size).encode(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "inline"), [(2500, True), (2501, False)])
@pytest.mark.parametrize("taken", [True, False])
def test_a_short_action_is_there_whole_and_a_long_one_is_with_the_api(
    size: int, inline: bool, taken: bool
) -> None:
    ask = with_guard(ask_of(size, is_taken=taken), text="words " * 1000)["ask"]

    assert isinstance(ask, dict)
    assert ("action" in ask, ask["complete"]) == (inline, inline or taken)
    assert ask["bytes"] == size


def test_the_agents_words_and_the_message_give_way_to_the_action() -> None:
    told = with_guard(ask_of(2500), text="w" * 5000, message="m" * 5000)

    ask = told["ask"]
    assert isinstance(ask, dict)
    assert len(ask["action"]) == 2500
    assert len(str(told["message"])) < 1024


def test_an_action_that_quoting_makes_too_long_is_left_out() -> None:
    ask = with_guard(ask_of(2500, '"'))["ask"]

    assert isinstance(ask, dict)
    assert ("action" in ask, ask["complete"]) == (False, False)


@pytest.mark.parametrize("part", ["\0", "😀", '"', "\ud800"])
def test_the_longest_words_about_actions_fit(part: str) -> None:
    ask = replace(ASK, tool=part * 5000, preview=part * 5000, canonical=b"\0" * 2500)
    receipt = replace(RECEIPT, text=part * 5000)
    calls = tuple(UnaskedCall(part * 500, "DeleteOutside", part * 500) for _ in range(5))

    report = GuardReport(ask, (receipt,), 9, would_ask=calls, would_ask_count=99)
    told = with_guard(report, text=part, message=part * 5000)

    assert told["wouldAskCount"] == 99


ANY_TEXT = st.one_of(
    st.text(st.characters(), max_size=6000),
    st.sampled_from(["😀", "\0", "\x1f", "\\", '"', "a", "\ud800", "é", "\u2028"]).map(
        lambda part: part * 5000
    ),
)


@given(ANY_TEXT, ANY_TEXT)
def test_it_always_fits_and_is_always_json(text: str, message: str) -> None:
    data = encode_result(make_result(text, message))

    assert len(data) <= MAX_BYTES
    document = json.loads(data.decode())
    clean = text.encode(errors="replace").decode()
    assert document["truncated"] == (document["result"] != clean)
    if document["truncated"]:
        assert document["result"].endswith(MARK)
        assert clean.startswith(document["result"].removesuffix(MARK))
        assert len(data) > MAX_BYTES - 16  # the room is used


@pytest.mark.parametrize("part", ["😀", "\0", "\ud800😀\x01\\"])
def test_a_megabyte_of_bad_characters(part: str) -> None:
    data = encode_result(make_result(part * (1_000_000 // len(part))))

    assert len(data) <= MAX_BYTES
    assert json.loads(data)["truncated"] is True


def test_what_was_there_before_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("x" * 9000)

    write_result(path, b"{}")

    assert path.read_bytes() == b"{}"


def test_a_full_disk_leaves_nothing_rather_than_half() -> None:
    if not os.path.exists("/dev/full"):
        raise AssertionError("Linux has /dev/full")
    with pytest.raises(OSError, match="No space"):
        write_result(Path("/dev/full"), b"{}")
