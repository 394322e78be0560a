"""Reads a command with bash's grammar, into simple commands and redirections.

The list of kinds of nodes is closed: what is not on it is unreadable, and what the parser could
not place is, too. Variables have a value only where the command itself gives them one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tree_sitter import Node

from heliostat_policy.effects import Reason
from heliostat_policy.paths import resolve
from heliostat_policy.shell.tree import leaves_of_test, parse, repeated_names
from heliostat_policy.shell.word_reader import WordReader
from heliostat_policy.shell.words import DYNAMIC, Unreadable, Word, expand_braces

MOST_CHARACTERS: Final = 100_000
_MOST_VALUES: Final = 16
_MOST_STEPS: Final = 2_000
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_NUMBERS: Final = re.compile(r"[0-9+*/%()<>=!&|^~ \t-]*")
_WRITING: Final = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})
_QUIET_TESTS: Final = frozenset(
    [
        "-b",
        "-c",
        "-d",
        "-e",
        "-f",
        "-h",
        "-L",
        "-n",
        "-p",
        "-r",
        "-s",
        "-w",
        "-x",
        "-z",
        "-S",
        "-O",
        "-G",
    ]
)
_EXPORTED: Final = frozenset(
    {
        "CI",
        "CUDA_VISIBLE_DEVICES",
        "DEBUG",
        "FORCE_COLOR",
        "LANG",
        "LC_ALL",
        "MPLBACKEND",
        "NODE_ENV",
        "NO_COLOR",
        "OMP_NUM_THREADS",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "TZ",
    }
)
_OF_TEST: Final = frozenset({"[", "]", "=", "==", "!=", "!"})
_BEFORE_COMMENT: Final = re.compile(rb"(?:^|[^\\])[ \t\n;&|()]\Z", re.DOTALL)
_DELIMITER: Final = re.compile(r"(?P<quote>['\"]?)(?P<name>\w+)(?P=quote)")
_LISTS: Final = frozenset({"program", "list", "do_group", "else_clause", "negated_command"})
_CONDITIONS: Final = frozenset({"if_statement", "elif_clause", "while_statement"})


@dataclass(frozen=True)
class Command:
    """One simple command. `inputs` are the files that its own redirections read."""

    words: tuple[Word, ...]
    cwds: frozenset[str]
    is_piped: bool = False
    inputs: tuple[str, ...] = ()
    has_variables: bool = False
    """Whether it is given variables of its own, which programs may obey."""


@dataclass(frozen=True)
class Redirection:
    """One file that is opened for a command."""

    target: Word
    writes: bool
    cwds: frozenset[str]


@dataclass(frozen=True)
class Unclear:
    """A part that can't be read."""

    reason: Reason
    text: str


Step = Command | Redirection | Unclear


def read_steps(text: str, cwd: str) -> tuple[Step, ...]:
    """All that a command does, in the order of its text; what can't be read is among it."""
    if len(text) > MOST_CHARACTERS:
        return (Unclear(Reason.UNREADABLE, text[:200]),)
    try:
        source = text.encode()
    except UnicodeEncodeError:
        return (Unclear(Reason.UNREADABLE, ""),)
    root = None if b"\0" in source or b"\r" in source else parse(source)
    if root is None:
        return (Unclear(Reason.UNREADABLE, text[:200]),)
    reading = _Reading(source, {resolve(cwd, "/")}, repeated=repeated_names(root, source))
    try:
        reading.statement(root)
    except (Unreadable, RecursionError) as error:
        reading.steps.append(_unclear(error))
    return tuple(dict.fromkeys(reading.steps)) or (Unclear(Reason.UNREADABLE, text[:200]),)


def _unclear(error: Unreadable | RecursionError) -> Unclear:
    if isinstance(error, Unreadable):
        return Unclear(error.reason, error.text)
    return Unclear(Reason.UNREADABLE, "nested too deep")


