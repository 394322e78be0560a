"""What follows the end of an attempt: pure policy over the attempts so far."""

from dataclasses import dataclass

from heliostat_core.agents import Retry
from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import Attempt
from heliostat_operator.runs.asks import CheckedAsk
from heliostat_operator.settings import OperatorSettings

INFRASTRUCTURE_LIMIT = 10
# Held attempts end some day too: status keeps every record, and has room for 200.
CONFIGURATION_LIMIT = 100


@dataclass(frozen=True)
class Finish:
    """The run is over, with the reason of its last attempt unless another is given."""

    reason: str
    message: str


@dataclass(frozen=True)
class TryAgain:
    """A further attempt after so many seconds; `held` says why it waits."""

    after_seconds: float
    held: BlockedReason


@dataclass(frozen=True)
class Park:
    """The run waits for a person, without a pod; then it goes on in a further attempt."""

    ask: CheckedAsk


def next_step(
    attempts: tuple[Attempt, ...],
    retry: Retry,
    settings: OperatorSettings,
    ask: CheckedAsk | None = None,
) -> Finish | TryAgain | Park:
    """Decides by the cause of the last attempt and how often that cause was seen.

    What the agent did, too much memory or storage among it, counts against `retry.limit`; the
    infrastructure's failures never do; configuration is held until the cause may have gone.
    """
    last = attempts[-1]
    if ask is not None:
        return Park(ask)
    if last.cause is None or last.cause == "limit":
        return Finish(last.reason or "", last.message)
    seen = sum(each.cause == last.cause for each in attempts)
    if last.cause == "infrastructure":
        return _after_infrastructure(last, seen, settings)
    if last.cause == "configuration" and seen <= CONFIGURATION_LIMIT:
        return TryAgain(
            _growing(settings.hold_first_seconds, settings.hold_longest_seconds, seen),
            BlockedReason.CONFIGURATION,
        )
    if last.cause == "configuration" or seen > retry.limit:
        return Finish(last.reason or "", last.message)
    waits = retry.backoff_seconds
    return TryAgain(waits[min(seen, len(waits)) - 1], BlockedReason.BACKOFF)


def _after_infrastructure(
    last: Attempt, seen: int, settings: OperatorSettings
) -> Finish | TryAgain:
    if seen > INFRASTRUCTURE_LIMIT:
        return Finish(
            FinishedReason.INFRASTRUCTURE_LIMIT,
            f"{seen} attempts were lost to the infrastructure; the last one: {last.message} "
            "Fix the cluster, then run it again.",
        )
    waits = _growing(settings.retry_first_seconds, settings.retry_longest_seconds, seen)
    return TryAgain(waits, BlockedReason.BACKOFF)


def _growing(first: float, longest: float, seen: int) -> float:
    return float(min(first * 2 ** (seen - 1), longest))
