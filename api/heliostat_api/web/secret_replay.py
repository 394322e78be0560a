"""Answers with a secret in them, and Idempotency-Key: the same request hears the same secret again.

It is kept beside what the request decided, in the vault's way, as long as that is.
"""

from dataclasses import dataclass
from http import HTTPStatus

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import Put
from heliostat_api.web.idempotency import Asked, Made, Repeats
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.vaults import Sealed, Vault


@dataclass(frozen=True)
class Told:
    """What was made, and its secret."""

    id: str
    secret: str


@dataclass(frozen=True)
class Retelling:
    """Remembers secrets that were told, for whoever asked for them."""

    repeats: Repeats
    vault: Vault

    async def before(self, person: Person, asked: Asked) -> Told | None:
        """What the same request was told before. Raises a problem: 422 for another request under
        its key, 409 when the secret can't be read any more."""
        made = await self.repeats.before(person, asked)
        return None if made is None else self._told(made)

    async def once(self, person: Person, asked: Asked, told: Told, *writes: Put) -> Told:
        """Commits the writes, or does nothing and returns what the same request was told
        meanwhile. Raises as `before`, and ConflictError for the writes."""
        sealed = self.vault.seal(_place(told.id), told.secret)
        made = {"id": told.id, "sealed": sealed.text, "sealedWith": sealed.key}
        return self._told(await self.repeats.once(person, asked, made, *writes))

    def _told(self, made: Made) -> Told:
        sealed = Sealed(made["sealed"], made["sealedWith"])
        secret = self.vault.open(_place(made["id"]), sealed)
        if secret is None:
            raise gone(made["id"])
        return Told(made["id"], secret)


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
