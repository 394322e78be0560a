"""What is recorded of a resource, and what of it remains when it is gone."""

from datetime import UTC, datetime

import pytest

from heliostat_api.base.views import ExecutionView
from heliostat_api.documents.port import Document, Value
from heliostat_api.documents.writes import MOST_DOCUMENT_BYTES
from heliostat_api.events.log import ReportType
from heliostat_api.records.annotations import AGENT_REVISION
from heliostat_api.records.contents import Content
from heliostat_api.records.drafts import Draft, fields_of, read_draft
from heliostat_api.records.fields import LIVE, REVISION, SHOWN, SPEC, SPEC_CUT, VIEW
from heliostat_api.records.managers import APPLIER
from heliostat_api.records.states import applied_revision, drift_of
from heliostat_api.records.subjects import (
    Subject,
    subject_of_agent,
    subject_of_draft,
    subject_of_execution,
    subject_of_gone,
)
from heliostat_core.agents import Agent
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import compute_phase
from support.builders.resources import make_attempt, make_condition_status, make_execution

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTENT = Content(name="Sales", description="Daily.", spec={"prompt": "Count."})


def make_agent(*, manager: str = APPLIER, revision: str = "3", **spec: object) -> Agent:
    return Agent.model_validate(
        {
            "metadata": {
                "name": "sales",
                "namespace": "default",
                "uid": "1",
                "resourceVersion": "41",
                "annotations": {AGENT_REVISION: revision},
                "managedFields": [{"manager": manager, "fieldsV1": {"f:spec": {"f:suspend": {}}}}],
            },
            "spec": {"prompt": "Count.", "description": "Daily.", **spec},
        }
    )


def document_of(subject: Subject) -> Document:
    return Document(subject.path, subject.fields, "1")


def draft_document(*, deleting: bool = False) -> Document:
    draft = Draft(
        user_id="ada",
        name="Sales",
        description="Daily.",
        spec=CONTENT.spec,
        created_at=NOW,
        status="active",
        namespace="default",
        resource="sales",
        deleting=deleting,
    )
    return Document("agents/agent-1", fields_of(draft, "agent-1", {"noted": "by another"}), "1")


def revision_document(**fields: Value) -> Document:
    return Document("revisions/3", {**CONTENT.model_dump(mode="json"), **fields}, "1")


def test_a_spec_that_no_document_holds_is_cut_to_its_prompt() -> None:
    agent = make_agent()
    spec = agent.spec.model_copy(update={"description": "x" * MOST_DOCUMENT_BYTES})
    big = agent.model_copy(update={"spec": spec})
    assert subject_of_agent(agent, "ada", None, NOW).fields[SPEC_CUT] is False
    cut = subject_of_agent(big, "ada", None, NOW)
    assert (cut.fields[SPEC_CUT], cut.fields[SPEC]) == (True, {"prompt": "Count."})


def test_an_agent_of_a_manifest_that_is_gone_is_no_longer_shown() -> None:
    before = subject_of_agent(make_agent(), None, None, NOW)
    gone = subject_of_gone(document_of(before), NOW)
    assert gone.report.type == ReportType.AGENT_DELETED
    assert gone.report.payload == {"id": "1", "namespace": "default", "name": "sales"}
    assert gone.fields == {"status": "inactive", SHOWN: False, LIVE: False, REVISION: 42}
    assert gone.audiences == before.audiences == ("namespace:default", "cluster")


def test_the_report_of_what_is_gone_is_the_same_when_it_is_made_again() -> None:
    before = document_of(subject_of_agent(make_agent(), "ada", None, NOW))
    gone = subject_of_gone(before, NOW)
    again = subject_of_gone(Document(before.path, {**before.fields, **gone.fields}, "2"), NOW)
    assert again.key == gone.key


def test_an_agent_of_the_dashboard_stays_inactive_when_its_resource_is_gone() -> None:
    subject = subject_of_draft(make_agent(), draft_document(), revision_document(), NOW)
    assert subject is not None
    assert (subject.fields["status"], subject.fields["noted"]) == ("active", "by another")
    assert (subject.fields[REVISION], subject.fields[LIVE]) == (41, True)
    gone = subject_of_gone(document_of(subject), NOW)
    assert (gone.report.type, gone.fields["status"]) == (ReportType.AGENT_CHANGED, "inactive")
    assert (gone.fields["state"], gone.fields[LIVE]) == (None, False)
    assert gone.fields["noted"] == "by another"


@pytest.mark.parametrize(
    "known",
    [None, Document("agents/1", {"managedBy": "kubectl"}, "1"), draft_document(deleting=True)],
)
def test_a_resource_brings_no_agent_of_the_dashboard_back(known: Document | None) -> None:
    assert subject_of_draft(make_agent(), known, None, NOW) is None


def test_only_what_the_dashboard_made_is_a_draft() -> None:
    assert read_draft(Document("agents/1", {"managedBy": "kubectl"}, "1")) is None
    assert read_draft(draft_document()) is not None


def view_of_gone(*, finished: bool) -> ExecutionView:
    over = make_attempt(start=NOW, end=NOW, reason="Verified")
    status = (
        make_condition_status(over, succeeded="True", reason=FinishedReason.VERIFIED)
        if finished
        else make_condition_status(make_attempt(start=NOW))
    )
    phase = compute_phase(make_execution(status=status))
    execution = make_execution(status=status.model_copy(update={"phase": phase.value}))
    subject = subject_of_execution(execution, "ada", "agent-1", NOW)
    gone = subject_of_gone(document_of(subject), NOW)
    assert gone.report.type == ReportType.EXECUTION_CHANGED
    return ExecutionView.model_validate(gone.fields[VIEW])


def test_a_run_that_nobody_saw_end_was_cancelled_by_its_deletion() -> None:
    view = view_of_gone(finished=False)
    assert (view.phase, view.reason, view.is_finished) == ("Cancelled", "Deleted", True)


def test_a_run_that_was_over_keeps_its_end() -> None:
    assert view_of_gone(finished=True).phase == "Succeeded"


@pytest.mark.parametrize(
    ("agent", "applied", "drift"),
    [
        (make_agent(), revision_document(), ()),
        (make_agent(), None, ()),
        (make_agent(prompt="Sum."), revision_document(), ("spec.prompt",)),
        (make_agent(suspend=True), revision_document(), ()),
        (make_agent(manager="kubectl", suspend=True), revision_document(), ("spec.suspend",)),
        (make_agent(prompt="Sum."), revision_document(spec={"prompt": 7}), ()),
    ],
)
def test_what_others_changed_is_named(
    agent: Agent, applied: Document | None, drift: tuple[str, ...]
) -> None:
    assert drift_of(agent, applied) == drift


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("", None), ("-3", None), ("٣", None), ("1" * 10, None)]
)
def test_a_revision_that_is_no_number_of_ours_is_none(text: str, number: int | None) -> None:
    assert applied_revision(make_agent(revision=text)) == number
