"""What a run's log tells people, a short line for each step. Pure: lines in, lines out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from heliostat_core.reading import part, parts, text
from heliostat_core.worlds import JsonObject, JsonValue

_WIDTH = 100
# Which argument of a tool says most about the call.
_TELLING = ("file_path", "command", "pattern", "url", "path", "query", "description")
# What the runner and Claude Code say about themselves; the status tells the former.
_OWN_WORDS = ("heliostat-runner:", "[claude-code:")
_QUIET_NOTES = frozenset({"start", "session", "end", "lost"})


@dataclass
class Narrator:
    """Follows one attempt's log. `steps` and `tools` count what was seen so far."""

    steps: int = 0
    tools: dict[str, int] = field(default_factory=dict)
    _calls: dict[str, str] = field(default_factory=dict)
    _cwd: str = ""

    def tell(self, line: str) -> list[str]:
        """Lines for people; none for an event that only programs care about."""
        event = _parse(line)
        if event is None:
            return [] if not line.strip() or line.startswith(_OWN_WORDS) else [shorten(line)]
        kind = text(event, "type")
        if kind == "system":
            return list(self._tell_system(event))
        if kind == "assistant":
            return list(self._tell_assistant(event))
        if kind == "user":
            return list(self._tell_results(event))
        return list(_tell_note(event)) if kind == "heliostat" else []

    def _tell_system(self, event: JsonObject) -> Iterator[str]:
        subtype = text(event, "subtype")
        if subtype == "init":
            self._cwd = text(event, "cwd")
        elif subtype == "api_retry":
            yield f"model call failed ({text(event, 'error') or 'no reason given'}), asking again"

    def _tell_assistant(self, event: JsonObject) -> Iterator[str]:
        for block in parts(event, "message", "content"):
            if text(block, "type") == "text" and text(block, "text").strip():
                yield f"says: {shorten(text(block, 'text'))}"
            elif text(block, "type") == "tool_use":
                yield self._call(block)

    def _call(self, block: JsonObject) -> str:
        self.steps += 1
        name = text(block, "name")
        self.tools[name] = self.tools.get(name, 0) + 1
        self._calls[text(block, "id")] = name
        return f"step {self.steps}: {name} {self._argument(part(block, 'input'))}".rstrip()

    def _argument(self, arguments: JsonObject) -> str:
        for name in _TELLING:
            if told := text(arguments, name):
                return shorten(self._relative(told) if name.endswith("path") else told)
        return shorten(json.dumps(arguments, ensure_ascii=False)) if arguments else ""

    def _relative(self, path: str) -> str:
        folder = PurePosixPath(self._cwd or "/nowhere")
        return str(PurePosixPath(path).relative_to(folder)) if self._is_inside(path) else path

    def _is_inside(self, path: str) -> bool:
        return bool(self._cwd) and PurePosixPath(path).is_relative_to(self._cwd)

    def _tell_results(self, event: JsonObject) -> Iterator[str]:
        for block in parts(event, "message", "content"):
            name = self._calls.get(text(block, "tool_use_id"))
            if name is None:
                continue
            said = shorten(_content(block.get("content")))
            if block.get("is_error") is True:
                yield f"  {name} failed: {said}"
            elif name == "Bash" and said:
                yield f"  {said}"


def shorten(words: str, width: int = _WIDTH) -> str:
    """On one line, cut with a mark."""
    line = " ".join(words.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _parse(line: str) -> JsonObject | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _tell_note(event: JsonObject) -> Iterator[str]:
    """The runner's own events."""
    subtype = text(event, "subtype")
    if subtype == "output":
        words = shorten(text(event, "text"))
        if not words.startswith(_OWN_WORDS):
            yield f"  {words}"
    elif subtype == "session" and event.get("resumed") is True:
        yield "goes on in the session of the attempt before"
    elif subtype == "stalled":
        yield "no event for the stall limit: ended and resumed once"
    elif subtype == "stdout_cut":
        yield text(event, "text")
    elif subtype not in _QUIET_NOTES and text(event, "message"):
        yield shorten(text(event, "message"))


def _content(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    return "\n".join(text(each, "text") for each in value if isinstance(each, dict))
