"""Whether tools.allow or tools.deny names a call, never in a wider sense than Claude Code has.

Under the guard no tool is in `--allowed-tools`: what the hook does not allow is denied. So the
rules of tools.allow are read here. A form that is not known matches nothing.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..jsonvalue import text_at
from .protocol import Question

_RULE = re.compile(r"(?P<tool>[A-Za-z][\w-]*)(?:\((?P<specifier>.*)\))?", re.DOTALL)
_EDITORS = frozenset({"Edit", "Write", "NotebookEdit"})
_READERS = {"Read": "file_path", "Grep": "path", "Glob": "path"}
"""Tools that Claude Code lets read in the workspace without a rule, and where their path is."""
_JOINTS = frozenset({"&&", "||", ";", "|"})
_PUNCTUATION = frozenset("();<>|&")


@dataclass(frozen=True)
class ToolRules:
    """The rules of one list, for calls in one workspace."""

    rules: tuple[str, ...]
    workspace: Path

    def name(self, question: Question) -> bool:
        """Whether a rule names the whole call."""
        if question.tool == "Bash":
            command = text_at(question.input, "command")
            parts = _parts(command)
            return (
                self._names_any("Bash", question)
                or f"Bash({command})" in self.rules
                or (bool(parts) and all(self._names_command(part) for part in parts))
            )
        return self._names_any(question.tool, question)

    def name_part(self, question: Question) -> bool:
        """Whether a rule names the call, or one command of it."""
        parts = _parts(text_at(question.input, "command")) if question.tool == "Bash" else []
        return self.name(question) or any(self._names_command(part) for part in parts)

    def _names_any(self, tool: str, question: Question) -> bool:
        return any(self._names(rule, tool, question) for rule in self.rules)

    def _names(self, rule: str, tool: str, question: Question) -> bool:
        if rule.startswith("mcp__"):
            return _names_mcp_tool(rule, tool)
        found = _RULE.fullmatch(rule)
        if found is None:
            return False
        named, specifier = found["tool"], found["specifier"]
        if specifier is None or specifier == "*":
            return named == tool
        if tool == "WebFetch" == named:
            return _names_host(specifier, text_at(question.input, "url"))
        if tool in ("Agent", "Task") and named in ("Agent", "Task"):
            return specifier == text_at(question.input, "subagent_type")
        if named == tool == "Read" or (named in ("Edit", tool) and tool in _EDITORS):
            return self._names_path(specifier, _path_of(question))
        return False

    def _names_command(self, command: str) -> bool:
        for rule in self.rules:
            found = _RULE.fullmatch(rule)
            specifier = found["specifier"] if found and found["tool"] == "Bash" else None
            if specifier and _names_words(specifier, command):
                return True
        return False

    def _names_path(self, pattern: str, path: str) -> bool:
        if not path:
            return False
        place = Path(os.path.normpath(self.workspace / path))
        roots = (self.workspace, self.workspace.resolve())
        wanted = [_path_pattern(pattern, root) for root in roots]
        # a link must not lead out of what is named
        return all(
            any(each.fullmatch(str(way)) for each in wanted) for way in (place, place.resolve())
        )


def needs_no_rule(question: Question, workspace: Path) -> bool:
    """Claude Code reads inside of the workspace without being told that it may."""
    argument = _READERS.get(question.tool)
    if argument is None:
        return False
    place = (workspace / text_at(question.input, argument)).resolve()
    return place.is_relative_to(workspace.resolve())


def _path_of(question: Question) -> str:
    return text_at(question.input, "file_path") or text_at(question.input, "notebook_path")


def _names_mcp_tool(rule: str, tool: str) -> bool:
    """`mcp__server` and `mcp__server__*` name all tools of the server."""
    if rule.endswith("__*"):
        return tool.startswith(rule.removesuffix("*"))
    return tool == rule or (rule.count("__") == 1 and tool.startswith(f"{rule}__"))


def _names_host(specifier: str, url: str) -> bool:
    kind, _, domain = specifier.partition(":")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if kind != "domain" or not host or not domain:
        return False
    if domain.startswith("*."):
        return host.endswith(domain[1:].lower())
    return host == domain.lower()


def _names_words(pattern: str, command: str) -> bool:
    """`prefix:*` and `prefix *` name whole words; a star elsewhere stands for any text."""
    for end in (":*", " *"):
        if pattern.endswith(end) and "*" not in (prefix := pattern.removesuffix(end)):
            return command == prefix or command.startswith(f"{prefix} ")
    parts = [re.escape(part) for part in pattern.split("*")]
    return re.fullmatch(".*".join(parts), command) is not None


def _parts(command: str) -> list[str]:
    """The simple commands of a line; none where it holds more than those."""
    if re.search(r"[\n\r`$\\]", command):
        return []
    lexer = shlex.shlex(command, posix=False, punctuation_chars=True)
    lexer.commenters = ""
    try:
        return list(_join(list(lexer)))
    except ValueError:
        return []


def _join(tokens: Sequence[str]) -> Iterator[str]:
    part: list[str] = []
    for token in tokens:
        if token in _JOINTS:
            yield " ".join(part)
            part = []
        elif _PUNCTUATION.issuperset(token):
            raise ValueError(f"{token} is more than a simple command")
        else:
            part.append(token)
    yield " ".join(part)


def _path_pattern(pattern: str, workspace: Path) -> re.Pattern[str]:
    """As .gitignore has it: `//` is the root, `/` and `./` the workspace, a bare name anywhere."""
    if pattern.startswith("//"):
        rooted = pattern[1:]
    elif pattern.startswith(("/", "./")):
        rooted = f"{workspace}/{pattern.partition('/')[2]}"
    elif "/" in pattern.rstrip("/"):
        rooted = f"{workspace}/{pattern}"
    else:
        rooted = f"{workspace}/**/{pattern}"
    return re.compile(_translate(rooted))


def _translate(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meaning.get(piece) or re.escape(piece) for piece in pieces)
