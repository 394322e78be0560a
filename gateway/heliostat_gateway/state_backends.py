"""State backends: ledger, breakers, keys, revocations, cached answers; shared or of one process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heliostat_gateway.access.key_store import KeyStore, SqliteKeyStore
from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.access.revokers import EndCalls, LocalRevoker, Revoker
from heliostat_gateway.breakers import BreakerPolicy, Breakers, LocalBreakers
from heliostat_gateway.caching.answers import AnswerCache, MemoryAnswers
from heliostat_gateway.limits.restrictions import AgentRestrictions
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.storage import Storage


async def _nothing() -> None:
    return


@dataclass(frozen=True)
class StateBackends:
    """The backends; started after the event loop runs, closed before the storage is."""

    ledger: Ledger
    breakers: Breakers
    keys: KeyStore
    revoker: Revoker
    answers: AnswerCache
    agent_restrictions: AgentRestrictions
    disconnect: Callable[[], Awaitable[None]] = _nothing

    async def start(self) -> None:
        """Reads what is there and begins to hear of changes."""
        await self.ledger.start()
        await self.revoker.start()
        await self.keys.start()
        await self.breakers.start()
        await self.agent_restrictions.start()

    async def close(self) -> None:
        """Writes what is not written yet, and stops hearing."""
        await self.agent_restrictions.close()
        await self.breakers.close()
        await self.keys.close()
        await self.revoker.close()
        await self.ledger.close()
        await self.disconnect()


def local_backends(
    ledger: Ledger,
    policy: BreakerPolicy,
    storage: Storage,
    revocations: Revocations,
    end: EndCalls,
    agent_restrictions: AgentRestrictions,
) -> StateBackends:
    """The state of one process alone."""
    return StateBackends(
        ledger=ledger,
        breakers=LocalBreakers(policy),
        keys=SqliteKeyStore(storage),
        revoker=LocalRevoker(revocations, end),
        answers=AnswerCache(MemoryAnswers()),
        agent_restrictions=agent_restrictions,
    )
