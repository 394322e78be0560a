"""What a reconcile sees: gathered once, frozen, then decided upon without any further I/O."""

from dataclasses import dataclass

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.approvals import Approval
from heliostat_operator.gateway.ledgers import AgentSum, LedgerSum
from heliostat_operator.model.effects import NOBODY, Charge
from heliostat_operator.runs.facts import NOTHING_LEFT, Facts, Leftover
from heliostat_operator.secrets.resolved_secrets import NOTHING, ResolvedSecrets

LEAST_STALLED = 10
"""So many pods that can't start are let wait in a namespace, however small its limit is."""


@dataclass(frozen=True)
class LimitUse:
    """How much of one limit is taken, and how many runs beside it have pods that can't start."""

    taken: int
    limit: int
    stalled: int = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self.limit

    @property
    def is_clogged(self) -> bool:
        """Whether so many pods can't start that no more are tried: they cost the cluster, too."""
        return self.stalled >= max(self.limit, LEAST_STALLED)


@dataclass(frozen=True)
class SlotStatus:
    """How the limits stand for one Execution. `granted` says that a slot is free for it now;
    `ahead` counts those of its namespace that go before it."""

    granted: bool
    agent: LimitUse
    namespace: LimitUse
    total: LimitUse
    ahead: int


@dataclass(frozen=True)
class Frozen:
    """What holds for all attempts of a run: the Agent's spec at admission, and who is charged."""

    spec: AgentSpec
    charge: Charge


@dataclass(frozen=True)
class Observation:
    """Everything about one Execution that is not in the Execution itself.

    `agent` is read only before admission, `frozen` (the Agent's spec as it was at admission) only
    after, as `charge` is. `ledger` is None when it was not asked or did not answer. `pause` is what
    the gateway says of an Agent that it has paused, read before admission. `vaulted` are values of
    Secret Manager, read before admission and before a start.
    `terminating` says that the namespace is being deleted, so that nothing can be made in it.
    Of a run that asks, `approval` is that of its first unresolved ask, `left` what there is of the
    attempt that ended, `action` what it asks for where that lies with the api; `open_asks` is how
    many runs of its Agent wait for people. `agent` and `pause` are read again before such a run
    goes on.
    """

    agent: Agent | None
    frozen: AgentSpec | None
    slots: SlotStatus
    facts: Facts
    ledger: LedgerSum | None
    pause: AgentSum | None = None
    vaulted: ResolvedSecrets = NOTHING
    charge: Charge = NOBODY
    terminating: bool = False
    approval: Approval | None = None
    left: Leftover = NOTHING_LEFT
    action: bytes | None = None
    open_asks: int = 0
