"""The gateway as the operator sees it, in memory: the protocol of its `gateway.ledgers`."""

from heliostat_operator.gateway.ledgers import (
    AgentSum,
    GatewayUnavailableError,
    LedgerSum,
    ModelAnswer,
)


class FakeGateway:
    """Answers unless told not to; remembers which keys are dead, in order."""

    def __init__(self) -> None:
        self.answers = True
        self.revoked: list[tuple[str, int]] = []
        self.sums: dict[str, LedgerSum] = {}
        self.pauses: dict[str, AgentSum] = {}

    async def revoke(self, execution_uid: str, attempt: int, expires: int) -> None:
        self._check()
        assert expires > 0
        if (execution_uid, attempt) not in self.revoked:
            self.revoked.append((execution_uid, attempt))

    async def execution_sum(self, execution_uid: str) -> LedgerSum:
        self._check()
        return self.sums.get(execution_uid, LedgerSum())

    async def agent_sum(self, namespace: str, name: str) -> AgentSum:
        self._check()
        cost = sum(each.cost_nanos for each in self.sums.values())
        known = self.pauses.get(f"{namespace}/{name}", AgentSum())
        return known.model_copy(update={"cost_nanos": cost})

    async def model(self, name: str) -> ModelAnswer:
        self._check()
        return ModelAnswer(served=True, provider="scripted", reason="Served", message=name)

    def _check(self) -> None:
        if not self.answers:
            raise GatewayUnavailableError("The gateway is away.")
