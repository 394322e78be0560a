"""Equal mutants: faults that change nothing that a caller can see, each named with its reason.

They are in equal.toml, by module, function, the line and what becomes of it, and are not drawn. An
entry that matches no fault is out of date, and an error.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.machine import ROOT
from tools.mutants.areas import UnknownAreaError, find_area
from tools.mutants.places import Mutation, Place, find_places

LIST = Path(__file__).with_name("equal.toml")


@dataclass(frozen=True, order=True)
class Equal:
    """One fault by what it is, so that lines may be added above it."""

    module: str
    function: str
    line: str
    becomes: str


class EqualListError(Exception):
    """An entry has no reason, stands twice or matches nothing."""


def key_of(mutation: Mutation) -> Equal:
    return Equal(mutation.source.module, mutation.scope.function, mutation.line, mutation.becomes)


def read_equal(path: Path = LIST) -> frozenset[Equal]:
    """Raises EqualListError for an entry without a reason or one that stands twice."""
    entries = tomllib.loads(path.read_text()).get("equal", [])
    found = set()
    for entry in entries:
        equal = Equal(*(entry.get(name, "") for name in ("module", "function", "line", "becomes")))
        if not entry.get("why", "").strip():
            raise EqualListError(f"{path.name}: no `why` at {equal.module}: {equal.line!r}")
        if equal in found:
            raise EqualListError(f"{path.name}: twice: {equal.module}: {equal.line!r}")
        found.add(equal)
    return frozenset(found)


def without_equal(places: Sequence[Place], equal: frozenset[Equal]) -> list[Place]:
    """The places with what is left of their faults."""
    left = (tuple(each for each in place if key_of(each) not in equal) for place in places)
    return [place for place in left if place]


def find_outdated(equal: Iterable[Equal], root: Path = ROOT) -> list[Equal]:
    """The entries that match no fault of the module that they name."""
    by_module: defaultdict[str, set[Equal]] = defaultdict(set)
    for each in equal:
        by_module[each.module].add(each)
    outdated: set[Equal] = set()
    for module, entries in by_module.items():
        outdated |= entries - _known(module, root)
    return sorted(outdated)


def _known(module: str, root: Path) -> set[Equal]:
    try:
        sources = find_area(module.removeprefix("heliostat_").replace(".", "/"), root)
    except UnknownAreaError:
        return set()
    return {
        key_of(mutation)
        for source in sources
        if source.module == module
        for place in find_places(source)
        for mutation in place
    }
