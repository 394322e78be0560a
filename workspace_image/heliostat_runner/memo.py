"""A note from one attempt to the next, in the workspace: how far the session's work has come.

Without it an eviction during verify would make the agent do finished work again, and an attempt
after a failed verify would not know what failed. It skips no check: verify always runs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from .jsonvalue import JsonObject, count_at, dump, load, text_at
from .settings import Settings


@dataclass(frozen=True)
class Memo:
    session: str
    done: str = ""
    """The agent's last words, when its work waits for verify."""
    failed: str = ""
    """What verify said against it."""
    turns: int = 0
    """Turns of the session that were used up when it began to wait for a person."""


def write_memo(settings: Settings, memo: Memo) -> None:
    """Without room on the disk there is no memo: the next attempt then starts less informed."""
    path = settings.state_dir / "memo.json"
    fresh = path.with_suffix(".new")
    facts: JsonObject = {"session": memo.session, "done": memo.done, "failed": memo.failed}
    text = dump(facts | ({"turns": memo.turns} if memo.turns else {}))
    try:
        fresh.write_bytes(text.encode(errors="replace"))
        os.replace(fresh, path)
    except OSError:
        drop_memo(settings)


def read_memo(settings: Settings, session: str) -> Memo | None:
    """The memo about this session, if there is one."""
    try:
        value = load((settings.state_dir / "memo.json").read_bytes())
    except (OSError, ValueError):
        return None
    if text_at(value, "session") != session:
        return None
    return Memo(session, text_at(value, "done"), text_at(value, "failed"), count_at(value, "turns"))


def drop_memo(settings: Settings) -> None:
    for name in ("memo.json", "memo.new"):
        (settings.state_dir / name).unlink(missing_ok=True)
