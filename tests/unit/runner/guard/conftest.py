"""A guard behind its hook, asked as Claude Code asks."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from heliostat_runner.api import in_thread
from heliostat_runner.document import parse_document
from heliostat_runner.guard.document import GuardTerms
from heliostat_runner.guard.grants import spend
from heliostat_runner.guard.guard import Guard, Surroundings
from heliostat_runner.guard.hook_settings import Hook, read_hook
from support.builders.run_documents import make_run_document

KEY = "hx-key-of-the-test"


class Asked:
    """A guard with one process begun, and what it noted."""

    def __init__(self, guard: Guard, settings: Path, workspace: Path) -> None:
        self.guard = guard
        self.settings = settings
        self.workspace = workspace
        self.notes: list[dict[str, object]] = []
        hook = read_hook(json.loads(settings.read_bytes()))
        assert hook is not None
        self.hook = hook

    async def event(self, name: str, call: str = "toolu_1", **more: object) -> dict[str, object]:
        event = {
            "hook_event_name": name,
            "tool_name": "Bash",
            "tool_use_id": call,
            "cwd": str(self.workspace),
            **more,
        }
        status, body = await post(self.hook, json.dumps(event).encode())
        assert status == 200
        answer = json.loads(body)
        assert isinstance(answer, dict)
        return answer

    async def ask(self, command: str, call: str = "toolu_1", **more: object) -> tuple[str, str]:
        """The decision about a command, and its words."""
        answer = await self.event("PreToolUse", call, tool_input={"command": command}, **more)
        output = answer.get("hookSpecificOutput", {})
        assert isinstance(output, dict)
        words = str(output.get("permissionDecisionReason", ""))
        return str(output.get("permissionDecision", "")), words


async def post(hook: Hook, body: bytes, secret: str | None = None) -> tuple[int, bytes]:
    def send() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(hook.url).netloc, timeout=10)
        given = hook.secret if secret is None else secret
        connection.request("POST", "/", body, {"Authorization": given})
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found

    return await in_thread(send)


MakeAsked = Callable[..., "object"]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Opens a guard with this member `guard` and begins a process."""
    async with AsyncExitStack() as stack:

        async def make(
            guard: dict[str, object],
            allow: tuple[str, ...] = ("Bash", "Write"),
            deny: tuple[str, ...] = (),
        ) -> Asked:
            workspace = tmp_path / "workspace"
            workspace.mkdir(exist_ok=True)
            notes: list[dict[str, object]] = []
            made = Guard(
                read_terms(guard),
                Surroundings(
                    execution="u-1",
                    workspace=workspace,
                    allow=allow,
                    deny=deny,
                    key=KEY,
                    spend=lambda approval: spend(tmp_path / "state", approval),
                    mask=lambda text: text.replace(KEY, "[key]"),
                    note=lambda subtype, **facts: notes.append({"subtype": subtype, **facts}),
                    clock=lambda: datetime.now(UTC),
                ),
            )
            await made.open()
            stack.callback(made.close)
            hooks = await made.begin()
            assert hooks is not None
            asked = Asked(made, hooks.settings, workspace.resolve())
            asked.notes = notes
            return asked

        yield make


def read_terms(guard: dict[str, object]) -> GuardTerms:
    document = make_run_document("http://gateway", guard=guard)
    terms = parse_document(json.dumps(document)).guard
    assert terms is not None
    return terms
