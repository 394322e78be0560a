"""Idempotency-Key: a request that is sent again does what it asks for once.

What a request makes is decided and stored before it is made. A repeated one finds that, and goes
on from wherever the first one died.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header, Request

from heliostat_api.base.person import Person
from heliostat_api.base.texts import plain
from heliostat_api.documents.port import (
    OWNER,
    ConflictError,
    Delete,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
)
from heliostat_api.web.problems import ProblemError

KEPT: Final = timedelta(hours=24)
_COLLECTION: Final = "idempotency"
_PAGE: Final = 200
Made = Mapping[str, str]
"""Names and ids that a request decided on."""


@dataclass(frozen=True)
class IdempotencyKey:
    """Tells whether two requests are the same; `digest` is of all that a request says."""

    key: str | None
    digest: str


UNREPEATED: Final = IdempotencyKey(None, "")
"""A request that is not sent again."""


async def idempotency_key_of(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, pattern=r"^[!-~]+$")
    ] = None,
) -> IdempotencyKey:
    """Of the request that is being served."""
    said = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return IdempotencyKey(idempotency_key, hashlib.sha256(said).hexdigest())


@dataclass(frozen=True)
class Idempotency:
    """Remembers what requests decided, for a day if nothing else is said."""

    documents: Documents
    clock: Callable[[], datetime]
    collection: str = _COLLECTION
    kept: timedelta = KEPT

    async def once(self, person: Person, asked: IdempotencyKey, made: Made, *writes: Put) -> Made:
        """Commits the decision and the writes, or returns the decision of the first time.

        Raises a problem with status 422 when the key was used for something else, and
        ConflictError for the writes.
        """
        if asked.key is None:
            if writes:
                await self.documents.commit(*writes)
            return made
        path = self._path(person, asked.key)
        fields: Fields = {OWNER: person.id, "createdAt": self.clock(), "digest": asked.digest}
        try:
            decision = Put(path, {**fields, "made": dict(made)}, Expected.ABSENT)
            await self.documents.commit(decision, *writes)
        except ConflictError as error:
            if error.path != path:
                raise
            return await self._before(path, asked)
        return made

    async def before(self, person: Person, asked: IdempotencyKey) -> Made | None:
        """What the same request decided before, if it came before. Raises as `once`."""
        if asked.key is None or await self.documents.get(self._path(person, asked.key)) is None:
            return None
        return await self._before(self._path(person, asked.key), asked)

    async def note(self, person: Person, asked: IdempotencyKey, made: Made) -> None:
        """Adds what only came out by doing it."""
        if asked.key is None:
            return
        path = self._path(person, asked.key)
        if known := await self.documents.get(path):
            await self.documents.commit(Put(path, {**known.fields, "made": dict(made)}))

    async def forget(self) -> None:
        """Removes what is older than is kept."""
        query = Query(self.collection, None, order="createdAt", descending=False, limit=_PAGE)
        while True:
            page = await self.documents.query(query)
            old = [each for each in page.documents if self._is_old(each.fields["createdAt"])]
            if not old:
                return
            await self.documents.commit(*(Delete(each.path) for each in old))

    def _is_old(self, created: object) -> bool:
        return isinstance(created, datetime) and self.clock() - created > self.kept

    def _path(self, person: Person, key: str) -> str:
        return f"{self.collection}/{name_of(person, key)}"

    async def _before(self, path: str, asked: IdempotencyKey) -> Made:
        known = await self.documents.get(path)
        fields = known.fields if known else {}
        if fields.get("digest") != asked.digest:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                plain("This Idempotency-Key was used for another request: take a new one."),
            )
        made = fields.get("made")
        assert isinstance(made, Mapping)
        return {name: str(value) for name, value in made.items()}


def name_of(person: Person, key: str) -> str:
    """Keys are each person's own."""
    return hashlib.sha256(f"{person.id} {key}".encode()).hexdigest()
