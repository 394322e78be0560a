"""Secret replay: a request that is repeated with its Idempotency-Key gets the same secret again.

The secret is kept encrypted beside what the request decided, and as long as that.
"""

from dataclasses import dataclass
from http import HTTPStatus

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import Put
from heliostat_api.web.idempotency import Idempotency, IdempotencyKey, Made
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.vaults import Sealed, Vault


@dataclass(frozen=True)
class IssuedSecret:
    """What was made, and its secret."""

    id: str
    secret: str


@dataclass(frozen=True)
class SecretReplay:
    """Remembers the secrets that requests were answered with."""

    idempotency: Idempotency
    vault: Vault

    async def before(self, person: Person, asked: IdempotencyKey) -> IssuedSecret | None:
        """What the same request was told before. Raises a problem: 422 for another request under
        its key, 409 when the secret can't be read any more."""
        made = await self.idempotency.before(person, asked)
        return None if made is None else self._told(made)

    async def once(
        self, person: Person, asked: IdempotencyKey, told: IssuedSecret, *writes: Put
    ) -> IssuedSecret:
        """Commits the writes, or does nothing and returns what the same request was told
        meanwhile. Raises as `before`, and ConflictError for the writes."""
        sealed = self.vault.seal(_place(told.id), told.secret)
        made = {"id": told.id, "sealed": sealed.text, "sealedWith": sealed.key}
        return self._told(await self.idempotency.once(person, asked, made, *writes))

    def _told(self, made: Made) -> IssuedSecret:
        sealed = Sealed(made["sealed"], made["sealedWith"])
        secret = self.vault.open(_place(made["id"]), sealed)
        if secret is None:
            raise gone(made["id"])
        return IssuedSecret(made["id"], secret)


def gone(name: str) -> ProblemError:
    """What the request made can't be told again."""
    return ProblemError(
        HTTPStatus.CONFLICT,
        bilingual(
            en=f"This request made {name} before, and it can't be told again: delete it if it is "
            "still listed, and make another one with a new Idempotency-Key.",
            ko=f"이 요청은 이미 {name}을(를) 만들었고 다시 보여 줄 수 없습니다. 목록에 있으면 "
            "삭제하고 새로 만드세요.",
        ),
    )


def _place(name: str) -> str:
    return f"told/{name}"
