"""When a provider says that it can be asked again, in whatever words it says so."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.calls.failure_classification import resumes_at
from heliostat_json.objects import JsonObject

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-22T08:00:30Z",
                "anthropic-ratelimit-tokens-remaining": "90",
                "anthropic-ratelimit-tokens-reset": "2026-11-22T09:00:00Z",
            },
            30,
        ),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "1m2.5s",
            },
            62.5,
        ),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "soon"}, None),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-22T09:00:00Z"}, None),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-22T07:00:00Z",
            },
            None,  # over already
        ),
        ({"retry-after": "3", "x-ratelimit-remaining-tokens": "0"}, 3),
    ],
)
def test_the_limit_that_is_spent_says_when(headers: dict[str, str], seconds: float | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert resumes_at(headers, NOW) == expected


def test_gemini_says_it_in_the_body() -> None:
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    details = [{"@type": "x"}, {"@type": kind, "retryDelay": "34.5s"}]
    error: JsonObject = {"code": 429, "details": [dict(each) for each in details]}
    found = resumes_at({}, NOW, {"error": error})
    assert found == NOW + timedelta(seconds=34.5)


@given(st.text(max_size=20))
def test_whatever_a_reset_says_is_an_instant_or_nothing(text: str) -> None:
    headers = {
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": text,
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": text,
    }
    found = resumes_at(headers, NOW, {"error": {"details": [{"retryDelay": text}]}})
    assert found is None or found >= NOW
