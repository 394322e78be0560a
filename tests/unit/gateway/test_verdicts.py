"""The class of an attempt decides who is asked next and what is booked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.verdicts import (
    Verdict,
    has_side_effects,
    is_free,
    may_go_on,
    resumes_at,
    verdict_of_error,
    verdict_of_status,
)
from heliostat_gateway.wire import JsonObject

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529])
def test_the_providers_own_state_sends_us_to_the_next(status: int) -> None:
    verdict = verdict_of_status(status)
    assert verdict is Verdict.REFUSED
    assert may_go_on(verdict, {})
    assert is_free(verdict)


@pytest.mark.parametrize("status", [400, 405, 409, 413, 415, 422, 301])
def test_a_wrong_request_goes_back_to_the_caller(status: int) -> None:
    verdict = verdict_of_status(status)
    assert verdict is Verdict.REJECTED
    assert not may_go_on(verdict, {})


def test_an_error_event_is_classed_by_its_type() -> None:
    assert verdict_of_error("overloaded_error") is Verdict.REFUSED
    assert verdict_of_error("invalid_request_error") is Verdict.REJECTED


def test_after_output_nobody_else_is_asked() -> None:
    assert not may_go_on(Verdict.VISIBLE, {})
    assert not may_go_on(Verdict.ANSWERED, {})


@pytest.mark.parametrize(
    "document",
    [
        {"mcp_servers": [{"type": "url"}]},
        {"container": "c"},
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    ],
)
def test_an_uncertain_attempt_is_not_repeated_where_it_may_have_acted(
    document: JsonObject,
) -> None:
    assert has_side_effects(document)
    assert not may_go_on(Verdict.UNCERTAIN, document)
    assert may_go_on(Verdict.REFUSED, document)


def test_an_uncertain_attempt_is_repeated_where_it_only_costs() -> None:
    tools = [{"name": "f"}, {"type": "function"}, {"type": "web_search_20260209"}]
    assert may_go_on(Verdict.UNCERTAIN, {"tools": [dict(tool) for tool in tools]})


def test_a_stated_time_is_believed() -> None:
    assert resumes_at({"retry-after": "7"}, NOW) == NOW + timedelta(seconds=7)
    assert resumes_at({"retry-after-ms": "1500", "retry-after": "9"}, NOW) == NOW + timedelta(
        seconds=1.5
    )
    date = resumes_at({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, NOW)
    assert date == NOW + timedelta(hours=1)
    assert resumes_at({}, NOW) is None


@given(st.text(max_size=30))
def test_whatever_a_provider_writes_is_an_instant_or_nothing(text: str) -> None:
    found = resumes_at({"retry-after": text}, NOW)
    assert found is None or found.tzinfo is not None
