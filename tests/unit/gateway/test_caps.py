"""What a caller is told when a cap lets no call through."""

import pytest

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.bookings import (
    CapReachedError,
    SharedLedgerAwayError,
    UnknownBudgetError,
)
from heliostat_gateway.money.bounds import UnboundedRequestError
from heliostat_gateway.money.caps import LEDGER_REFUSALS, ledger_refusal

UNTIL = 1_780_272_000_999  # 2026-06-01T00:00:00.999Z


def told(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    found: RefusalError = ledger_refusal(error)
    return found.status, found.kind, found.message, dict(found.headers)


@pytest.mark.parametrize(
    ("error", "status", "kind", "words"),
    [
        (
            CapReachedError("cost", 2_000_000_000, 1_500_000_000),
            402,
            "billing_error",
            "The execution or key has reached its cost limit: $1.500000 of $2.000000 is spent or "
            "reserved. Raise limits.maxCostMicros of the Agent, or the key's cap, for the next "
            "run.",
        ),
        (
            CapReachedError("tokens", 100, 90, needed=20),
            402,
            "billing_error",
            "The execution or key has reached its token limit: 90 of 100 tokens are used or "
            "reserved. This request may need 20, and 10 is left. Raise limits.maxTokens of the "
            "Agent, or the key's cap, for the next run.",
        ),
        (
            CapReachedError("turns", 3, 3),
            402,
            "billing_error",
            "The execution or key has reached its limit of calls: 3 of 3 calls are used or "
            "reserved. Raise limits.maxTurns of the Agent, or the key's cap, for the next run.",
        ),
        (
            CapReachedError("tokens", 100, 100, budget="team"),
            402,
            "billing_error",
            "The budget team has reached its token limit: 100 of 100 tokens are used or reserved. "
            "Raise the budget.",
        ),
        (
            CapReachedError("cost", 1_000_000_000, 1_000_000_000, budget="team", until_ms=UNTIL),
            429,
            "rate_limit_error",
            "The budget team has reached its cost limit: $1.000000 of $1.000000 is spent or "
            "reserved. It starts anew at 2026-06-01T00:00:00Z.",
        ),
    ],
)
def test_a_cap_is_told_with_its_figures_and_the_remedy(
    error: CapReachedError, status: int, kind: str, words: str
) -> None:
    """To wait helps only where a period ends; SDKs are told to ask no further in either case."""
    assert told(error) == (status, kind, words, {"x-should-retry": "false"})


def test_nothing_is_left_of_a_cap_that_was_overshot() -> None:
    assert CapReachedError("tokens", 100, 130).left == 0


@pytest.mark.parametrize(
    ("error", "status", "kind", "headers"),
    [
        (UnknownBudgetError("team"), 402, "billing_error", {"x-should-retry": "false"}),
        (
            UnboundedRequestError("mcp_servers", "has no upper bound."),
            400,
            "invalid_request_error",
            {"x-should-retry": "false"},
        ),
        (SharedLedgerAwayError("Redis is away."), 503, "api_error", {"retry-after": "5"}),
    ],
)
def test_other_refusals_of_the_ledger(
    error: Exception, status: int, kind: str, headers: dict[str, str]
) -> None:
    assert told(error) == (status, kind, str(error), headers)
    assert isinstance(error, LEDGER_REFUSALS)


def test_what_is_no_refusal_stays_the_error_that_it_is() -> None:
    with pytest.raises(KeyError, match="price"):
        ledger_refusal(KeyError("price"))
