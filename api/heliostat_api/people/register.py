"""The register: one document for each person who was here, `people/ID`.

Its fields: `kind`, `firstSeen`, `lastSeen` (to a day), what a provider vouched for at the last
sign-in (`issuer`, `email`, `groups`), and of a guest who signed in `movedTo` and `isMoving`.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.documents.port import (
    ConflictError,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
)
from heliostat_api.people.identities import Identity
from heliostat_api.people.person import PersonKind
from heliostat_api.people.roles import Claims

COLLECTION: Final = "people"
_KEPT_FOR = timedelta(seconds=10)
_MOST_KEPT = 10_000
_SIGHT = timedelta(days=1)
_PAGE = 100


@dataclass(frozen=True)
class Record:
    """What the register says of a person."""

    kind: PersonKind
    last_seen: datetime
    claims: Claims
    moved_to: str | None = None


@dataclass
class _Kept:
    record: Record
    until: datetime


@dataclass(frozen=True)
class Register:
    """Reads are kept for ten seconds: a person's page asks often."""

    documents: Documents
    clock: Callable[[], datetime]
    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def find(self, person_id: str) -> Record | None:
        """Raises StoreError."""
        kept = self._kept.get(person_id)
        if kept is not None and kept.until > self.clock():
            return kept.record
        document = await self.documents.get(path_of(person_id))
        return self._keep(person_id, read_record(document)) if document else None

    async def see_guest(self, guest_id: str) -> Record:
        """A guest is here; at the first time they get a document. Raises StoreError."""
        found = await self.find(guest_id)
        if found is None:
            await self._write(guest_id, {"kind": PersonKind.GUEST.value})
        elif not self._is_stale(found):
            return found
        elif found.moved_to is None:
            await self._write(guest_id, {})
        return await self._read_again(guest_id)

    async def see_user(self, identity: Identity) -> Record:
        """A provider vouches for somebody. Raises StoreError."""
        found = await self.find(identity.person_id)
        if found is None or self._is_stale(found) or found.claims != identity.claims:
            vouched: Fields = {
                "kind": PersonKind.USER.value,
                "issuer": identity.issuer,
                "email": identity.claims.email,
                "groups": sorted(identity.claims.groups),
            }
            await self._write(identity.person_id, vouched)
            return await self._read_again(identity.person_id)
        return found

    async def touch(self, person_id: str, record: Record) -> None:
        """Somebody who is known is here. Raises StoreError."""
        if self._is_stale(record):
            await self._write(person_id, {})

    async def begin_move(self, guest_id: str, user_id: str) -> bool:
        """Promise that the guest's things become the user's; False when there is no such guest, or
        they were another user's before. Raises StoreError."""
        while True:
            document = await self.documents.get(path_of(guest_id))
            if document is None or document.fields.get("kind") != PersonKind.GUEST.value:
                return False
            moved = document.fields.get("movedTo")
            if moved is not None:
                return moved == user_id
            promised = {**document.fields, "movedTo": user_id, "isMoving": True}
            try:
                await self.documents.commit(Put(document.path, promised, document.version))
            except ConflictError:
                continue
            self._kept.pop(guest_id, None)
            return True

    async def end_move(self, guest_id: str) -> None:
        """The promise is kept. Raises StoreError."""
        document = await self.documents.get(path_of(guest_id))
        if document is not None:
            ended = {**document.fields, "isMoving": False}
            await self.documents.commit(Put(document.path, ended, document.version))

    async def open_moves(self) -> AsyncIterator[tuple[str, str]]:
        """Guests whose things are still on their way, and to whom. Raises StoreError."""
        query = Query(
            COLLECTION, None, {"isMoving": True}, order="lastSeen", descending=False, limit=_PAGE
        )
        for document in (await self.documents.query(query)).documents:
            yield document.id, str(document.fields["movedTo"])

    async def guests_of(self, user_id: str) -> tuple[str, ...]:
        """Guests whose things became this user's, those who were here last first."""
        query = Query(COLLECTION, None, {"movedTo": user_id}, order="lastSeen", limit=_PAGE - 1)
        return tuple(each.id for each in (await self.documents.query(query)).documents)

    async def _write(self, person_id: str, fields: Fields) -> None:
        """Whoever writes at the same time says the same."""
        document = await self.documents.get(path_of(person_id))
        before: Fields = document.fields if document else {"firstSeen": self.clock()}
        written = Put(
            path_of(person_id),
            {**before, **fields, "lastSeen": self.clock()},
            document.version if document else Expected.ABSENT,
        )
        self._kept.pop(person_id, None)
        try:
            await self.documents.commit(written)
        except ConflictError:
            return

    async def _read_again(self, person_id: str) -> Record:
        document = await self.documents.get(path_of(person_id))
        if document is None:  # deleted in this moment: like somebody new
            return Record(PersonKind.GUEST, self.clock(), Claims())
        return self._keep(person_id, read_record(document))

    def _is_stale(self, record: Record) -> bool:
        return self.clock() - record.last_seen >= _SIGHT

    def _keep(self, person_id: str, record: Record) -> Record:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[person_id] = _Kept(record, self.clock() + _KEPT_FOR)
        return record


def path_of(person_id: str) -> str:
    """Of a person's document."""
    return f"{COLLECTION}/{person_id}"


def read_record(document: Document) -> Record:
    """What a document says."""
    fields = document.fields
    last_seen, email, groups = fields["lastSeen"], fields.get("email"), fields.get("groups")
    assert isinstance(last_seen, datetime)
    moved_to = fields.get("movedTo")
    return Record(
        kind=PersonKind(str(fields["kind"])),
        last_seen=last_seen,
        claims=Claims(
            email=email if isinstance(email, str) else None,
            groups=frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
        ),
        moved_to=moved_to if isinstance(moved_to, str) else None,
    )
