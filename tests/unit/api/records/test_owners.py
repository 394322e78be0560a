"""Whose a resource is, from its own word, its Agent's and the record before."""

from heliostat_api.documents.port import Document
from heliostat_api.records.owners import Owners
from heliostat_core.names import OWNER_ANNOTATION
from support.builders.resources import make_agent, make_execution

RUN = make_execution(agent="sales")
OWNED = make_agent("sales")
OWNED = OWNED.model_copy(
    update={
        "metadata": OWNED.metadata.model_copy(update={"annotations": {OWNER_ANNOTATION: "ada"}})
    }
)


def record(**fields: str) -> Document:
    return Document("executions/x", {**fields}, "1")


def test_a_run_is_its_agents_owners() -> None:
    owners = Owners()
    assert owners.of_execution(RUN, None) is None
    assert owners.of_agent(OWNED) == "ada"
    assert owners.of_execution(RUN, record(userId="bob")) == "ada"


def test_a_run_stays_whose_it_was_once_its_agent_is_gone() -> None:
    assert Owners("me").of_execution(RUN, record(userId="bob")) == "bob"
    assert Owners("me").of_execution(RUN, record(userId="namespace:default")) == "me"


def test_an_agent_of_the_dashboard_is_whose_its_document_says() -> None:
    owners = Owners()
    owners.note(OWNED, "agent-1", record(userId="bob"))
    assert owners.of_execution(RUN, None) == "bob"
    assert owners.agent_id_of(RUN, record(agentId="agent-0")) == "agent-1"


def test_a_document_that_is_not_there_changes_no_owner() -> None:
    owners = Owners()
    owners.of_agent(OWNED)
    owners.note(OWNED, "uid-1", None)
    assert owners.of_execution(RUN, None) == "ada"
    assert owners.agent_id_of(RUN, None) == "uid-1"
    assert Owners().agent_id_of(RUN, record(agentId="agent-0")) == "agent-0"
