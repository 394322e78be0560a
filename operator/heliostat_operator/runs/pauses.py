"""Which Agents the gateway has paused: asked before an admission, remembered for a short while."""

from collections import OrderedDict
from datetime import datetime, timedelta

from heliostat_operator.gateway.ledgers import AgentSum, Gateway, GatewayUnavailableError
from heliostat_operator.runs.seats import Key

_REMEMBERED = timedelta(seconds=15)
_MOST = 10_000


class Pauses:
    """What the gateway last said of each Agent. A gateway that does not answer pauses nobody."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: OrderedDict[Key, tuple[datetime, AgentSum | None]] = OrderedDict()

    async def of(self, agent: Key, now: datetime) -> AgentSum | None:
        """The pause of an Agent, at most 15 s old; None when it may run or nobody knows."""
        known = self._known.get(agent)
        if known is None or now - known[0] >= _REMEMBERED:
            known = (now, await self._ask(agent))
            self._known[agent] = known
            self._known.move_to_end(agent)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return known[1]

    async def _ask(self, agent: Key) -> AgentSum | None:
        try:
            found = await self._gateway.agent_sum(*agent)
        except GatewayUnavailableError:
            return None
        return found if found.paused else None
