"""Whose a resource is, and of which agent a run is."""

from heliostat_api.documents.port import OWNER, Document
from heliostat_api.documents.values import text_in
from heliostat_api.people.topics import is_nobodys
from heliostat_api.records.annotations import AGENT_ID
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION


class Owners:
    """Remembers the Agents' owners, for a run without an owner of its own is its Agent's owner's,
    and their documents, for runs say the name of their Agent only.

    `default` owns what names nobody: the one person of `heliostat dev`; None on a cluster.
    """

    def __init__(self, default: str | None = None) -> None:
        self._default = default
        self._of_agents: dict[tuple[str, str], str] = {}
        self._documents: dict[tuple[str, str], str] = {}

    def of_agent(self, agent: Agent) -> str | None:
        """The person's id, or None when it is nobody's."""
        meta = agent.metadata
        owner = meta.annotations.get(OWNER_ANNOTATION, "")
        self._of_agents[meta.namespace, meta.name] = owner
        return owner or self._default

    def of_execution(self, execution: Execution, known: Document | None) -> str | None:
        """The person's id, or None when it is nobody's.

        `known` is its record: whose a run was before its Agent was gone, it stays.
        """
        meta = execution.metadata
        own = meta.annotations.get(OWNER_ANNOTATION)
        agents = self._of_agents.get((meta.namespace, execution.spec.agent_ref.name))
        recorded = _person_in(known) if self.lacks(execution) else None
        return own or agents or recorded or self._default

    def lacks(self, execution: Execution) -> bool:
        """Whether its Agent, which says whose it is, was not seen (yet)."""
        meta = execution.metadata
        place = meta.namespace, execution.spec.agent_ref.name
        return OWNER_ANNOTATION not in meta.annotations and place not in self._of_agents

    def note(self, agent: Agent, agent_id: str, document: Document | None) -> None:
        """Remembers which document is an Agent's; a dashboard's agent is whose that says."""
        place = agent.metadata.namespace, agent.metadata.name
        self._documents[place] = agent_id
        if document is not None:
            self._of_agents[place] = str(document.fields[OWNER])

    def agent_id_of(self, execution: Execution, known: Document | None) -> str:
        """The id of the agent's document; empty when it was never seen. `known` is the record."""
        meta, seen = execution.metadata, execution.status.agent
        own = meta.annotations.get(AGENT_ID)
        agents = self._documents.get((meta.namespace, execution.spec.agent_ref.name))
        recorded = text_in(known.fields, "agentId") if known else ""
        return own or agents or recorded or (seen.uid if seen else "")


def _person_in(document: Document | None) -> str | None:
    owner = text_in(document.fields, OWNER) if document else ""
    return None if is_nobodys(owner) else owner
