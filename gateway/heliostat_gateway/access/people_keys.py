"""`/admin/people/USER/keys` and `/admin/keys/check`: what the api asks for its people."""

import time
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliostat_core.keys import is_of_people
from heliostat_gateway.access.admin_keys import KeyAdmin
from heliostat_gateway.access.callers import KeyKind, Scope
from heliostat_gateway.access.key_documents import (
    LONGEST_SECONDS,
    IssuedKeyView,
    KeyList,
    KeyView,
    Name,
    RevokedKeyView,
    view_issued,
    view_key,
)
from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.access.keys import ListedKey, WantedKey
from heliostat_gateway.errors import RefusalError

User = Annotated[str, Path(min_length=1, max_length=200)]


def _of_people(name: str) -> str:
    if not is_of_people(name):
        raise ValueError("must be a budget of people: guests, or person-...")
    return name


class _Document(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid"
    )


class PersonKeyRequest(_Document):
    """A key that a person makes for themselves."""

    name: Annotated[Name, Field(description="What the key is for, in words of people.")]
    scopes: Annotated[
        list[Literal[Scope.MODELS, Scope.API]],
        Field(min_length=1, description="Scopes: models, api."),
    ]
    budgets: Annotated[
        list[Annotated[Name, AfterValidator(_of_people)]],
        Field(max_length=20, description="The person's own budgets, on which its calls count."),
    ] = []
    expires_seconds: Annotated[
        int | None,
        Field(ge=1, le=LONGEST_SECONDS, description="How long it is good; without it, for ever."),
    ] = None

    def wanted(self, user: str, now: int) -> WantedKey:
        """The key in the gateway's own words."""
        return WantedKey(
            name=self.name,
            kind=KeyKind.USER,
            user=user,
            scopes=frozenset(self.scopes),
            budgets=tuple(self.budgets),
            expires=None if self.expires_seconds is None else now + self.expires_seconds,
        )


class CheckRequest(_Document):
    """The text of a key that somebody presents."""

    key: Annotated[str, Field(min_length=1, max_length=4096)]


class CheckedKey(_Document):
    """The key, or null for one that is no good: unknown, revoked or expired."""

    details: KeyView | None


@dataclass(frozen=True)
class PeopleKeys:
    """The endpoints' collaborators."""

    keys: KeyRing
    admin: KeyAdmin

    def endpoints(self) -> APIRouter:
        """The routes; whoever includes them checks the token."""
        router = APIRouter()
        router.add_api_route("/keys/check", self.check, name="check_key", methods=["POST"])
        own = "/people/{user}/keys"
        router.add_api_route(
            own, self.create, name="create_user_key", methods=["POST"], status_code=201
        )
        router.add_api_route(own, self.list, name="list_user_keys", methods=["GET"])
        router.add_api_route(
            f"{own}/{{key_id}}", self.revoke, name="revoke_user_key", methods=["DELETE"]
        )
        return router

    async def check(self, presented: CheckRequest) -> CheckedKey:
        """Whose key this is. 503 while it can't be said."""
        try:
            record = self.keys.stored(presented.key)
        except RefusalError as error:
            if error.status != 401:
                raise
            return CheckedKey(details=None)
        return CheckedKey(details=view_key(ListedKey(record, int(time.time()))))

    async def create(self, user: User, wanted: PersonKeyRequest) -> IssuedKeyView:
        """Makes a key of that person. Its text is in this answer only."""
        now = int(time.time())
        return view_issued(await self.admin.store.create(wanted.wanted(user, now), now), None)

    async def list(self, user: User) -> KeyList:
        """That person's keys, oldest first, revoked ones too."""
        return KeyList(keys=[view_key(each) for each in await self._of(user)])

    async def revoke(self, user: User, key_id: str) -> RevokedKeyView:
        """Ends a key of that person, as DELETE /admin/keys does. May be repeated."""
        if not any(each.record.id == key_id for each in await self._of(user)):
            raise RefusalError(
                404, "not_found_error", "This person has no such key; GET lists those that are."
            )
        return await self.admin.revoke(key_id)

    async def _of(self, user: str) -> tuple[ListedKey, ...]:
        """Keys that a person may have: a key that opens /admin is no such one."""
        return tuple(
            each
            for each in await self.admin.store.list("")
            if each.record.kind is KeyKind.USER
            and each.record.user == user
            and Scope.ADMIN not in each.record.scopes
        )
