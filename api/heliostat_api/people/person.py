"""Whose request it is."""

from dataclasses import dataclass
from enum import StrEnum

from heliostat_api.views import PersonView, SpendingView


class PersonKind(StrEnum):
    """How somebody is known."""

    LOCAL = "local"
    """The one person of `heliostat dev`."""
    GUEST = "guest"
    USER = "user"


@dataclass(frozen=True)
class Person:
    """A person and what they may see beside their own things."""

    id: str
    kind: PersonKind
    is_admin: bool = False
    namespaces: frozenset[str] = frozenset()
    """Namespaces whose things without an owner they operate."""
    by_key: bool = False
    """Whether a key speaks for them, and not they themselves."""


LOCAL = Person("local", PersonKind.LOCAL, is_admin=True)


def view_person(person: Person, spending: SpendingView | None = None) -> PersonView:
    """What they are told of themselves."""
    return PersonView(
        id=person.id, kind=person.kind.value, is_admin=person.is_admin, spending=spending
    )
