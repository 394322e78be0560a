"""Where a fault can be made in a module, and which ones. Pure.

Left out is what no test should hold: docstrings, texts for people (with white space, in an error,
of a log, f-strings), annotations, what is said to type checkers alone, and the main guard.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tools.mutants import operators
from tools.mutants.operators import Variants
from tools.mutants.source import Edit, Source

LOGGERS = {"log", "logger", "_LOG", "_log", "LOG", "logging"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
FOR_PEOPLE = {"description", "help", "title", "summary", "message", "deprecated"}
FOR_CHECKERS = {"frozen", "slots", "kw_only"}  # mypy says it when one of them is missing
NAMING_CALLS = {"TypeVar", "NewType", "ParamSpec", "getLogger", "cast"}
UNREAD_NAMES = {"__all__", "__slots__", "__match_args__"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Scope:
    """What is around a node."""

    function: str = ""  # dotted, with its classes
    top: frozenset[str] = frozenset()  # what the outermost statement defines
    is_at_import: bool = True  # runs when the module is imported
    lines: range = range(0)  # of the statement, without the statements in it


@dataclass(frozen=True)
class Mutation:
    """One fault: where it is, and how its line reads before and after."""

    source: Source
    scope: Scope
    number: int  # of the line
    line: str
    becomes: str
    edits: tuple[Edit, ...]

    @property
    def text(self) -> str:
        return self.source.edited(self.edits)

    @property
    def place(self) -> str:
        return f"{self.source.path}:{self.number}"


Place = tuple[Mutation, ...]


def find_places(source: Source) -> list[Place]:
    """Every place of the module in its order, with the faults that can be made there."""
    found = []
    for scope, variants in _Finder(source).statements(source.tree.body, Scope()):
        if variants:
            found.append(tuple(_mutation(source, scope, edits) for edits in variants))
    return found


def _mutation(source: Source, scope: Scope, edits: tuple[Edit, ...]) -> Mutation:
    before, after = source.text.splitlines(), source.edited(edits).splitlines()
    pairs = enumerate(zip(before, after, strict=False))
    number = next(number for number, (one, other) in pairs if one != other)
    return Mutation(source, scope, number + 1, before[number].strip(), after[number].strip(), edits)


def defined_names(node: ast.stmt) -> frozenset[str]:
    """What a statement gives a name to."""
    if isinstance(node, DEFINITIONS):
        return frozenset((node.name,))
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return frozenset(
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    )


@dataclass(frozen=True)
class _Finder:
    """Walks through one module; yields the scope and the variants of each place."""

    source: Source

    def statements(self, body: list[ast.stmt], scope: Scope) -> Iterator[tuple[Scope, Variants]]:
        for node in body:
            inner = scope if scope.top else replace(scope, top=defined_names(node))
            yield from self.statement(node, inner)

    def statement(self, node: ast.stmt, scope: Scope) -> Iterator[tuple[Scope, Variants]]:
        if _is_unread(node):
            return
        if isinstance(node, DEFINITIONS):
            yield from self._definition(node, scope)
            return
        scope = replace(scope, lines=_own_lines(node))
        yield from ((scope, variants) for variants in _of_statement(self.source, node))
        for field, value in ast.iter_fields(node):
            if field in ("body", "orelse", "finalbody") and isinstance(value, list):
                yield from self.statements(value, scope)
            elif field == "handlers":
                for handler in node.handlers:  # type: ignore[attr-defined]
                    yield from self.statements(handler.body, scope)
            elif field == "cases":
                yield from self._cases(node.cases, scope)  # type: ignore[attr-defined]
            elif field != "annotation":
                yield from self._values(value, scope, is_raised=isinstance(node, ast.Raise))

    def _definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope
    ) -> Iterator[tuple[Scope, Variants]]:
        """Decorators and defaults belong to what is around it."""
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        head = replace(
            scope, lines=range(first, node.body[0].lineno), function=_joined(scope, node.name)
        )
        yield from self._values(node.decorator_list, head)
        if isinstance(node, ast.ClassDef):
            yield from self._values(node.keywords, head)
            yield from self.statements(node.body, head)
            return
        yield from self._values([*node.args.defaults, *node.args.kw_defaults], head)
        yield from self.statements(node.body, replace(head, is_at_import=False))

    def _cases(self, cases: list[ast.match_case], scope: Scope) -> Iterator[tuple[Scope, Variants]]:
        for case in cases:
            end = case.guard or case.pattern
            head = replace(scope, lines=range(case.pattern.lineno, (end.end_lineno or 0) + 1))
            yield from self._values([case.pattern, case.guard], head)
            if case.guard:
                yield head, operators.condition(self.source, case.guard)
            yield from self.statements(case.body, scope)

    def _values(
        self, value: object, scope: Scope, is_raised: bool = False
    ) -> Iterator[tuple[Scope, Variants]]:
        if isinstance(value, list):
            for each in value:
                yield from self._values(each, scope, is_raised)
        elif isinstance(value, ast.AST) and not _is_for_others(value):
            yield from (
                (scope, variants) for variants in _of_expression(self.source, value, is_raised)
            )
            inner = replace(scope, is_at_import=False) if isinstance(value, ast.Lambda) else scope
            for field, child in ast.iter_fields(value):
                if field != "annotation":
                    yield from self._values(child, inner, is_raised)


def _joined(scope: Scope, name: str) -> str:
    return f"{scope.function}.{name}" if scope.function else name


def _own_lines(node: ast.stmt) -> range:
    """The lines of a statement, up to the first statement in it."""
    inner = [child.lineno for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    if isinstance(node, ast.Match):
        inner = [node.cases[0].pattern.lineno]
    end = min(inner) if inner else (node.end_lineno or node.lineno) + 1
    return range(node.lineno, max(end, node.lineno + 1))


def _of_statement(source: Source, node: ast.stmt) -> Iterator[Variants]:
    match node:
        case ast.AugAssign():
            yield operators.augmented(source, node)
        case ast.Return():
            yield (
                operators.returned(source, node) if node.value else operators.removal(source, node)
            )
        case ast.Break() | ast.Continue():
            yield operators.jump(source, node)
        case ast.If() | ast.While() | ast.Assert():
            yield operators.condition(source, node.test)
        case ast.Raise() if not _says_abstract(node):
            yield operators.removal(source, node)
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Delete():
            yield operators.removal(source, node)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield operators.removal(source, node)
        case _:
            return


def _of_expression(source: Source, node: ast.AST, is_raised: bool) -> Iterator[Variants]:
    match node:
        case ast.Compare():
            yield from operators.comparison(source, node)
        case ast.BoolOp():
            yield operators.boolean(source, node)
        case ast.BinOp() if not _is_union(node):
            yield operators.arithmetic(source, node)
        case ast.UnaryOp():
            yield operators.unary(source, node)
        case ast.IfExp():
            yield operators.condition(source, node.test)
        case ast.comprehension():
            yield from (operators.condition(source, test) for test in node.ifs)
        case ast.Constant() if not (is_raised and isinstance(node.value, str)):
            yield operators.constant(source, node)
        case _:
            return


def _is_unread(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=level))):
            return name in LOGGERS and level in LEVELS
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return bool(defined_names(node) & UNREAD_NAMES)


def _is_for_others(node: ast.AST) -> bool:
    """What people or type checkers read, and no program."""
    match node:
        case ast.JoinedStr():
            return True
        case ast.keyword(arg=name):
            return name in FOR_PEOPLE | FOR_CHECKERS
        case ast.Subscript(value=ast.Name(id="Literal")):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in NAMING_CALLS
        case _:
            return False


def _says_abstract(node: ast.Raise) -> bool:
    return node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)


def _is_union(node: ast.BinOp) -> bool:
    """`int | None` and `Name | Other`: types."""
    if not isinstance(node.op, ast.BitOr):
        return False
    return all(_names_a_type(each) for each in (node.left, node.right))


def _names_a_type(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in ("int", "str", "float", "bool", "list", "dict") or name[:1].isupper()
        case ast.Subscript(value=value):
            return _names_a_type(value)
        case ast.BinOp():
            return _is_union(node)
        case _:
            return False
