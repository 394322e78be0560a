"""Agents in memory, so that a tick of a thousand schedules need not begin with a thousand reads."""

from heliostat_core.agents import Agent
from heliostat_operator.runs.seats import Key


class KnownAgents:
    """Agents as the watch and our own writes brought them.

    A stale one ends in a conflict when its status is written, and is read.
    """

    def __init__(self) -> None:
        self._agents: dict[Key, Agent] = {}

    def see(self, agent: Agent) -> None:
        key = (agent.metadata.namespace, agent.metadata.name)
        known = self._agents.get(key)
        if known is None or _version(agent) >= _version(known):
            self._agents[key] = agent

    def forget(self, key: Key) -> None:
        self._agents.pop(key, None)

    def get(self, key: Key) -> Agent | None:
        return self._agents.get(key)


def _version(agent: Agent) -> int:
    """Resource versions are compared as numbers, as Kubernetes 1.35 promises that they can be."""
    return int(agent.metadata.resource_version or 0)
