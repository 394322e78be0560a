"""What a caller is told when the ledger lets no call through."""

from datetime import UTC, datetime
from typing import Final

from heliostat_core.money import format_micros, micros_from_nanos
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError
from heliostat_gateway.money.bookings import (
    CapReachedError,
    SharedLedgerAwayError,
    UnknownBudgetError,
)
from heliostat_gateway.money.bounds import UnboundedRequestError

LEDGER_REFUSALS: Final = (
    CapReachedError,
    UnknownBudgetError,
    UnboundedRequestError,
    SharedLedgerAwayError,
)
_REMEDY: Final = {
    "cost": "Raise limits.maxCostMicros of the Agent, or the key's cap, for the next run.",
    "tokens": "Raise limits.maxTokens of the Agent, or the key's cap, for the next run.",
    "turns": "Raise limits.maxTurns of the Agent, or the key's cap, for the next run.",
}
_AGAIN_SECONDS: Final = "5"


def ledger_refusal(error: Exception) -> RefusalError:
    """The refusal of one of LEDGER_REFUSALS. Any other error is raised again."""
    match error:
        case CapReachedError():
            return _cap_refusal(error)
        case UnknownBudgetError():
            return RefusalError(402, "billing_error", str(error), DO_NOT_RETRY)
        case UnboundedRequestError():
            return RefusalError(400, "invalid_request_error", str(error), DO_NOT_RETRY)
        case SharedLedgerAwayError():
            headers = {"retry-after": _AGAIN_SECONDS}
            return RefusalError(503, "api_error", str(error), headers)
        case _:
            raise error


def _cap_refusal(reached: CapReachedError) -> RefusalError:
    """429 where waiting helps, else 402; in neither case is it any use to ask again at once."""
    whose = f"The budget {reached.budget}" if reached.budget else "The execution or key"
    message = (
        f"{whose} has reached its {_limit(reached.what)}: {_amount(reached.what, reached.spent)} "
        f"of {_amount(reached.what, reached.cap)}{_unit(reached.what)} {_state(reached.what)}."
    )
    if reached.needed:
        message += (
            f" This request may need {_amount(reached.what, reached.needed)}, and "
            f"{_amount(reached.what, reached.left)} is left."
        )
    if reached.until_ms is None:
        remedy = "Raise the budget." if reached.budget else _REMEDY[reached.what]
        return RefusalError(402, "billing_error", f"{message} {remedy}", DO_NOT_RETRY)
    until = datetime.fromtimestamp(reached.until_ms // 1000, UTC)
    message += f" It starts anew at {until:%Y-%m-%dT%H:%M:%SZ}."
    return RefusalError(429, "rate_limit_error", message, DO_NOT_RETRY)


def _limit(what: str) -> str:
    return {"cost": "cost limit", "tokens": "token limit", "turns": "limit of calls"}[what]


def _state(what: str) -> str:
    return "is spent or reserved" if what == "cost" else "are used or reserved"


def _amount(what: str, value: int) -> str:
    return format_micros(micros_from_nanos(value)) if what == "cost" else str(value)


def _unit(what: str) -> str:
    return {"cost": "", "tokens": " tokens", "turns": " calls"}[what]
