"""Whose request it is."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How somebody is known."""

    LOCAL = "local"
    """The one person of `heliostat dev`."""
    GUEST = "guest"
    USER = "user"


@dataclass(frozen=True)
class Person:
    """A person and what they may see beside their own things."""

    id: str
    kind: Kind
    is_admin: bool = False
    namespaces: frozenset[str] = frozenset()
    """Namespaces whose things without an owner they operate."""
