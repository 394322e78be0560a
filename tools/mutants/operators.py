"""Which faults can be made at one node. Pure; places says at which nodes they are asked for.

Each function gives the variants of one place: a variant is the edits that make one mutant.
"""

import ast
import re
from collections.abc import Iterator

from tools.mutants.source import Edit, Source

Variants = list[tuple[Edit, ...]]

COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.Mult: ("/",),
    ast.Div: ("*",),
    ast.FloorDiv: ("*",),
    ast.Mod: ("*",),
    ast.Pow: ("*",),
    ast.LShift: (">>",),
    ast.RShift: ("<<",),
    ast.BitOr: ("&",),
    ast.BitAnd: ("|",),
    ast.BitXor: ("&",),
}
SPELLINGS: dict[type[ast.AST], str] = {
    ast.Lt: r"<",
    ast.LtE: r"<=",
    ast.Gt: r">",
    ast.GtE: r">=",
    ast.Eq: r"==",
    ast.NotEq: r"!=",
    ast.Is: r"\bis\b",
    ast.IsNot: r"\bis\s+not\b",
    ast.In: r"\bin\b",
    ast.NotIn: r"\bnot\s+in\b",
    ast.Add: r"\+",
    ast.Sub: r"-",
    ast.Mult: r"\*",
    ast.Div: r"/",
    ast.FloorDiv: r"//",
    ast.Mod: r"%",
    ast.Pow: r"\*\*",
    ast.LShift: r"<<",
    ast.RShift: r">>",
    ast.BitOr: r"\|",
    ast.BitAnd: r"&",
    ast.BitXor: r"\^",
    ast.And: r"\band\b",
    ast.Or: r"\bor\b",
}
COMMENT = re.compile(r"#[^\n]*")
A_WORD = re.compile(r"[!-~]*")  # of a protocol, not for people: ASCII without white space


def comparison(source: Source, node: ast.Compare) -> Iterator[Variants]:
    """One place for each operator of a chain."""
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        gap = _operator(source, left, right, type(operator))
        yield [(Edit(*gap, text),) for text in COMPARISONS[type(operator)]]
        left = right


def boolean(source: Source, node: ast.BoolOp) -> Variants:
    text = "or" if isinstance(node.op, ast.And) else "and"
    pairs = zip(node.values, node.values[1:], strict=False)
    gaps = [_operator(source, left, right, type(node.op)) for left, right in pairs]
    return [tuple(Edit(*gap, text) for gap in gaps)]


def arithmetic(source: Source, node: ast.BinOp) -> Variants:
    gap = _operator(source, node.left, node.right, type(node.op))
    return [(Edit(*gap, text),) for text in ARITHMETIC.get(type(node.op), ())]


def augmented(source: Source, node: ast.AugAssign) -> Variants:
    """Another operator, or no statement."""
    gap = _operator(source, node.target, node.value, type(node.op))
    others = ARITHMETIC.get(type(node.op), ())
    return [*((Edit(*gap, text),) for text in others), *removal(source, node)]


def unary(source: Source, node: ast.UnaryOp) -> Variants:
    """`not` and the minus sign go."""
    if not isinstance(node.op, ast.Not | ast.USub):
        return []
    text = source.segment(node.operand)
    return [(Edit(source.start(node), source.end(node), f"({text})"),)]


def constant(source: Source, node: ast.Constant) -> Variants:
    return [
        (Edit(source.start(node), source.end(node), text),) for text in _other_values(node.value)
    ]


def _other_values(value: object) -> list[str]:
    if isinstance(value, bool):
        return [repr(not value)]
    if isinstance(value, int):
        return [repr(value + 1), f"({value - 1})" if value < 1 else repr(value - 1)]
    if isinstance(value, float):
        return [repr(value + 1)]
    if isinstance(value, str) and A_WORD.fullmatch(value):
        return [repr(f"XX{value}XX")]
    if isinstance(value, bytes):
        return [repr(b"XX" + value + b"XX")]
    return []


def condition(source: Source, test: ast.expr) -> Variants:
    """The opposite of a condition, where no fault at an operator inside of it is that already."""
    if isinstance(test, ast.UnaryOp | ast.Constant):
        return []
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return []
    return [(Edit(source.start(test), source.end(test), f"(not ({source.segment(test)}))"),)]


def returned(source: Source, node: ast.Return) -> Variants:
    """None in place of a value that is reckoned; constants have faults of their own."""
    if node.value is None or isinstance(node.value, ast.Constant):
        return []
    return [(Edit(source.start(node.value), source.end(node.value), "None"),)]


def jump(source: Source, node: ast.Break | ast.Continue) -> Variants:
    text = "continue" if isinstance(node, ast.Break) else "break"
    return [(Edit(source.start(node), source.end(node), text),)]


def removal(source: Source, node: ast.stmt) -> Variants:
    return [(Edit(source.start(node), source.end(node), "pass"),)]


def _operator(
    source: Source, left: ast.expr, right: ast.expr, kind: type[ast.AST]
) -> tuple[int, int]:
    """Where the operator between two nodes stands; a comment there is passed over."""
    start, gap = source.between(left, right)
    masked = COMMENT.sub(lambda found: "#" * len(found[0].encode()), gap)
    found = re.search(SPELLINGS[kind], masked)
    assert found, f"{source.path}:{left.lineno}: no {kind.__name__} in {gap!r}"
    return start + found.start(), start + found.end()
