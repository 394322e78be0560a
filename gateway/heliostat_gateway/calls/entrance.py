"""The way to the providers: first the reservation, then the chain."""

from dataclasses import dataclass

from heliostat_gateway.breakers import Breakers
from heliostat_gateway.calls.chain import Allowance, Chain
from heliostat_gateway.calls.exchange import Exchange
from heliostat_gateway.calls.governor import Governor


@dataclass(frozen=True)
class Entrance:
    """Who lets requests in, and knows who can be asked."""

    governor: Governor
    breakers: Breakers

    async def open(self, exchange: Exchange) -> Chain:
        """Reserves, then gives the chain. Raises RefusalError, StorageError."""
        reserved = await self.governor.admit(exchange.id, exchange.ask, exchange.plan)
        exchange.reserved(reserved.nanos)
        return Chain(exchange, self.breakers, Allowance(reserved.max_tokens))
