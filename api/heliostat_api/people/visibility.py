"""What a person sees beside their own things: what has no owner, as they hear of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from heliostat_api.base.person import Person
from heliostat_api.documents.port import OWNER, Document, Query
from heliostat_api.people.topics import (
    is_nobodys,
    owner_field,
    topics_of_owner_field,
    topics_of_person,
)

UNOWNED: Final = "unowned"
"""Field: whether a thing has no owner."""


def sees(person: Person, document: Document) -> bool:
    """Whether it is theirs, or has no owner and they operate its namespace or everything."""
    heard = topics_of_owner_field(str(document.fields.get(OWNER)))
    return not topics_of_person(person).isdisjoint(heard)


def is_own(person: Person, document: Document) -> bool:
    """Whether they may command it."""
    return document.fields.get(OWNER) == person.id


def is_owned(document: Document) -> bool:
    """Whether it is anybody's."""
    return not is_nobodys(str(document.fields.get(OWNER)))


def queries_of(person: Person, query: Query) -> tuple[Query, ...]:
    """A list of their own things, as the lists of all that they see."""
    if person.is_admin:
        where: Mapping[str, str | int | bool] = {**(query.where or {}), UNOWNED: True}
        return query, replace(query, owner=None, where=where)
    operated = [owner_field(None, name) for name in sorted(person.namespaces)]
    return query, *(replace(query, owner=each) for each in operated)