@dataclass
class _Reading(WordReader):
    steps: list[Step] = field(default_factory=list)
    has_exported: bool = False

    def add(self, step: Step) -> None:
        if len(self.steps) >= _MOST_STEPS:
            raise Unreadable(Reason.UNREADABLE, "too long")
        self.steps.append(step)

    def statement(self, node: Node) -> None:
        kind = node.type
        if kind == "comment":
            self.comment(node)
        elif kind in _LISTS or kind in _CONDITIONS:
            self.each(node)
        elif kind in _STATEMENTS:
            _STATEMENTS[kind](self, node)
        else:
            raise self.refuse(node)

    def each(self, node: Node) -> None:
        """Each statement in a row. One that can't be read does not hide the next.

        A value holds until the end of the row in which it was given: after that, or in another
        branch, a variable may still have the value of the environment.
        """
        before = dict(self.values)
        for child in node.named_children:
            if child.type in ("elif_clause", "else_clause"):
                self.values = dict(before)
            try:
                if child.type == "variable_assignment":
                    self.assignment(child)
                else:
                    self.statement(child)
            except Unreadable as error:
                self.add(_unclear(error))
        self.values = before

    def comment(self, node: Node) -> None:
        """To bash, a # inside of a word begins no comment."""
        before = self.source[max(0, node.start_byte - 2) : node.start_byte]
        if before and not _BEFORE_COMMENT.search(before):
            raise self.refuse(node)

    def pipeline(self, node: Node) -> None:
        before, values = self.is_piped, dict(self.values)
        for child in node.named_children:
            self.statement(child)
            self.is_piped = True
        self.is_piped, self.values = before, values

    def group(self, node: Node) -> None:
        if node.children[0].type not in ("{", "("):
            if not _NUMBERS.fullmatch(self.raw(node)):
                raise self.refuse(node, Reason.NOT_STATIC)
            return
        self.each(node)

    def loop(self, node: Node) -> None:
        name = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        if node.children[0].type != "for" or name is None or body is None:
            raise self.refuse(node)
        words = [self.word(each) for each in node.children_by_field_name("value")]
        if not words or len(words) > _MOST_VALUES:
            words = [DYNAMIC] if words else []
        variable = self.raw(name)
        for word in words:
            self.bind(variable, word, node)
            self.each(body)
            self.values.pop(variable, None)

    def assignment(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        after = node.next_sibling
        if name is None or name.type != "variable_name" or "+=" in self.raw(node):
            raise self.refuse(node, Reason.NOT_STATIC)
        if after is not None and after.type == "&":
            raise self.refuse(node, Reason.NOT_STATIC)
        self.bind(self.raw(name), Word("") if value is None else self.word(value), node)

    def bind(self, name: str, word: Word, node: Node) -> None:
        """Programs obey some variables; by custom those have capital letters."""
        if not _NAME.fullmatch(name) or name.endswith("_proxy"):
            raise self.refuse(node, Reason.NOT_STATIC)
        self.values[name] = DYNAMIC if name in self.repeated else word

    def test(self, node: Node) -> None:
        """`[ ... ]` is the program test; of `[[ ... ]]` what evaluates nothing is read."""
        leaves = leaves_of_test(node)
        if node.children[0].type == "[":
            words = [self.word(each) if each.is_named else self.token(each) for each in leaves]
        else:
            for leaf in leaves[1:-1]:
                self.operand(leaf)
            words = [Word("true")]
        self.add(Command(tuple(words), frozenset(self.cwds)))

    def operand(self, node: Node) -> None:
        """A sign or a word between double brackets: numbers are computed there, names looked up."""
        if node.type == "test_operator":
            if self.raw(node) not in _QUIET_TESTS:
                raise self.refuse(node, Reason.NOT_STATIC)
        elif node.is_named:
            self.word(node)
        elif node.type not in _OF_TEST and node.type not in ("&&", "||", "(", ")"):
            raise self.refuse(node)

    def token(self, node: Node) -> Word:
        """A sign between brackets. Unlike the grammar, bash redirects by < and > there."""
        if node.type not in _OF_TEST:
            raise self.refuse(node)
        return Word(node.type)

    def redirected(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        redirects = [each for each in node.named_children if each != body]
        before = len(self.steps)
        is_piped = self.is_piped
        if body is not None:
            self.statement(body)
        inputs = [each for redirect in redirects for each in self.redirect(redirect)]
        self.is_piped = is_piped
        if inputs and len(self.steps) > before:
            first = self.steps[before]
            if isinstance(first, Command):
                self.steps[before] = replace(first, inputs=(*first.inputs, *inputs))

    def redirect(self, node: Node) -> list[str]:
        """Notes what a redirection opens; gives the names of files that are read."""
        if node.type == "heredoc_redirect":
            self.heredoc(node)
            return []
        if node.type == "herestring_redirect":
            for child in node.named_children:
                self.word(child)
            return []
        if node.type != "file_redirect":
            raise self.refuse(node)
        operator = next((each.type for each in node.children if not each.is_named), "")
        targets = node.children_by_field_name("destination")
        if operator in (">&", "<&", ">&-", "<&-"):
            if not targets or all(re.fullmatch(r"\d+-?|-", self.raw(each)) for each in targets):
                return []
            if operator != ">&":
                raise self.refuse(node)
        if len(targets) != 1 or (operator != "<" and operator not in _WRITING):
            raise self.refuse(node)
        word = self.word(targets[0])
        self.add(Redirection(word, operator != "<", frozenset(self.cwds)))
        return [word.text] if operator == "<" and word.is_static else []

    def heredoc(self, node: Node) -> None:
        is_literal = self.check_heredoc(node)
        for child in node.named_children:
            if child.type == "heredoc_body":
                if not is_literal:
                    self.parts(child)
            elif child.type in ("file_redirect", "herestring_redirect"):
                self.redirect(child)
            elif child.type == "pipeline":
                self.is_piped = True
                self.pipeline(child)
            elif child.type not in ("heredoc_start", "heredoc_end"):
                raise self.refuse(child)

    def check_heredoc(self, node: Node) -> bool:
        """Whether the text is taken literally. Raises Unreadable where it could end before the
        grammar thinks so: what follows would be commands."""
        by_type = {each.type: each for each in node.named_children}
        start, body = by_type.get("heredoc_start"), by_type.get("heredoc_body")
        delimiter = _DELIMITER.fullmatch(self.raw(start)) if start is not None else None
        if start is None or delimiter is None:
            raise self.refuse(node)
        line_end = self.source.find(b"\n", start.end_byte)
        if line_end < 0 or b"<<" in self.source[start.end_byte : line_end]:
            raise self.refuse(node)
        text = self.raw(body) if body is not None else ""
        if any(each.strip().startswith(delimiter["name"]) for each in text.splitlines()):
            raise self.refuse(node)
        if not delimiter["quote"] and "\\\n" in text:
            raise self.refuse(node)
        return bool(delimiter["quote"])

    def command(self, node: Node) -> None:
        words: list[Word] = []
        inputs: list[str] = []
        has_variables = self.has_exported
        for child in node.named_children:
            if child.type == "variable_assignment":
                has_variables = True
                value = child.child_by_field_name("value")
                if value is not None:
                    self.word(value)
            elif child.type == "command_name":
                words.append(self.word(child.named_children[0]))
            elif child.type.endswith("_redirect"):
                inputs += self.redirect(child)
            else:
                words += expand_braces(self.raw(child)) or [self.word(child)]
        command = Command(
            tuple(words), frozenset(self.cwds), self.is_piped, tuple(inputs), has_variables
        )
        self.add(command)
        self.follow(command, node)

    def declaration(self, node: Node) -> None:
        """`export` of a variable that only programs obey which run code anyway."""
        names = [
            each.child_by_field_name("name") if each.type == "variable_assignment" else None
            for each in node.named_children
        ]
        if node.children[0].type != "export" or not all(
            each is not None and self.raw(each) in _EXPORTED for each in names
        ):
            raise self.refuse(node, Reason.NOT_STATIC)
        for each in node.named_children:
            value = each.child_by_field_name("value")
            if value is not None:
                self.word(value)
        self.has_exported = True
        self.add(Command((Word("export"), Word(self.raw(node))), frozenset(self.cwds)))

    def follow(self, command: Command, node: Node) -> None:
        """Keeps up with commands that change the shell itself: cd and read."""
        name = command.words[0]
        texts = [each.text for each in command.words[1:] if each.is_static]
        if not name.is_static or name.text in ("pushd", "popd"):
            self.cwds.add("/")
        elif name.text == "cd":
            operands = [each for each in texts if each != "--"]
            is_known = len(texts) == len(command.words) - 1 and len(operands) == 1
            self.cwds |= (
                {resolve(operands[0], each) for each in self.cwds}
                if is_known and operands[0] != "-" and not operands[0].startswith("~")
                else {"/"}
            )
            if len(self.cwds) > _MOST_VALUES:
                raise self.refuse(node)
        elif name.text == "read":
            for each in texts:
                if not each.startswith("-"):
                    self.bind(each, DYNAMIC, node)


_STATEMENTS: Final[Mapping[str, Callable[[_Reading, Node], None]]] = {
    "command": _Reading.command,
    "declaration_command": _Reading.declaration,
    "pipeline": _Reading.pipeline,
    "redirected_statement": _Reading.redirected,
    "subshell": _Reading.group,
    "compound_statement": _Reading.group,
    "for_statement": _Reading.loop,
    "test_command": _Reading.test,
}
