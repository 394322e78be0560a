"""The class of an attempt decides who is asked next and what is booked."""

import re
from pathlib import Path

import pytest

from heliostat_gateway.calls.failure_classification import (
    Verdict,
    has_side_effects,
    is_free,
    may_go_on,
    verdict_of_error,
    verdict_of_refusal,
)
from heliostat_json.objects import JsonObject


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529])
def test_the_providers_own_state_sends_us_to_the_next(status: int) -> None:
    verdict = verdict_of_refusal(status, "invalid_request_error")
    assert verdict is Verdict.REFUSED
    assert may_go_on(verdict, {})
    assert is_free(verdict)


@pytest.mark.parametrize("status", [400, 405, 409, 413, 415, 422])
def test_a_wrong_request_goes_back_to_the_caller(status: int) -> None:
    verdict = verdict_of_refusal(status, "invalid_request_error")
    assert verdict is Verdict.REJECTED
    assert not may_go_on(verdict, {})


@pytest.mark.parametrize("kind", ["authentication_error", "billing_error", "permission_error"])
def test_a_bad_key_that_is_called_a_bad_request_sends_us_to_the_next(kind: str) -> None:
    assert verdict_of_refusal(400, kind) is Verdict.REFUSED


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


def test_every_class_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
    table = page.partition("## Attempts")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [each.value for each in Verdict]
