"""The file of settings that gives Claude Code its hooks: outside of the workspace, short-lived."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..jsonvalue import JsonObject, dump, load, look, objects_at, text_at
from .protocol import Event

HOOK_SECONDS = 30
"""How long Claude Code waits for an answer: the digest of a large file takes a second or two."""
_HEADER = "Authorization"


@dataclass(frozen=True)
class Hook:
    """Where the hook is asked, and with which secret."""

    url: str
    secret: str


class SettingsFile:
    """The file until it is removed, at the first question: it holds the secret."""

    def __init__(self, hook: Hook, is_enforced: bool, wants_receipts: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="heliostat-guard-"))
        self.path = self._folder / "settings.json"
        settings = build_settings(hook, is_enforced, wants_receipts)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(dump(settings))

    def read(self) -> Hook | None:
        """The hook that Claude Code finds in the file."""
        try:
            return read_hook(load(self.path.read_bytes()))
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def build_settings(hook: Hook, is_enforced: bool, wants_receipts: bool) -> JsonObject:
    """Observe asks, and lets things go on where the hook fails."""
    base: JsonObject = {
        "type": "http",
        "url": hook.url,
        "timeout": HOOK_SECONDS,
        "headers": {_HEADER: hook.secret},
    }
    before = base | {"onFailure": "block"} if is_enforced else base
    hooks: JsonObject = {Event.BEFORE_TOOL.value: [{"hooks": [before]}]}
    others = [Event.PROMPT] if is_enforced else []
    if wants_receipts:
        others += [Event.AFTER_TOOL, Event.AFTER_FAILURE]
    return {"hooks": hooks | {each.value: [{"hooks": [base]}] for each in others}}


def read_hook(settings: object) -> Hook | None:
    """The PreToolUse hook of settings, None where there is none of type http."""
    if not isinstance(settings, dict):
        return None
    for entry in objects_at(settings, "hooks", Event.BEFORE_TOOL.value):
        for hook in objects_at(entry, "hooks"):
            secret = look(hook, "headers", _HEADER)
            if text_at(hook, "type") == "http" and isinstance(secret, str):
                return Hook(text_at(hook, "url"), secret)
    return None
