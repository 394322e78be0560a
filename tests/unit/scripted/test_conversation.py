"""What a scenario sees of a request."""

from pydantic import JsonValue

from heliostat_scripted.conversation import read_conversation


def say(role: str, text: str) -> JsonValue:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def test_the_clients_own_answer_to_an_interrupted_turn_is_no_turn() -> None:
    """Claude Code adds it when it resumes a session; a scenario must go on where it was."""
    messages: list[JsonValue] = [
        say("user", "work"),
        say("assistant", "Step 0."),
        say("user", "result"),
        say("assistant", "No response requested."),
        say("user", "go on"),
    ]
    assert read_conversation({"messages": messages}, 0).turn == 1
