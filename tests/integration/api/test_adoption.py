"""What the earlier platform left is listed: its documents have only P8's fields."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heliostat_api.documents.port import (
    Delete,
    Documents,
    Fields,
    Put,
    Query,
    UnavailableError,
    Value,
)
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.documents.writes import MOST_DOCUMENT_BYTES, size_of
from heliostat_api.recording.backfill import Backfill
from support.shared_api import ApiApp, api_app

ANN = "guest-ann"
BEGAN = datetime(2025, 3, 1, tzinfo=UTC)
AGENT: Fields = {
    "userId": ANN,
    "name": "일일 보고서",
    "description": "d" * 2000,
    "finalAgentPrompt": "Report.",
    "schedule": "0 9 * * *",
    "status": "active",
    "totalTokenUsage": 12,
    "createdAt": BEGAN,
}
RUN: Fields = {
    "agentId": "Early1",
    "startTime": BEGAN,
    "endTime": BEGAN,
    "status": "success",
    "result": "done",
}


async def fields(documents: Documents, path: str) -> Fields:
    found = await documents.get(path)
    assert found is not None
    return found.fields


async def adopted(api: ApiApp) -> None:
    """As a start of the api does it."""
    async with api.serving(), asyncio.timeout(20):
        while (await api.documents.get("adoptions/executions")) is None:
            await asyncio.sleep(0.01)


async def test_it_is_listed_looked_at_and_duplicated(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        await api.documents.commit(Put("agents/Early1", AGENT), Put("executions/run-1", RUN))
        await adopted(api)
        (agent,) = (await ann.get("/api/agents")).json()["items"]
        assert (agent["id"], agent["name"], agent["status"]) == (
            "Early1",
            "일일 보고서",
            "inactive",
        )
        runs = await ann.get("/api/executions?phase=Succeeded&agent=Early1")
        assert [each["id"] for each in runs.json()["items"]] == ["run-1"]
        detail = (await ann.get("/api/agents/Early1")).json()
        assert detail["spec"] == {"prompt": "Report."}
        preview = await ann.post("/api/agents/preview", json={"agent": "Early1"})
        assert preview.json()["missing"] == []
        assert (await ann.post("/api/agents/Early1/activate")).status_code == 409
        copy = await ann.post("/api/agents/Early1/duplicate", json={})
        assert copy.status_code == 201
        assert (await ann.get("/api/executions/run-1/logs")).status_code == 404


async def test_its_conversations_are_listed_and_read(tmp_path: Path) -> None:
    asked: Fields = {"role": "user", "content": "매일 보고해 줘", "timestamp": BEGAN}
    answered: Fields = {
        "role": "model",
        "content": "네.",
        "parts": [{"text": "네."}, {"functionCall": {"name": "save"}}],
        "timestamp": BEGAN + timedelta(seconds=1),
    }
    async with api_app(tmp_path) as api, api.browser(ANN) as ann:
        await api.documents.commit(
            Put("conversations/Early1", {"userId": ANN, "createdAt": BEGAN}),
            Put("conversations/Early1/messages/a", asked),
            Put("conversations/Early1/messages/b", answered),
        )
        (listed,) = (await ann.get("/api/conversations")).json()["items"]
        assert (listed["id"], listed["state"]) == ("Early1", "idle")
        messages = (await ann.get("/api/conversations/Early1/messages")).json()["items"]
        assert [(each["role"], each["parts"][0]["text"]) for each in messages] == [
            ("user", "매일 보고해 줘"),
            ("assistant", "네."),
        ]
        assert (await ann.delete("/api/conversations/Early1")).status_code == 204
        assert (await ann.get("/api/conversations")).json()["items"] == []


async def test_a_run_of_an_agent_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    """Also where an api that did not know of such runs has looked at all others."""
    documents = open_sqlite(tmp_path / "documents.sqlite")
    await documents.commit(Put("executions/run-1", RUN))
    await documents.commit(Put("adoptions/executions", {"after": None, "isDone": True}))
    await Backfill(documents).adopt()
    run = await fields(documents, "executions/run-1")
    assert (run["createdAt"], run["unowned"]) == (BEGAN, True)
    assert (run["agentName"], run["phase"], run["isFinished"]) == ("Early1", "Succeeded", True)
    await documents.close()


@pytest.mark.parametrize(
    "odd", ["", "agents/Early1", "a/revisions/1", ".", "__x__", "x" * 1600, None, 5, ["Early1"]]
)
async def test_a_run_that_names_no_agent_is_nobodys_and_holds_up_no_other(
    tmp_path: Path, odd: Value
) -> None:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    await documents.commit(
        Put("agents/Early1", AGENT),
        Put("executions/odd", {**RUN, "agentId": odd}),
        Put("executions/run-1", RUN),
    )
    await Backfill(documents).adopt()
    for path, whose in (("executions/odd", "namespace:"), ("executions/run-1", ANN)):
        assert (await fields(documents, path))["userId"] == whose
    await documents.close()


async def test_what_cannot_be_kept_whole_holds_up_no_other(tmp_path: Path) -> None:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    left = MOST_DOCUMENT_BYTES - size_of("agents/full", {**AGENT, "a": "", "b": ""})
    full: Fields = {**AGENT, "a": "x" * 2**19, "b": "x" * (left - 2**19)}
    await documents.commit(Put("agents/full", full), Put("agents/other", AGENT))
    await Backfill(documents).adopt()
    assert "shown" not in await fields(documents, "agents/full")
    assert (await fields(documents, "agents/other"))["shown"] is True
    await documents.close()


async def test_instants_that_were_written_as_text_are_in_their_place(tmp_path: Path) -> None:
    """Also where all was looked at before that was known."""
    documents = open_sqlite(tmp_path / "documents.sqlite")
    times: tuple[Value, ...] = ("2024-01-01T00:00:00Z", BEGAN, "2025-04-01T09:00:00+09:00")
    for kind in ("agents", "executions", "conversations"):
        for number, created in enumerate(times):
            document: Fields = {**AGENT, "agentId": "Early1", "createdAt": created}
            await documents.commit(Put(f"{kind}/{number}", document))
        await documents.commit(Put(f"adoptions/{kind}", {"after": None, "isDone": True}))
    early = datetime(2020, 1, 1, tzinfo=UTC)
    await documents.commit(
        Put("executions/4", {**RUN, "startTime": "2025-05-01T00:00:00Z"}),
        Put("agents/Early1", {**AGENT, "createdAt": early}),
    )
    await Backfill(documents).adopt()
    for kind, order in (("agents", "210Early1"), ("executions", "4210"), ("conversations", "210")):
        listed = await documents.query(Query(kind, ANN))
        assert "".join(each.id for each in listed.documents) == order
    await documents.close()


async def test_what_has_the_fields_stays_as_it_is_and_a_second_time_changes_nothing(
    tmp_path: Path,
) -> None:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    ours: Fields = {**AGENT, "shown": False, "name": "gone"}
    nobodys: Fields = {**RUN, "userId": "namespace:a", "phase": "Failed", "createdAt": BEGAN}
    many = [Put(f"agents/early-{number}", AGENT) for number in range(250)]
    await documents.commit(
        Put("agents/gone", ours), Put("executions/run-1", nobodys), Put("agents/b", AGENT), *many
    )
    await Backfill(documents).adopt()
    assert await fields(documents, "agents/gone") == ours
    assert await fields(documents, "agents/early-249") == {**AGENT, "shown": True}
    run = await fields(documents, "executions/run-1")
    assert (run["phase"], run["isFinished"], run["unowned"]) == ("Failed", True, True)
    await documents.commit(Put("agents/late", AGENT))
    await Backfill(documents).adopt()
    assert await fields(documents, "agents/late") == AGENT, "it is done once"
    await documents.close()


class Breaking:
    """A store whose connection breaks after some commits."""

    def __init__(self, documents: Documents, commits: int) -> None:
        self._documents, self._left = documents, commits
        self.get, self.query, self.count = documents.get, documents.query, documents.count
        self.delete_tree, self.close = documents.delete_tree, documents.close

    async def commit(self, *writes: Put | Delete) -> None:
        self._left -= 1
        if self._left < 0:
            raise UnavailableError("the store is away")
        await self._documents.commit(*writes)


async def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    await documents.commit(*(Put(f"agents/early-{number:03}", AGENT) for number in range(150)))
    with pytest.raises(UnavailableError):
        await Backfill(Breaking(documents, 110)).adopt()
    await documents.commit(Put("agents/early-149", AGENT))  # of the first page, newest first
    await Backfill(documents).adopt()
    shown = [(await fields(documents, f"agents/early-{number:03}")) for number in range(150)]
    assert [each.get("shown") for each in shown] == [True] * 149 + [None]
    await documents.close()
