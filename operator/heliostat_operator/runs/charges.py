"""On whom a run's model calls are booked: what the Agent's annotations say at its admission."""

from dataclasses import dataclass

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION


@dataclass(frozen=True)
class Charge:
    """The person, empty for nobody, and the gateway's budgets that all attempts count on."""

    user: str = ""
    budgets: tuple[str, ...] = ()


NOBODY = Charge()


def charge_of(execution: Execution, agent: Agent) -> Charge:
    """An Execution's own owner comes before its Agent's; budgets are the Agent's alone."""
    of_agent = agent.metadata.annotations
    owner = execution.metadata.annotations.get(OWNER_ANNOTATION) or of_agent.get(OWNER_ANNOTATION)
    named = of_agent.get(BUDGETS_ANNOTATION, "").split(",")
    budgets = tuple(dict.fromkeys(each.strip() for each in named if each.strip()))
    return Charge(owner or "", budgets)
