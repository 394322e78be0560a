"""The deferred call in the file of a session: whether one waits there, and whether it is found."""

from __future__ import annotations

from pathlib import Path

from ..jsonvalue import JsonObject, load, objects_at, text_at

REACH = 1_000_000
"""Claude Code looks for a deferred call in the last 1,048,576 bytes of the file."""
_MARK, _RESULT = b'"hook_deferred_tool"', b'"tool_result"'


def find_deferred(session: Path) -> str:
    """The id of the call that waits; empty where none does.

    A line of a deferred call whose result comes after it is over.
    """
    waiting = ""
    with session.open("rb") as lines:
        for line in lines:
            if _MARK in line:
                waiting = _deferred_call(line) or waiting
            elif _RESULT in line and waiting and waiting in _results(line):
                waiting = ""
    return waiting


def keep_in_reach(session: Path) -> bool:
    """Appends a copy of the deferred call's line where it is too far from the end to be found."""
    position, found, begin = 0, b"", 0
    with session.open("rb") as lines:
        for line in lines:
            if _MARK in line and _deferred_call(line):
                found, begin = line, position
            position += len(line)
    if not found or position - begin <= REACH:
        return False
    with session.open("ab") as file:
        file.write(found if found.endswith(b"\n") else found + b"\n")
    return True


def _deferred_call(line: bytes) -> str:
    event = _load(line)
    if text_at(event, "attachment", "type") != "hook_deferred_tool":
        return ""
    return text_at(event, "attachment", "toolUseID")


def _results(line: bytes) -> list[str]:
    blocks = objects_at(_load(line), "message", "content")
    return [text_at(each, "tool_use_id") for each in blocks]


def _load(line: bytes) -> JsonObject:
    try:
        event = load(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
