"""What replicas have in common: breakers, keys, revocations, kept answers; or one process alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heliostat_gateway.access.key_store import KeyStore, SqliteKeyStore
from heliostat_gateway.access.revocations import Revocations
from heliostat_gateway.access.revokers import EndCalls, LocalRevoker, Revoker
from heliostat_gateway.breakers import BreakerPolicy, Breakers, LocalBreakers
from heliostat_gateway.caching.answers import AnswerCache, MemoryAnswers
from heliostat_gateway.limits.gates import Gate
from heliostat_gateway.money.ledger import Ledger
from heliostat_gateway.storage import Storage


async def _nothing() -> None:
    return


@dataclass(frozen=True)
class Common:
    """The parts; started after the event loop runs, closed before the storage is."""

    ledger: Ledger
    breakers: Breakers
    keys: KeyStore
    revoker: Revoker
    answers: AnswerCache
    gate: Gate
    disconnect: Callable[[], Awaitable[None]] = _nothing

    async def start(self) -> None:
        """Reads what is there and begins to hear of changes."""
        await self.ledger.start()
        await self.revoker.start()
        await self.keys.start()
        await self.breakers.start()
        await self.gate.start()

    async def close(self) -> None:
        """Writes what is not written yet, and stops hearing."""
        await self.gate.close()
        await self.breakers.close()
        await self.keys.close()
        await self.revoker.close()
        await self.ledger.close()
        await self.disconnect()


def local_common(
    ledger: Ledger,
    policy: BreakerPolicy,
    storage: Storage,
    revocations: Revocations,
    end: EndCalls,
    gate: Gate,
) -> Common:
    """Of one process alone."""
    return Common(
        ledger=ledger,
        breakers=LocalBreakers(policy),
        keys=SqliteKeyStore(storage),
        revoker=LocalRevoker(revocations, end),
        answers=AnswerCache(MemoryAnswers()),
        gate=gate,
    )
