"""What the replicas of one Redis have in common."""

from pathlib import Path

from heliostat_gateway.access.revocations import Revocations
from heliostat_gateway.access.revokers import EndCalls
from heliostat_gateway.breakers import BreakerPolicy
from heliostat_gateway.caching.answers import AnswerCache
from heliostat_gateway.common import Common
from heliostat_gateway.redis_state.breakers import SharedBreakers
from heliostat_gateway.redis_state.cache import SharedAnswers
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.gates import SharedGate
from heliostat_gateway.redis_state.keys import SharedKeyStore
from heliostat_gateway.redis_state.ledger import SharedLedger
from heliostat_gateway.redis_state.revocations import SharedRevoker


def shared_common(
    url: str,
    spool: Path,
    policy: BreakerPolicy,
    slow_seconds: float,
    revocations: Revocations,
    end: EndCalls,
) -> Common:
    """Of all replicas. Raises ValueError for a malformed address."""
    redis = open_redis(url)
    return Common(
        ledger=SharedLedger(redis, spool),
        breakers=SharedBreakers(redis, policy),
        keys=SharedKeyStore(redis),
        revoker=SharedRevoker(redis, revocations, end),
        answers=AnswerCache(SharedAnswers(redis)),
        gate=SharedGate(redis, slow_seconds),
        disconnect=redis.aclose,
    )
