"""Whose request it is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from heliostat_api.base.views import PersonView, SpendingView
from heliostat_core.approvals import API_PREFIX

GUEST_PREFIX: Final = "guest-"
"""The ids of guests begin with it."""
WARNING: Final = timedelta(days=10)
"""How long before their end guests are told of it."""


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
    approves: frozenset[str] = frozenset()
    """Namespaces where they decide on asks that need somebody beside the owner."""
    by_key: bool = False
    """Whether a key speaks for them, and not they themselves."""
    expires: datetime | None = field(default=None, compare=False)
    """When a guest who does not come again loses what they have."""

    @property
    def api_name(self) -> str:
        """Their name in resources: nobody but the api may give one of this form."""
        return f"{API_PREFIX}{self.id}"


LOCAL = Person("local", PersonKind.LOCAL, is_admin=True)


def view_person(
    person: Person,
    now: datetime,
    spending: SpendingView | None = None,
    *,
    can_sign_in: bool | None = None,
) -> PersonView:
    """What they are told of themselves."""
    return PersonView(
        id=person.id,
        kind=person.kind.value,
        is_admin=person.is_admin,
        expires_time=person.expires,
        is_expiring=person.expires is not None and person.expires - now <= WARNING,
        spending=spending,
        can_sign_in=can_sign_in,
    )
