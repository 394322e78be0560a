"""Makes words of nodes, as bash would: text, patterns, values of variables, other commands."""

import re
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node

from heliostat_policy.effects import Reason
from heliostat_policy.shell.words import (
    DYNAMIC,
    ONE_DYNAMIC,
    PIPE,
    Kind,
    Unreadable,
    Word,
    join,
    splits,
    unquote_ansi,
    unquote_string,
    unquote_word,
)

_HARMLESS: Final = frozenset({"?", "#", "$", "!"})
_KNOWN: Final = frozenset(
    [
        "PATH",
        "USER",
        "LOGNAME",
        "PWD",
        "OLDPWD",
        "SHELL",
        "LANG",
        "TERM",
        "HOSTNAME",
        "RANDOM",
        "SECONDS",
        "LINENO",
        "UID",
        "EUID",
    ]
)
"""Variables of the environment in which no key is."""

_NUMBERS: Final = re.compile(r"[0-9+*/%()<>=!&|^~ \t-]*")
_EMPTY_BRACES: Final = re.compile(r"[\w./:=@%+,-]*(?:\{\}[\w./:=@%+,-]*)+", re.ASCII)
_COUNT: Final = re.compile(r"\{-?\d{1,6}\.\.-?\d{1,6}(?:\.\.-?\d{1,6})?\}")


@dataclass
class WordReader:
    """Reads the words of one command. Who inherits it reads the commands within them."""

    source: bytes
    cwds: set[str]
    repeated: frozenset[str]
    """Names that are given a value at several places: which one holds where is not followed."""
    values: dict[str, Word] = field(default_factory=dict)
    is_piped: bool = False

    def raw(self, node: Node) -> str:
        """The text of a node."""
        return self.source[node.start_byte : node.end_byte].decode()

    def refuse(self, node: Node, reason: Reason = Reason.UNREADABLE) -> Unreadable:
        """What is raised for a node that can't be read."""
        return Unreadable(reason, self.raw(node))

    def each(self, node: Node) -> None:
        """Reads each statement of a node."""
        raise NotImplementedError

    def word(self, node: Node) -> Word:
        """The word that a node makes. Raises Unreadable."""
        if _EMPTY_BRACES.fullmatch(self.raw(node)):
            return Word(self.raw(node))  # an expansion in the grammar, plain text to bash
        if node.type in ("word", "number", "test_operator", "extglob_pattern"):
            return unquote_word(self.raw(node))
        if node.type == "raw_string":
            return Word(self.raw(node)[1:-1])
        if node.type == "ansi_c_string":
            return Word(unquote_ansi(self.raw(node)))
        if node.type == "string":
            return self.string(node)
        if node.type == "concatenation":
            return join([self.word(each) for each in node.children], self.raw(node))
        if node.type in ("simple_expansion", "expansion"):
            word = self.variable(node)
            if word.kind is not Kind.DYNAMIC and splits(word):
                raise self.refuse(node, Reason.NOT_STATIC)
            return word
        return self.substitution(node)

    def substitution(self, node: Node) -> Word:
        """What other commands or a computation print, of which only the kind is known."""
        if node.type in ("command_substitution", "process_substitution"):
            before, self.is_piped = self.is_piped, node.children[0].type == ">("
            self.each(node)
            self.is_piped = before
            return DYNAMIC if node.type == "command_substitution" else PIPE
        if node.type == "arithmetic_expansion" and _NUMBERS.fullmatch(self.raw(node)[1:]):
            return DYNAMIC
        if node.type == "brace_expression" and _COUNT.fullmatch(self.raw(node)):
            return DYNAMIC
        raise self.refuse(node, Reason.NOT_STATIC)

    def string(self, node: Node) -> Word:
        """A word in double quotes."""
        if not any(each.type != "string_content" for each in node.named_children):
            return Word(unquote_string(self.raw(node)[1:-1]))
        word = join(self.parts(node), self.raw(node))
        return ONE_DYNAMIC if word.kind is Kind.DYNAMIC else word

    def parts(self, node: Node) -> list[Word]:
        """What stands between quotes or in a here-document: text and expansions."""
        found = []
        place = node.start_byte + (1 if node.type == "string" else 0)
        for child in node.named_children:
            if child.type in ("string_content", "heredoc_content"):
                continue
            between = self.source[place : child.start_byte].decode()
            found.append(Word(unquote_string(between)))
            is_variable = child.type in ("simple_expansion", "expansion")
            found.append(self.variable(child) if is_variable else self.substitution(child))
            place = child.end_byte
        end = node.end_byte - (1 if node.type == "string" else 0)
        found.append(Word(unquote_string(self.source[place:end].decode())))
        return [each for each in found if each != Word("")]

    def variable(self, node: Node) -> Word:
        """The value of a variable to which the command gave one."""
        named = node.named_children
        plain = re.fullmatch(r"\$\{?\w+\}?|\$[?#$!]", self.raw(node))
        if len(named) != 1 or not plain:
            raise self.refuse(node, Reason.NOT_STATIC)
        name = self.raw(named[0])
        if named[0].type == "special_variable_name" and name in _HARMLESS:
            return DYNAMIC
        if name == "HOME":
            return Word("~")
        if name in _KNOWN:
            return DYNAMIC
        if name not in self.values:
            raise self.refuse(node, Reason.NOT_STATIC)
        return self.values[name]
