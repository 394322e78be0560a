"""A hook that does not guard is found before Claude Code is started."""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable

import pytest

from heliostat_runner.guard.canary import try_hook
from heliostat_runner.guard.hook_settings import Hook
from heliostat_runner.guard.protocol import Permission, build_answer
from heliostat_runner.guard.server import HookServer
from heliostat_runner.jsonvalue import JsonObject
from support.builders.guards import make_guard, make_rule

from .conftest import Asked

Begin = Callable[..., Awaitable[Asked]]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (build_answer(Permission.ALLOW, ""), "lets an action pass that must wait (allow)"),
        (build_answer(Permission.DENY, ""), "lets an action pass that must wait (deny)"),
        ({}, "lets an action pass that must wait (no decision)"),
        ({"decision": "approve"}, "lets an action pass that must wait (no decision)"),
        (build_answer(Permission.DEFER, ""), ""),
    ],
)
async def test_a_hook_that_answers_otherwise(answer: JsonObject, wrong: str) -> None:
    async def take(_: JsonObject) -> JsonObject:
        return answer

    server = HookServer(take, "secret")
    url = await server.open()
    try:
        assert (await try_hook(Hook(url, "secret"), "/")).endswith(wrong)
        assert await try_hook(Hook(url, "other"), "/") == "the hook answers with status 403"
    finally:
        server.close()


async def test_a_hook_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    wrong = await try_hook(Hook(f"http://127.0.0.1:{port}/", "secret"), "/")

    assert wrong == "the hook does not answer (ConnectionRefusedError)"
    assert await try_hook(None, "/") == "the file of settings names no hook"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"canAsk": False, "asksLeft": 0},
        {"unattended": "Refuse"},
    ],
)
async def test_the_guards_own_hook_defers_it_whatever_the_run_may(
    begin: Begin, changes: dict[str, object]
) -> None:
    """`begin` raises where it does not; what the canary asks leaves no trace."""
    asked = await begin(make_guard(make_rule("Allow", "ls"), **changes))

    assert asked.guard.report().ask is None
    assert asked.settings.exists()
    assert json.loads(asked.settings.read_text())["hooks"]["PreToolUse"]
