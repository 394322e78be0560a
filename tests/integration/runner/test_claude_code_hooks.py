"""What Claude Code's bundled binary does with a PreToolUse hook: the facts that approvals rest on.

An upgrade that changes one of them fails here (docs/decisions/0020-claude-code-hooks-as-tried.md).
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from support.sampling import rows_of_landing

from .anthropic_stub import AnthropicStub, Call, Calls, Say, Script, Turn, in_order
from .hooked_claude import (
    Answer,
    Asked,
    Claude,
    HookServer,
    Http,
    JsonMap,
    Ran,
    command_hook,
    decide,
    http_hook,
)

Serve = Callable[[Script], AnthropicStub]
WINDOW = 1 << 20
"""Claude Code looks for a deferred call in so many last bytes of the session's file."""
GONE = "No deferred tool marker found in the resumed session."
RED = Call("Bash", {"command": "echo red >> out"})
EVENTS = Path(__file__).parent / "hook_events"
MCP_TOOL = "mcp__books__pay"
TASK = {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}


class Trial:
    """A model with a script, a hook whose answer may change, and one session."""

    def __init__(
        self,
        claude: Claude,
        model: AnthropicStub,
        hook: HookServer,
    ) -> None:
        self.claude = claude
        self.model = model
        self.hook = hook

    def answer(self, decision: str, **more: object) -> None:
        self.hook.answer = lambda _: decide(decision, **more)

    def resume(self, max_turns: int = 20) -> Ran:
        return self.claude.start(resume=True, max_turns=max_turns)

    @property
    def effects(self) -> list[str]:
        out = self.claude.workspace / "out"
        return out.read_text().split() if out.exists() else []


Try = Callable[..., Trial]


@pytest.fixture
def attempt(tmp_path: Path, serve: Serve) -> Iterator[Try]:
    """Makes a trial whose model takes these turns; its hook defers, until it is told otherwise."""
    hooks: list[HookServer] = []

    def make(
        *turns: Call | Calls | Say,
        allow: Sequence[str] = (),
        options: Sequence[str] = (),
        answer: Answer = lambda _: decide("defer"),
        entries: Callable[[str], Sequence[JsonMap]] | None = None,
        script: Script | None = None,
    ) -> Trial:
        hook = HookServer(answer)
        hooks.append(hook)
        model = serve(script or in_order([*turns, Say("done")]))
        default = http_hook(hook.url, onFailure="block", timeout=20)
        found = entries(hook.url) if entries else [default]
        claude = Claude(tmp_path, model.url, found, allow, options=options)
        return Trial(claude, model, hook)

    yield make
    for hook in hooks:
        hook.close()


def test_a_deferred_call_waits_outside_of_any_process_and_runs_once(attempt: Try) -> None:
    trial = attempt(RED)

    first = trial.claude.start("go")

    assert first.stop == (0, "success", "tool_deferred")
    assert (first.result["is_error"], first.result["result"]) == (False, "")
    assert first.result["terminal_reason"] == "tool_deferred"
    call = trial.hook.asked[0].event
    assert first.result["deferred_tool_use"] == {
        "id": call["tool_use_id"],
        "name": "Bash",
        "input": RED.arguments,
    }
    assert trial.effects == []

    again = trial.resume()

    assert again.stop == (0, "success", "tool_deferred")
    assert again.result["deferred_tool_use"] == first.result["deferred_tool_use"]
    assert "terminal_reason" not in again.result
    assert not [event for event in again.events if event.get("subtype") == "init"]
    assert (trial.model.turns, trial.effects) == ([0], [])

    models_at_the_question: list[int] = []

    def allow(_: Asked) -> Http:
        models_at_the_question.append(len(trial.model.requests))
        return decide("allow")

    trial.hook.answer = allow
    allowed = trial.resume()

    assert allowed.stop == (0, "success", "end_turn")
    assert (models_at_the_question, trial.model.turns) == ([1], [0, 1])
    assert trial.effects == ["red"]
    asked = [(asked.event["tool_use_id"], asked.call) for asked in trial.hook.asked]
    assert asked == [(call["tool_use_id"], RED.arguments)] * 3

    compare_events("resumed", trial)

    over = trial.resume()

    assert (over.code, over.events, trial.effects) == (1, [], ["red"])
    assert GONE in over.stderr


