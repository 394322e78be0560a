from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliostat_runner.guard.session import REACH, find_deferred, keep_in_reach

START = {"type": "user", "message": {"content": "go"}}


def deferred(call: str) -> dict[str, object]:
    return {"attachment": {"type": "hook_deferred_tool", "toolUseID": call}, "type": "attachment"}


def result_of(call: str) -> dict[str, object]:
    return {"message": {"content": [{"type": "tool_result", "tool_use_id": call}]}, "type": "user"}


def write(path: Path, *events: object) -> Path:
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return path


@pytest.mark.parametrize(
    ("events", "waiting"),
    [
        ((), ""),
        ((deferred("a"),), "a"),
        ((deferred("a"), result_of("b")), "a"),
        ((deferred("a"), result_of("a")), ""),
        ((result_of("a"), deferred("a")), "a"),
        ((deferred("a"), deferred("b")), "b"),
        ((deferred("a"), result_of("a"), deferred("b")), "b"),
        (({"text": 'says "hook_deferred_tool"'},), ""),
        (({"note": ["hook_deferred_tool"]},), ""),
    ],
)
def test_a_call_waits_until_its_result_is_there(
    tmp_path: Path, events: tuple[object, ...], waiting: str
) -> None:
    assert find_deferred(write(tmp_path / "s.jsonl", START, *events)) == waiting


def test_a_torn_line_is_no_call(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", START)
    with path.open("a") as file:
        file.write('{"attachment": {"type":"hook_deferred_tool"')

    assert find_deferred(path) == ""
    assert keep_in_reach(path) is False


@pytest.mark.parametrize(("distance", "copied"), [(REACH, False), (REACH + 1, True)])
def test_a_line_too_far_from_the_end_is_copied_there(
    tmp_path: Path, distance: int, copied: bool
) -> None:
    path = write(tmp_path / "s.jsonl", START, deferred("a"))
    line = f"{json.dumps(deferred('a'))}\n"
    rest = distance - len(line) - len('{"p":""}\n')
    with path.open("a") as file:
        file.write(f'{{"p":"{"x" * rest}"}}\n')
    before = path.read_text()

    assert keep_in_reach(path) is copied

    assert path.read_text() == before + (line if copied else "")
    assert keep_in_reach(path) is False
