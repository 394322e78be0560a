from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
