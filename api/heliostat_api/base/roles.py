"""Roles: what a person may see and do beside their own things, from a table in the settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


class Role(StrEnum):
    """Each may do what those before it may, but for approvers: only a row of theirs makes one."""

    USER = "user"
    OPERATOR = "operator"
    """Of some namespaces."""
    ADMIN = "admin"
    APPROVER = "approver"
    """Of some namespaces: decides on asks there that need somebody beside the agent's owner."""


class RoleRow(BaseModel):
    """One row of the table: who has which role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Annotated[str | None, Field(min_length=1)] = None
    """A group that the identity provider names."""
    email: Annotated[str | None, Field(min_length=3)] = None
    """An address that the identity provider has verified; upper and lower case are the same."""
    role: Role
    namespaces: tuple[Annotated[str, Field(pattern=_NAMESPACE)], ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.group is None) == (self.email is None):
            raise ValueError("a row names a group or an e-mail address, one of them")
        if (self.role in (Role.OPERATOR, Role.APPROVER)) != bool(self.namespaces):
            raise ValueError("an operator or an approver, and nobody else, has namespaces")
        return self


@dataclass(frozen=True)
class Claims:
    """What an identity provider vouches for. `email` is None unless it was verified."""

    email: str | None = None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rights:
    """What the rows that fit give together."""

    is_listed: bool = False
    is_admin: bool = False
    namespaces: frozenset[str] = frozenset()
    approves: frozenset[str] = frozenset()


def rights_of(claims: Claims, table: Sequence[RoleRow]) -> Rights:
    """The sum of all rows that fit."""
    fitting = [row for row in table if fits(row, claims)]
    return Rights(
        is_listed=bool(fitting),
        is_admin=any(row.role is Role.ADMIN for row in fitting),
        namespaces=_union(row.namespaces for row in fitting if row.role is Role.OPERATOR),
        approves=_union(row.namespaces for row in fitting if row.role is Role.APPROVER),
    )


def fits(row: RoleRow, claims: Claims) -> bool:
    """Whether a row is about somebody with these claims."""
    if row.email is not None:
        return claims.email is not None and row.email.casefold() == claims.email.casefold()
    return row.group in claims.groups


def _union(sets: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(each for one in sets for each in one)
