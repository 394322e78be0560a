"""Builds the state that replicas share in one Redis."""

from pathlib import Path

from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.access.revokers import EndCalls
from heliostat_gateway.breakers import BreakerPolicy
from heliostat_gateway.caching.answers import AnswerCache
from heliostat_gateway.redis_state.breakers import SharedBreakers
from heliostat_gateway.redis_state.cache import SharedAnswers
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.keys import SharedKeyStore
from heliostat_gateway.redis_state.ledger import SharedLedger
from heliostat_gateway.redis_state.restrictions import SharedRestrictions
from heliostat_gateway.redis_state.revocations import SharedRevoker
from heliostat_gateway.state_backends import StateBackends


def redis_backends(
    url: str,
    spool: Path,
    policy: BreakerPolicy,
    slow_seconds: float,
    revocations: Revocations,
    end: EndCalls,
) -> StateBackends:
    """The state of all replicas. Raises ValueError for a malformed address."""
    redis = open_redis(url)
    return StateBackends(
        ledger=SharedLedger(redis, spool),
        breakers=SharedBreakers(redis, policy),
        keys=SharedKeyStore(redis),
        revoker=SharedRevoker(redis, revocations, end),
        answers=AnswerCache(SharedAnswers(redis)),
        agent_restrictions=SharedRestrictions(redis, slow_seconds),
        disconnect=redis.aclose,
    )
