"""What a run's log tells people."""

import json

from heliostat_cli.steps import Narrator


def tell(narrator: Narrator, *events: object) -> list[str]:
    return [line for event in events for line in narrator.tell(json.dumps(event))]


def call(name: str, **arguments: object) -> object:
    block = {"type": "tool_use", "id": f"id-{name}", "name": name, "input": arguments}
    return {"type": "assistant", "message": {"content": [block]}}


def result(name: str, content: object, *, is_error: bool = False) -> object:
    block = {
        "type": "tool_result",
        "tool_use_id": f"id-{name}",
        "content": content,
        "is_error": is_error,
    }
    return {"type": "user", "message": {"content": [block]}}


def test_a_run_is_a_line_a_step() -> None:
    narrator = Narrator()
    init = {"type": "system", "subtype": "init", "cwd": "/srv/space"}
    words = {"type": "assistant", "message": {"content": [{"type": "text", "text": "I\nbegin."}]}}
    assert tell(
        narrator,
        {"type": "heliostat", "subtype": "start", "message": "x"},
        init,
        words,
        call("Write", file_path="/srv/space/a.py", content="1"),
        result("Write", "File created"),
        call("Read", file_path="/etc/hosts"),
        call("Bash", command="python3 a.py", description="Run"),
        result("Bash", [{"type": "text", "text": "42\nsales"}]),
    ) == [
        "says: I begin.",
        "step 1: Write a.py",
        "step 2: Read /etc/hosts",
        "step 3: Bash python3 a.py",
        "  42 sales",
    ]
    assert (narrator.steps, narrator.tools) == (3, {"Write": 1, "Read": 1, "Bash": 1})


def test_a_failed_call_says_why() -> None:
    told = tell(Narrator(), call("Write"), result("Write", "no space left", is_error=True))
    assert told == ["step 1: Write", "  Write failed: no space left"]


def test_second_attempts_and_resumed_sessions_are_never_silent() -> None:
    assert tell(
        Narrator(),
        {"type": "heliostat", "subtype": "session", "resumed": True},
        {"type": "system", "subtype": "api_retry", "error": "overloaded"},
        {"type": "heliostat", "subtype": "stalled"},
    ) == [
        "goes on in the session of the attempt before",
        "model call failed (overloaded), asking again",
        "no event for the stall limit: ended and resumed once",
    ]


def test_what_a_command_prints_is_shown_and_own_words_are_not() -> None:
    narrator = Narrator()
    lines = ["plain words", "heliostat-runner: Verified: yes", "", '{"type": "unknown"}']
    assert [told for line in lines for told in narrator.tell(line)] == ["plain words"]
    output = {"type": "heliostat", "subtype": "output", "stream": "stdout", "text": "x" * 200}
    assert tell(narrator, output) == [f"  {'x' * 99}…"]
