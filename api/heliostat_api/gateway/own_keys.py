"""A person's own keys: made, listed, ended. The gateway keeps them."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, StringConstraints

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import bilingual, plain
from heliostat_api.base.views import View
from heliostat_api.events.changes import Changed, Changes
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.gateway.api_keys import GatewayKeys
from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.gateway.documents import Key
from heliostat_api.web.idempotency import UNREPEATED, IdempotencyKey
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_api.web.secret_replay import IssuedSecret, SecretReplay, gone

_MOST_KEYS: Final = 50
_LONGEST_SECONDS: Final = 10 * 365 * 86400


class KeyRequest(View):
    """A key to be made. `scopes`: `models` calls models at the gateway, `api` is this API."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    scopes: Annotated[tuple[Literal["models", "api"], ...], Field(min_length=1, max_length=2)]
    expires_seconds: Annotated[int | None, Field(ge=1, le=_LONGEST_SECONDS)] = None


class KeyView(View):
    """A key of yours, without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_time: datetime
    expires_time: datetime | None
    last_used_time: datetime | None
    revoked_time: datetime | None


class KeyList(View):
    """Oldest first, revoked ones too."""

    items: tuple[KeyView, ...]


class IssuedUserKey(View):
    """A new key. Its text is in this answer only."""

    key: str
    details: KeyView


@dataclass(frozen=True)
class OwnKeys:
    """Each raises GatewayAwayError. What is open on a key that was revoked ends."""

    gateway: Gateway
    caps: Caps
    checked: GatewayKeys
    revocations: SessionRevocations
    secret_replay: SecretReplay
    changes: Changes

    async def list(self, person: Person) -> KeyList:
        """Their own."""
        return KeyList(items=tuple(map(view_key, await self.gateway.keys(person.id))))

    async def make(
        self, person: Person, wanted: KeyRequest, asked: IdempotencyKey = UNREPEATED
    ) -> IssuedUserKey:
        """Calls on it count on the person's budgets. Raises problems: 403, 409.

        Of the same request at the same time one key stays. A crash between the gateway and the
        store leaves a key that nobody was told; it is listed.
        """
        refuse_who_may_have_none(person)
        if before := await self.secret_replay.before(person, asked):
            return await self._made_before(person, before)
        live = [each for each in await self.gateway.keys(person.id) if each.revoked_time is None]
        if len(live) >= _MOST_KEYS:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en=f"You have {_MOST_KEYS} keys: revoke one that you do not use.",
                    ko=f"키가 {_MOST_KEYS}개입니다. 쓰지 않는 키를 폐기하세요.",
                ),
            )
        await self.caps.ensure(person)
        scopes: list[JsonValue] = [*sorted(set(wanted.scopes))]
        made = await self.gateway.make_key(
            person.id,
            {
                "name": wanted.name,
                "scopes": scopes,
                "budgets": list(self.caps.names(person)),
                "expiresSeconds": wanted.expires_seconds,
            },
        )
        told = await self.secret_replay.once(person, asked, IssuedSecret(made.details.id, made.key))
        if told.id != made.details.id:
            await self.gateway.revoke_key(person.id, made.details.id)
            return await self._made_before(person, told)
        await self.changes.tell(person.id, Changed.KEYS)
        return IssuedUserKey(key=made.key, details=view_key(made.details))

    async def _made_before(self, person: Person, told: IssuedSecret) -> IssuedUserKey:
        for key in await self.gateway.keys(person.id):
            if key.id == told.id:
                return IssuedUserKey(key=told.secret, details=view_key(key))
        raise gone(told.id)

    async def revoke(self, person: Person, key_id: str) -> None:
        """Ends it; may be repeated. Raises NotFoundProblem, for somebody else's too."""
        if not await self.gateway.revoke_key(person.id, key_id):
            raise NotFoundProblem("key")
        self.checked.forget(key_id)
        await self.revocations.tell(person.id)
        await self.changes.tell(person.id, Changed.KEYS)

    async def revoke_all(self, person_id: str) -> None:
        """The person is gone."""
        for key in await self.gateway.keys(person_id):
            if key.revoked_time is None:
                await self.gateway.revoke_key(person_id, key.id)
                self.checked.forget(key.id)


def refuse_who_may_have_none(person: Person) -> None:
    """A guest's keys would outlive the guest, a key's keys the key. Raises a problem: 403."""
    if person.kind is PersonKind.GUEST:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            bilingual(
                en="Guests have no keys: sign in, and what you have comes along.",
                ko="게스트는 키를 만들 수 없습니다. 로그인하면 지금 가진 것도 함께 옮겨집니다.",
            ),
        )
    if person.by_key:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            plain("A key makes no keys: do it in the dashboard, signed in."),
        )


def view_key(key: Key) -> KeyView:
    """What its person sees of it."""
    return KeyView(**{name: getattr(key, name) for name in KeyView.model_fields})
