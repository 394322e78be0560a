"""Quotas limit how many of a thing a person may have at once.

Who wants one more takes a place in the person's document, by a write that fails where somebody
else took one meanwhile, and gives it back once the thing itself is there to be counted. So however
many ask at once, no more get through.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    StoreError,
    update,
)
from heliostat_api.web.problems import ProblemError
from heliostat_core.worlds import UnavailableError

COLLECTION: Final = "places"
LOST: Final = timedelta(minutes=2)
"""A place whose taker died before the thing was there is free after so long."""

_STEP_ASIDE_SECONDS: Final = 0.05
"""Who lost to another one waits up to so long: those who ask at once do not collide for ever."""

Present = Callable[[str, int], Awaitable[Collection[str]]]
"""Names of what a person has of it now; how many matter."""


@dataclass(frozen=True)
class Refusal:
    """The answer to a person who has too many. Both texts have places `{who}` and `{most}`."""

    status: HTTPStatus
    en: str
    ko: str
    retry_after: int | None = None

    def problem(self, person: Person, most: int) -> ProblemError:
        """With the remedy."""
        is_guest = person.kind is PersonKind.GUEST
        said = bilingual(
            en=self.en.format(who="A guest" if is_guest else "One person", most=most),
            ko=self.ko.format(who="게스트는" if is_guest else "한 사람이", most=most),
        )
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return ProblemError(self.status, said, headers=headers)


@dataclass(frozen=True)
class Quotas:
    """The quotas of one kind of things, `name`, for a guest and for a person; 0 is no limit."""

    documents: Documents
    clock: Callable[[], datetime]
    name: str
    present: Present
    refusal: Refusal
    guest: int = 0
    person: int = 0

    @asynccontextmanager
    async def one(self, person: Person, key: str) -> AsyncIterator[None]:
        """A place for the thing that is made in the block; `key` is its name, or the end of it.

        Raises a problem where there is none left. When nobody knows whether the thing was made,
        the place stays taken for a while.
        """
        if not (most := self._most(person)):
            yield
            return
        await self._take(person, key, most)
        try:
            yield
        except (StoreError, UnavailableError):
            raise
        except Exception:
            await self._give_back(person, key)
            raise
        await self._give_back(person, key)

    async def refuse_full(self, person: Person) -> None:
        """Raises the problem for who has all that they may, before anything else is done."""
        most = self._most(person)
        if most and len(await self.present(person.id, most)) >= most:
            raise self.refusal.problem(person, most)

    def _most(self, person: Person) -> int:
        match person.kind:
            case PersonKind.LOCAL:
                return 0
            case PersonKind.GUEST:
                return self.guest
            case PersonKind.USER:
                return self.person

    async def _take(self, person: Person, key: str, most: int) -> None:
        while True:
            # Before what is present is counted: a place that was given back since is seen there.
            known = await self.documents.get(path_of(person.id))
            taken = self._taken(known)
            present = await self.present(person.id, most + len(taken) + 1)
            if count_others(present, taken, key) >= most:
                raise self.refusal.problem(person, most)
            fields = self._with_taken(person, known, {**taken, key: self.clock()})
            expected = known.version if known else Expected.ABSENT
            try:
                return await self.documents.commit(Put(path_of(person.id), fields, expected))
            except ConflictError:
                await asyncio.sleep(random.uniform(0, _STEP_ASIDE_SECONDS))

    async def _give_back(self, person: Person, key: str) -> None:
        def given_back(known: Document | None) -> Fields | None:
            taken = self._taken(known)
            if key not in taken:
                return None
            left = {name: at for name, at in taken.items() if name != key}
            return self._with_taken(person, known, left)

        await update(self.documents, path_of(person.id), given_back)

    def _taken(self, known: Document | None) -> Mapping[str, datetime]:
        """Without those whose taker died."""
        found = known.fields.get(self.name) if known else None
        now, taken = self.clock(), found if isinstance(found, Mapping) else {}
        return {
            key: at for key, at in taken.items() if isinstance(at, datetime) and now - at < LOST
        }

    def _with_taken(
        self, person: Person, known: Document | None, taken: Mapping[str, datetime]
    ) -> Fields:
        """`writes`: no two states of the document are the same, so that none is taken for one that
        was there before."""
        before: Fields = known.fields if known else {"createdAt": self.clock()}
        count = before.get("writes")
        return {
            **before,
            OWNER: person.id,
            "writes": (count if isinstance(count, int) else 0) + 1,
            self.name: dict(taken),
        }


def count_others(present: Collection[str], taken: Collection[str], key: str) -> int:
    """What is there and what is about to be, each once, without the thing of that key."""
    keys = {*taken, key}
    unknown = [name for name in present if not any(is_called(name, each) for each in keys)]
    return len(unknown) + len(keys) - 1


def is_called(name: str, key: str) -> bool:
    """Whether the thing of that name took its place under that key."""
    return name == key or name.endswith(f"-{key}")


def path_of(person_id: str) -> str:
    """Of a person's places."""
    return f"{COLLECTION}/{person_id}"
