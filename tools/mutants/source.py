"""The text of a module, with the places that `ast` gives as offsets into it."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol


class Placed(Protocol):
    """A node with a place in the text: statements, expressions, patterns."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


@dataclass(frozen=True)
class Edit:
    """A piece of the text, in bytes, and what takes its place."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, its file relative to the repository, its text."""

    module: str
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def encoded(self) -> bytes:
        return self.text.encode()

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.encoded.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts

    def start(self, node: Placed) -> int:
        return self._line_starts[node.lineno - 1] + node.col_offset

    def end(self, node: Placed) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._line_starts[node.end_lineno - 1] + node.end_col_offset

    def segment(self, node: Placed) -> str:
        return self.encoded[self.start(node) : self.end(node)].decode()

    def between(self, left: Placed, right: Placed) -> tuple[int, str]:
        """What stands between two nodes, and where it begins: an operator and its brackets."""
        start = self.end(left)
        return start, self.encoded[start : self.start(right)].decode()

    def edited(self, edits: tuple[Edit, ...]) -> str:
        """The text with these edits, which do not overlap."""
        result = self.encoded
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            result = result[: edit.start] + edit.text.encode() + result[edit.end :]
        return result.decode()


def read_source(root: Path, path: Path, module: str) -> Source:
    return Source(module, path.relative_to(root).as_posix(), path.read_text())
