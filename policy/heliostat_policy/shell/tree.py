"""The tree that bash's grammar makes of a command, and whether it holds the whole text."""

import re
from functools import cache
from typing import Final

from tree_sitter import Language, Node, Parser

_BETWEEN: Final = re.compile(rb"(?:[ \t\n]|\\\n)*")
_GLUED: Final = re.compile(rb"(?<![ \t\n])\\\n(?![ \t\n])")
_DASH: Final = re.compile(rb"[ \t]+-[ \t]*")


@cache
def _parser() -> Parser:
    # Brings importlib.resources: who judges no command need not wait for it.
    from tree_sitter_bash import language

    return Parser(Language(language()))


def parse(source: bytes) -> Node | None:
    """The tree of a command; None if the grammar does not have it, or some of it is in no leaf.

    A line that ends in a backslash, with no space around, makes one word to bash (`cu\\` and `rl`)
    and two in the grammar.
    """
    if _GLUED.search(source):
        return None
    root = _parser().parse(source).root_node
    return root if not root.has_error and _covers(root, source) else None


def _covers(root: Node, source: bytes) -> bool:
    """Whether every character that is no space stands in some leaf of the tree.

    The grammar drops a dash before a here-document (`python3 - <<E`), and nothing else.
    """
    place = 0
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.child_count and node.type not in ("heredoc_body", "string"):
            waiting += reversed(node.children)
            continue
        between = source[place : node.start_byte]
        is_dash = node.type in ("<<", "<<-") and _DASH.fullmatch(between)
        if not is_dash and not _BETWEEN.fullmatch(between):
            return False
        place = max(place, node.end_byte)
    return bool(_BETWEEN.fullmatch(source[place:]))


def repeated_names(root: Node, source: bytes) -> frozenset[str]:
    """Names to which the command gives a value more than once; all of them where it reads any."""
    names: list[str] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        name = node.child_by_field_name(
            {"variable_assignment": "name", "for_statement": "variable"}.get(node.type, "none")
        )
        if name is not None:
            names.append(source[name.start_byte : name.end_byte].decode())
    if re.search(rb"\bread\b", source):
        return frozenset(names)
    return frozenset(each for each in names if names.count(each) > 1)


def leaves_of_test(node: Node) -> list[Node]:
    """The tokens between the brackets of `[ ... ]`, the brackets too."""
    found = []
    for child in node.children:
        if child.type.endswith("_expression"):
            found += leaves_of_test(child)
        else:
            found.append(child)
    return found
