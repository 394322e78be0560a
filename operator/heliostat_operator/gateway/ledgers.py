"""What the operator asks of the gateway: dead keys, money, and whether a model is served."""

from collections.abc import Sequence
from typing import Literal, Protocol

from heliostat_core.egress import Network
from heliostat_core.executions import Execution, Usage
from heliostat_core.resources import Instant, Part
from heliostat_operator.model.effects import StartAttempt


class GatewayUnavailableError(Exception):
    """The gateway did not answer, or not with sense; the same call may succeed later."""


class AttemptSum(Part):
    attempt: int
    cost_nanos: int = 0


class LedgerSum(Part):
    """The ledger's sum over one Execution; money in nano-dollars."""

    cost_nanos: int = 0
    settled: bool = True
    estimated: bool = False
    requests: int = 0
    usage: Usage = Usage()
    provider: str | None = None
    model: str | None = None
    attempts: tuple[AttemptSum, ...] = ()


class ModelAnswer(Part):
    """Whether the gateway would serve a model now, and the reason for people."""

    served: bool
    provider: str | None = None
    reason: Literal["Served", "UnknownModel", "ProviderKeyMissing", "ScriptedNotChosen"]
    message: str = ""


class AgentSum(Part):
    """What the gateway says of an Agent: the cost of all its runs, and whether it is paused."""

    cost_nanos: int = 0
    paused: bool = False
    reason: str = ""
    since: Instant | None = None
    resume_with: str = ""  # the request that lets it go on; gateways before it do not say


class Gateway(Protocol):
    """Each call raises GatewayUnavailableError."""

    async def revoke(self, execution_uid: str, attempt: int, expires: int) -> None:
        """Returns once the key is dead and its open streams have ended."""

    async def execution_sum(self, execution_uid: str) -> LedgerSum:
        """What the run has cost so far."""

    async def agent_sum(self, namespace: str, name: str) -> AgentSum:
        """What all runs of an Agent have cost, and whether its model calls are refused."""

    async def model(self, name: str) -> ModelAnswer:
        """Whether a model would be served."""


class KeySigner(Protocol):
    """Signs the key of an attempt."""

    def execution_key(
        self, execution: Execution, start: StartAttempt, never: Sequence[Network] = ()
    ) -> str: ...
