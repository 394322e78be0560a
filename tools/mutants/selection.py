"""Which tests may notice a mutant. Pure.

For code in a function: the tests that pass its lines. What runs at import (constants, classes,
fields and their bounds) is passed by no test; what counts there are the tests that pass code which
mentions the name that it defines, or the name of what mentions that, and the test files that
mention it themselves.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.mutants.coverage_map import CoverageMap
from tools.mutants.places import Mutation, defined_names
from tools.mutants.recording import BETWEEN

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Mentions:
    """Where each name occurs in code."""

    lines: defaultdict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    names: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tests: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add_module(self, path: str, tree: ast.Module) -> None:
        """Names in functions by their lines, names that are read at import by who defines what."""
        for statement in tree.body:
            defines = defined_names(statement)
            for node, is_in_function in _walk(statement, False):
                for name in _mentioned(node) - defines:
                    if is_in_function:
                        self.lines[name].add((path, getattr(node, "lineno", 0)))
                    else:
                        self.names[name] |= defines

    def add_test_file(self, path: str, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            for name in _mentioned(node):
                self.tests[name].add(path)

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """These names, and those whose definitions mention them."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.names.get(name, ())
        return frozenset(found)


def _walk(node: ast.AST, is_in_function: bool) -> Iterable[tuple[ast.AST, bool]]:
    yield node, is_in_function
    inside = is_in_function or isinstance(node, (*FUNCTIONS, ast.Lambda))
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, inside)


def _mentioned(node: ast.AST) -> set[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.alias(name=name):
            return {name.rpartition(".")[2]}
        case _:
            return set()


def choose_tests(mutation: Mutation, passed: CoverageMap, mentions: Mentions) -> frozenset[str]:
    """The tests to try; none where no test passes it."""
    scope = mutation.scope
    direct = passed.tests_at(mutation.source.path, scope.lines)
    tests = direct - {BETWEEN}
    if scope.is_at_import or direct == {BETWEEN}:
        tests |= _mentioning(scope.top, passed, mentions)
    return tests


def _mentioning(names: Iterable[str], passed: CoverageMap, mentions: Mentions) -> frozenset[str]:
    found: set[str] = set()
    for name in mentions.closure(names):
        for path, line in mentions.lines.get(name, ()):
            found |= passed.tests_at(path, (line,))
        for path in mentions.tests.get(name, ()):
            found |= set(passed.tests.get(path, ()))
    return frozenset(found - {BETWEEN})
