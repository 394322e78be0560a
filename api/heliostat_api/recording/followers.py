"""Who hears of what is recorded."""

from typing import Protocol

from heliostat_core.agents import Agent
from heliostat_core.approvals import Approval
from heliostat_core.executions import Execution


class Follower(Protocol):
    """Hears of each state of a resource after its document was written. Raises StoreError."""

    async def see_execution(self, execution: Execution, path: str) -> None:
        """Hears of an Execution; may be repeated."""

    async def see_agent(self, agent: Agent, path: str) -> None:
        """Hears of an Agent; may be repeated."""

    async def see_approval(self, approval: Approval, path: str) -> None:
        """Hears of an Approval; may be repeated."""