def test_a_call_that_is_denied_on_resume_is_told_to_the_model(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    trial.answer("deny")

    denied = trial.resume()

    assert denied.stop == (0, "success", "end_turn")
    [told] = denied.tool_results
    assert (told["is_error"], "the hook says deny" in str(told["content"])) == (True, True)
    assert denied.result["permission_denials"] == [
        {"tool_name": "Bash", "tool_use_id": told["tool_use_id"], "tool_input": RED.arguments}
    ]
    assert (trial.model.turns, trial.effects) == ([0, 1], [])


def test_what_a_hook_changes_runs_and_the_history_does_not_show_it(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    trial.answer("allow", updatedInput={"command": "echo changed >> out"})

    trial.resume()

    assert trial.effects == ["changed"]
    history = json.dumps(trial.model.requests[-1].body["messages"])
    assert ("echo red" in history, "echo changed" in history) == (True, False)


def test_a_hook_that_fails_on_resume_spends_the_call(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    trial.hook.answer = lambda _: Http(b"", 500)

    failed = trial.resume()
    trial.answer("allow")
    later = trial.resume()

    assert failed.stop == (0, "success", "end_turn")
    assert failed.tool_results[0]["is_error"] is True
    assert (later.code, GONE in later.stderr, trial.effects) == (1, True, [])


def test_a_prompt_beside_a_deferred_call_makes_two_results(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    trial.answer("allow")

    ran = trial.claude.start("Go on.", resume=True)

    assert [result["stop_reason"] for result in ran.results] == ["end_turn", "end_turn"]
    assert trial.effects == ["red"]


def test_turns_are_counted_by_process_and_a_granted_call_is_none(attempt: Try) -> None:
    quick = [Call("Bash", {"command": f"echo {number} >> out"}) for number in range(5)]

    def answer(asked: Asked) -> Http:
        return decide("defer" if asked.call == RED.arguments else "allow")

    trial = attempt(*quick[:2], RED, *quick[2:], answer=answer)
    # The third answer is the last that is allowed, and it is deferred, not stopped.
    first = trial.claude.start("go", max_turns=3)
    assert (first.stop, first.result["num_turns"]) == ((0, "success", "tool_deferred"), 3)
    trial.answer("allow")

    stopped = trial.resume(max_turns=1)

    # One more answer of the model, whose call still runs.
    assert stopped.stop == (1, "error_max_turns", "tool_use")
    assert (stopped.result["num_turns"], trial.model.turns) == (2, [0, 1, 2, 3])
    assert trial.effects == ["0", "1", "red", "2"]


@pytest.mark.parametrize(("distance", "found"), [(WINDOW - 1, True), (WINDOW, False)])
def test_a_deferred_call_is_looked_for_in_the_last_mebibyte(
    attempt: Try, distance: int, found: bool
) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    _push_back(trial.claude.session_file, distance)

    ran = trial.resume()

    assert (ran.code == 0, GONE in ran.stderr) == (found, not found)


def test_a_copy_of_the_deferred_calls_line_at_the_end_is_found(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    session = trial.claude.session_file
    lines = session.read_text().splitlines(keepends=True)
    [line] = [line for line in lines if '"hook_deferred_tool"' in line]
    _push_back(session, WINDOW)
    with session.open("a") as file:
        file.write(line)
    trial.answer("allow")

    ran = trial.resume()

    assert ran.stop == (0, "success", "end_turn")
    assert (trial.effects, trial.resume().code) == (["red"], 1)


def test_a_call_that_is_not_found_is_told_to_the_model_as_interrupted(attempt: Try) -> None:
    trial = attempt(RED)
    trial.claude.start("go")
    _push_back(trial.claude.session_file, WINDOW)
    trial.answer("allow")

    ran = trial.claude.start("Go on.", resume=True)

    assert ran.stop == (0, "success", "end_turn")
    assert "its outcome is unknown" in json.dumps(trial.model.requests[-1].body["messages"])
    assert (len(trial.hook.asked), trial.effects) == (1, [])


def _push_back(session: Path, distance: int) -> None:
    """Lets the line of the deferred call begin so many bytes before the file's end."""
    data = session.read_bytes()
    begin = data.rindex(b"\n", 0, data.index(b'"hook_deferred_tool"')) + 1
    head, tail = b'{"type":"x","p":"', b'"}\n'
    missing = distance - (len(data) - begin) - len(head) - len(tail)
    session.write_bytes(data + head + b"p" * missing + tail)


def test_a_call_of_more_than_a_mebibyte_is_deferred_and_never_found_again(attempt: Try) -> None:
    big = Call("Write", {"file_path": "big.txt", "content": "x" * WINDOW})
    trial = attempt(big)
    first = trial.claude.start("go")
    trial.answer("allow")

    ran = trial.resume()

    assert first.stop == (0, "success", "tool_deferred")
    assert (ran.code, GONE in ran.stderr) == (1, True)
    assert not (trial.claude.workspace / "big.txt").exists()


def test_what_a_sibling_reads_can_push_a_deferred_call_out_of_reach(attempt: Try) -> None:
    reads = [Call("Read", {"file_path": f"big{number}.txt"}) for number in range(8)]

    def answer(asked: Asked) -> Http:
        return decide("allow" if asked.event["tool_name"] == "Read" else "defer")

    trial = attempt(Calls([RED, *reads]), answer=answer)
    for read in reads:
        text = "\n".join(["word " * 40] * 1200)
        (trial.claude.workspace / str(read.arguments["file_path"])).write_text(text)
    first = trial.claude.start("go")
    trial.answer("allow")

    ran = trial.resume()

    assert first.stop == (0, "success", "tool_deferred")
    assert (ran.code, GONE in ran.stderr, trial.effects) == (1, True, [])


def test_of_two_deferred_calls_of_one_answer_the_first_is_lost(attempt: Try) -> None:
    other = Call("Bash", {"command": "echo other >> out"})
    trial = attempt(Calls([RED, other]))

    first = trial.claude.start("go")
    trial.answer("allow")
    trial.resume()

    deferred = first.result["deferred_tool_use"]
    assert isinstance(deferred, dict)
    assert deferred["input"] == other.arguments
    assert trial.effects == ["other"]
    history = json.dumps(trial.model.requests[-1].body["messages"])
    assert ("echo other" in history, "echo red" in history) == (True, False)


def test_a_second_call_of_the_answer_that_is_denied_leaves_the_deferred_one(attempt: Try) -> None:
    other = Call("Bash", {"command": "echo other >> out"})
    trial = attempt(
        Calls([RED, other]),
        answer=lambda asked: decide("defer" if asked.call == RED.arguments else "deny"),
    )

    first = trial.claude.start("go")
    trial.answer("allow")
    trial.resume()

    assert first.stop == (0, "success", "tool_deferred")
    assert trial.effects == ["red"]
    history = json.dumps(trial.model.requests[-1].body["messages"])
    assert ("echo other" in history, "the hook says deny" in history) == (True, True)


def test_in_a_sub_agent_a_deferral_is_swallowed(attempt: Try) -> None:
    def script(turn: int, asked: int) -> Turn:
        if turn == 0:
            return RED if asked else Call("Agent", TASK)
        return Say("done")

    trial = attempt(
        script=script,
        answer=lambda asked: decide("defer" if "agent_id" in asked.event else "allow"),
    )

    ran = trial.claude.start("go")
    over = trial.resume()

    compare_events("sub_agent", trial)
    assert ran.stop == (0, "success", "end_turn")
    assert "deferred_tool_use" not in ran.result
    assert (over.code, GONE in over.stderr, trial.effects) == (1, True, [])


def test_a_command_in_the_background_is_refused_before_the_hook(attempt: Try) -> None:
    """For the runner switches background tasks off."""
    trial = attempt(Call("Bash", {**RED.arguments, "run_in_background": True}))

    ran = trial.claude.start("go")

    assert ran.stop == (0, "success", "end_turn")
    assert "unexpected parameter `run_in_background`" in str(ran.tool_results[0]["content"])
    assert (trial.hook.asked, trial.effects) == ([], [])


def test_a_tool_of_a_server_waits_for_its_server_too(attempt: Try, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    with_server = serve_tools(calls)
    trial = attempt(Call(MCP_TOOL, {"amount": 7}))

    first = trial.claude.start("go", options=with_server)
    trial.answer("allow")
    without = trial.resume()

    assert first.stop == (0, "success", "tool_deferred")
    assert without.stop == (1, "success", "tool_deferred_unavailable")
    assert without.result["deferred_tool_use"] == first.result["deferred_tool_use"]
    assert (len(trial.hook.asked), calls.exists()) == (1, False)

    ran = trial.claude.start(resume=True, options=with_server)

    assert ran.stop == (0, "success", "end_turn")
    [paid] = [json.loads(line) for line in calls.read_text().splitlines()]
    assert paid["arguments"] == {"amount": 7}
    call = trial.hook.asked[0].event["tool_use_id"]
    assert paid["_meta"]["claudecode/toolUseId"] == call


def serve_tools(calls: Path) -> list[str]:
    """The option that starts the server of the tool `pay`."""
    program = str(Path(__file__).with_name("tools_server.py"))
    server = {"command": sys.executable, "args": [program, str(calls)]}
    return [f"--mcp-config={json.dumps({'mcpServers': {'books': server}})}"]


FAILURES = {
    "refused": (Http(b"", 500), "exit 1"),
    "killed": (Http(b"", 404), "kill -9 $$"),
    "slow": (Http(decide("deny").body, seconds=60), "exec sleep 60"),
    "words": (Http(b"no JSON"), "echo no JSON"),
    "nothing": (Http(b""), "true"),
    "empty": (Http(b"{}"), "echo {}"),
    "unknown": (decide("perhaps"), f"echo '{decide('perhaps').body.decode()}'"),
    "ask": (decide("ask"), f"echo '{decide('ask').body.decode()}'"),
    "deny": (decide("deny"), f"echo '{decide('deny').body.decode()}'"),
    "blocked": (Http(b"", 403), "exit 2"),
    "allow": (decide("allow"), f"echo '{decide('allow').body.decode()}'"),
}
"""Name of the call -> what a hook of type http answers, what one of type command does."""


def run_failures(attempt: Try, kind: str, on_failure: str | None, allow: Sequence[str]) -> set[str]:
    """Which of the calls ran; the hook of `dead` does not listen, or is no program."""
    calls = [
        *(Call("Bash", {"command": f"echo {name} >> out"}) for name in FAILURES),
        Call("Write", {"file_path": "dead.txt", "content": "x"}),
    ]
    more: dict[str, object] = {"timeout": 1} | ({"onFailure": on_failure} if on_failure else {})

    def answer(asked: Asked) -> Http:
        _, name, *_ = str(asked.call["command"]).split()
        return FAILURES[name][0]

    def entries(url: str) -> Sequence[JsonMap]:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        cases = "".join(f"*'echo {name} '*) {line};;\n" for name, (_, line) in FAILURES.items())
        command = f'case "$(cat)" in\n{cases}esac'
        if kind == "http":
            bash, write = http_hook(url, **more), http_hook(nowhere, **more)
        else:
            bash, write = command_hook(command, **more), command_hook("/no/such/program", **more)
        return [{"matcher": "Bash", **bash}, {"matcher": "Write", **write}]

    trial = attempt(*calls, allow=allow, answer=answer, entries=entries)
    ran = trial.claude.start("go", max_turns=50)
    assert ran.stop == (0, "success", "end_turn")
    dead = (trial.claude.workspace / "dead.txt").exists()
    return {*trial.effects} | ({"dead"} if dead else set())


@pytest.mark.parametrize("on_failure", [None, "block"])
@pytest.mark.parametrize("kind", ["http", "command"])
def test_a_tool_that_is_not_allowed_runs_by_an_explicit_allow_alone(
    attempt: Try, kind: str, on_failure: str | None
) -> None:
    assert run_failures(attempt, kind, on_failure, []) == {"allow"}


WEAK: list[tuple[str, str | None, set[str]]] = [
    ("http", None, {*FAILURES} - {"deny", "ask"} | {"dead"}),
    ("http", "block", {"allow", "nothing", "empty"}),
    ("command", None, {*FAILURES} - {"deny", "ask", "blocked"} | {"dead"}),
    ("command", "block", {"allow", "words", "nothing", "empty"}),
]
"""What runs all the same if the tool is allowed by --allowed-tools."""


ROWS = rows_of_landing("hook-failures", WEAK, lambda row: row[0], 0.5)


@pytest.mark.parametrize(("kind", "on_failure", "ran"), ROWS)
def test_a_tool_that_is_allowed_runs_when_its_hook_fails(
    attempt: Try, kind: str, on_failure: str | None, ran: set[str]
) -> None:
    assert run_failures(attempt, kind, on_failure, ["Bash", "Write"]) == ran


ALLOWED = ("Write", "Read")
TOOLS = [
    Call("Bash", {"description": "d", "command": "true", "timeout": "1000"}),
    Call("Write", {"file_path": "a.txt", "content": "one"}),
    Call("Read", {"file_path": "a.txt"}),
    Call("Edit", {"file_path": "a.txt", "old_string": "one", "new_string": "two"}),
    Call("Edit", {"file_path": "a.txt", "old_string": "not there", "new_string": "two"}),
    Call("Read", {"file_path": "a.ipynb"}),
    Call("NotebookEdit", {"notebook_path": "a.ipynb", "cell_id": "c", "new_source": "1"}),
    Call("WebFetch", {"url": "https://example.com/", "prompt": "p"}),
    Call("WebSearch", {"query": "heliostat"}),
    Call("Agent", TASK),
    Call("ToolSearch", {"query": "select:Read", "max_results": 1}),
    Call(MCP_TOOL, {"amount": 7}),
]
NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "source": "0"}
        | {"execution_count": None}
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def test_each_kind_of_call_has_the_event_that_was_recorded(attempt: Try, tmp_path: Path) -> None:
    """A call that its tool finds invalid (the second Edit) is refused before the hook is asked."""

    def answer(asked: Asked) -> Http:
        return decide("allow" if asked.event["tool_name"] in ALLOWED else "deny")

    trial = attempt(*TOOLS, answer=answer, options=serve_tools(tmp_path / "calls"))
    (trial.claude.workspace / "a.ipynb").write_text(json.dumps(NOTEBOOK))

    trial.claude.start("go", max_turns=50)

    compare_events("tools", trial)


def compare_events(name: str, trial: Trial) -> None:
    """UPDATE_GOLDEN=1 records the events of the binary that is bundled now."""
    events = [_nameless(asked.body.decode(), trial.claude) for asked in trial.hook.asked]
    path = EVENTS / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(events, indent=1) + "\n")
    assert events == json.loads(path.read_text())


def _nameless(body: str, claude: Claude) -> JsonMap:
    """The event without what differs from run to run."""
    text = body.replace(claude.session, "SESSION")
    text = text.replace(re.sub(r"[^A-Za-z0-9]", "-", str(claude.workspace)), "PROJECT")
    text = text.replace(str(claude.root), "/pod")
    event = json.loads(text)
    assert isinstance(event, dict)
    return event | {name: name for name in ("prompt_id", "agent_id") if name in event}


def test_the_hooks_secret_is_in_no_command_line_and_no_environment(
    attempt: Try, tmp_path: Path
) -> None:
    """The file of the settings may go at the first question, before any tool has run."""
    look = Call("Bash", {"command": "tr '\\0' '\\n' < /proc/$PPID/cmdline; env; set"})
    trial = attempt(look, look, entries=lambda _: [])
    path = tmp_path / "settings.json"
    hook = http_hook(trial.hook.url, onFailure="block", headers={"Authorization": "hx-secret"})
    path.write_text(json.dumps({"hooks": {"PreToolUse": [hook]}}))

    def answer(_: Asked) -> Http:
        path.unlink(missing_ok=True)
        return decide("allow")

    trial.hook.answer = answer
    ran = trial.claude.start("go", options=[f"--settings={path}"])

    seen = [str(result["content"]) for result in ran.tool_results]
    assert [(str(path) in text, "hx-secret" in text) for text in seen] == [(True, False)] * 2
    assert [asked.headers["Authorization"] for asked in trial.hook.asked] == ["hx-secret"] * 2


def test_a_hook_on_loopback_needs_no_proxy_to_name_its_address(attempt: Try) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    trial = attempt(RED, answer=lambda _: decide("allow"))
    model = trial.claude.model_url.replace("127.0.0.1", "localhost")
    proxied = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
    trial.claude.model_url = model
    trial.claude.environ = {**proxied, "NO_PROXY": "localhost"}

    trial.claude.start("go")
    assert (trial.hook.asked, trial.effects) == ([], [])

    trial.claude.session = str(uuid.uuid4())
    trial.model.requests.clear()
    trial.claude.environ = {**proxied, "NO_PROXY": "localhost,127.0.0.1"}
    trial.claude.start("go")
    assert (len(trial.hook.asked), trial.effects) == (1, ["red"])


def test_an_allow_of_the_hook_reaches_outside_of_the_workspace_but_not_its_settings(
    attempt: Try, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    paths = [str(outside), ".claude/settings.json", ".git/config"]
    writes = [Call("Write", {"file_path": path, "content": "x"}) for path in paths]
    trial = attempt(*writes, answer=lambda _: decide("allow"))

    trial.claude.start("go")

    assert len(trial.hook.asked) == 3
    assert (outside.exists(), list(trial.claude.workspace.iterdir())) == (True, [])
