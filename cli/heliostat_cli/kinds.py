"""The words by which people name kinds, as in kubectl: singular, plural, short name."""

from collections.abc import Sequence
from dataclasses import dataclass

from heliostat_cli.errors import UsageError
from heliostat_cli.guesses import closest
from heliostat_core.crds import RESOURCES, Resource

_WORDS: dict[str, Resource] = {
    word: resource
    for resource in RESOURCES
    for kind in (resource.kind,)
    for word in (
        kind.name.lower(),
        kind.plural,
        resource.short_name,
        f"{kind.name.lower()}.{kind.group}",
        f"{kind.plural}.{kind.group}",
    )
}


@dataclass(frozen=True)
class Target:
    """A kind, and a name of that kind or none."""

    resource: Resource
    name: str | None = None


def find_resource(word: str) -> Resource:
    """The kind of ours that is called so. Raises UsageError."""
    found = _WORDS.get(word.lower())
    if found is None:
        near = closest(word.lower(), _WORDS)
        raise UsageError(
            f"there is no kind {word!r}",
            f"Did you mean {near}?" if near else "Write agents or executions.",
        )
    return found


def parse_target(kind: str, names: Sequence[str]) -> list[Target]:
    """`KIND`, `KIND NAME...` or `KIND/NAME`."""
    word, slash, name = kind.partition("/")
    if slash and names:
        raise UsageError(f"{kind!r} names its object already", "Write KIND/NAME or KIND NAME.")
    resource = find_resource(word)
    if slash:
        return [Target(resource, name)]
    return [Target(resource, each) for each in names] or [Target(resource)]


def object_name(resource: Resource, name: str) -> str:
    """`execution.heliostat.dev/NAME`, as `kubectl -o name` prints it."""
    return f"{resource.kind.name.lower()}.{resource.kind.group}/{name}"
