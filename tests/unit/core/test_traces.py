"""Ids that follow from what they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.traces import (
    SpanContext,
    attempt_context,
    queue_context,
    read_header,
    run_context,
    runner_context,
)

texts = st.text(max_size=60)


@given(texts, texts, st.integers(1, 200))
def test_every_span_of_a_run_is_in_its_trace_and_has_its_own_id(
    correlation: str, uid: str, attempt: int
) -> None:
    contexts = [
        run_context(correlation, uid),
        queue_context(correlation, uid),
        attempt_context(correlation, uid, attempt),
        runner_context(correlation, uid, attempt),
        runner_context(correlation, uid, attempt + 1),
    ]
    assert len({each.trace for each in contexts}) == 1
    assert len({each.span for each in contexts}) == len(contexts)
    for each in contexts:
        assert 0 < each.trace < 2**128
        assert 0 < each.span < 2**64
        assert read_header(each.to_header()) == each


def test_ids_stay_as_they_are() -> None:
    """Services of two versions tell of one run together."""
    context = runner_context("dash-1", "5d1f0c7e", 2)
    assert context.to_header() == "00-27f07582a1192a61ee6789e75204664c-570ba29e06a12c2f-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-abc-def-01",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'A' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01 ",
    ],
)
def test_what_is_no_header_is_nobodys(text: str) -> None:
    assert read_header(text) is None


def test_a_header_is_read() -> None:
    assert read_header(f"00-{'0' * 31}2-{'0' * 15}3-00") == SpanContext(2, 3)
