"""Records load whatever a document holds; those of the earlier platform as they are."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.documents.port import Document, Fields, Value
from heliostat_api.documents.values import normalised
from heliostat_api.records.agents import AgentRecord, read_agent, view_agent
from heliostat_api.records.conversations import (
    ConversationRecord,
    MessageRecord,
    Role,
    read_conversation,
    read_message,
)
from heliostat_api.records.executions import (
    ExecutionRecord,
    Status,
    read_execution,
    view_execution,
)
from heliostat_api.records.totals import TokenUsage

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
EARLIER_EXECUTION: Fields = {
    "agentId": "a1",
    "startTime": NOON,
    "endTime": NOON + timedelta(seconds=90),
    "status": "success",
    "result": "done",
    "tokenUsage": {"input": 10, "output": 5},
    "userId": "ada",
    "createdAt": NOON,
}


def document(fields: Fields) -> Document:
    return Document("things/x", fields, "1")


def test_an_execution_of_the_earlier_platform_loads_as_it_is() -> None:
    assert read_execution(document(EARLIER_EXECUTION)) == ExecutionRecord(
        id="x",
        user_id="ada",
        agent_id="a1",
        created_at=NOON,
        start_time=NOON,
        end_time=NOON + timedelta(seconds=90),
        status=Status.SUCCESS,
        result="done",
        token_usage=TokenUsage(10, 5),
    )


@pytest.mark.parametrize(
    ("status", "phase"),
    [("success", "Succeeded"), ("failed", "Failed"), ("cancelled", "Cancelled")],
)
def test_it_is_shown_with_our_phase(status: str, phase: str) -> None:
    view = view_execution(document({**EARLIER_EXECUTION, "status": status}))
    assert (view.phase, view.is_finished, view.duration_seconds) == (phase, True, 90)
    assert (view.agent, view.usage.input_tokens, view.result) == ("a1", 10, "done")


def test_a_recorded_view_is_shown_as_it_was_recorded() -> None:
    view = view_execution(document(EARLIER_EXECUTION)).model_copy(update={"message": "kept"})
    recorded = view.model_dump(mode="json", by_alias=True)
    assert view_execution(document({"view": recorded})) == view


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, TokenUsage()),
        (12, TokenUsage(other=12)),
        ({"total": 12}, TokenUsage(other=12)),
        ({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, TokenUsage(1, 2)),
        ({"inputTokens": 1, "cache_read_input_tokens": 4}, TokenUsage(1, cache_read=4)),
        ({"input": "many", "total": float("nan")}, TokenUsage()),
    ],
)
def test_usage_is_read_however_it_was_written(usage: Value, expected: TokenUsage) -> None:
    assert read_execution(document({"tokenUsage": usage})).token_usage == expected


def test_instants_that_are_written_as_text_are_read() -> None:
    record = read_execution(
        document({"createdAt": "2025-03-01T21:00:00+09:00", "startTime": "2025-03-01T12:00:00"})
    )
    assert record.created_at == record.start_time == NOON
    assert read_execution(document({"createdAt": "yesterday"})).created_at is None


def test_a_status_that_is_not_known_is_a_failure_once_there_is_an_end() -> None:
    assert read_execution(document({"status": "crashed", "endTime": NOON})).status is Status.FAILED
    assert read_execution(document({"status": "queued"})).status is Status.PENDING


def test_an_agent_of_the_earlier_platform_loads_as_it_is() -> None:
    fields: Fields = {
        "finalAgentPrompt": "Be brief.",
        "schedule": "0 9 * * *",
        "status": "active",
        "totalTokenUsage": 1234,
        "createdAt": NOON,
        "userId": "ada",
    }
    record = read_agent(document(fields))
    assert record == AgentRecord(
        id="x",
        user_id="ada",
        final_agent_prompt="Be brief.",
        schedule="0 9 * * *",
        status="active",
        total_token_usage=TokenUsage(other=1234),
        created_at=NOON,
    )
    view = view_agent(document(fields))
    assert (view.name, view.status) == ("x", "inactive"), "nothing of ours runs it yet"


def test_a_message_with_content_alone_is_read_as_one_part() -> None:
    fields: Fields = {"role": "user", "content": "안녕", "timestamp": NOON}
    assert read_message(document(fields)) == MessageRecord(
        "x", Role.USER, "안녕", ({"type": "text", "text": "안녕"},), NOON
    )
    model = read_message(document({"role": "model", "parts": [{"type": "text", "text": "hi"}]}))
    assert (model.role, model.parts) == (Role.ASSISTANT, ({"type": "text", "text": "hi"},))


values: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-9, 9)
    | st.text("a한 {0-", max_size=5)
    | st.just(NOON),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["input", "total", "type"]), inner, max_size=2)
    ),
    max_leaves=4,
)
names = ["userId", "agentId", "status", "createdAt", "startTime", "endTime", "result"]
names += ["tokenUsage", "totalTokenUsage", "costMicros", "role", "content", "parts", "timestamp"]
names += ["finalAgentPrompt", "schedule", "name", "recordedAt", "title"]


@given(st.dictionaries(st.sampled_from(names), values))
def test_any_document_is_some_record_and_a_record_comes_back_as_it_was(fields: Fields) -> None:
    found = document(fields)
    execution, agent = read_execution(found), read_agent(found)
    conversation, message = read_conversation(found), read_message(found)
    view_execution(found)
    view_agent(found)
    assert read_execution(document(normalised(execution.fields()))) == execution
    assert read_agent(document(normalised(agent.fields()))) == agent
    assert read_conversation(document(normalised(conversation.fields()))) == conversation
    assert read_message(document(normalised(message.fields()))) == message


def test_a_conversation_without_fields_is_an_empty_one() -> None:
    assert read_conversation(document({})) == ConversationRecord("x")


def test_a_recorded_view_of_an_agent_is_shown_as_it_was_recorded() -> None:
    view = view_agent(document({"name": "Sales"})).model_copy(update={"is_ready": True})
    recorded = view.model_dump(mode="json", by_alias=True)
    assert view_agent(document({"name": "Other", "view": recorded})) == view
