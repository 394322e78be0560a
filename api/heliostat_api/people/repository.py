"""The repository of persons: each has one document, `people/ID`.

Its fields: `kind`, `firstSeen`, `lastSeen` (to a day; of guests the last page, of users the last
request), what a provider vouched for at the last sign-in (`issuer`, `email`, `groups`), of a guest
who signed in `movedTo`, `isMoving` and `movingSince`, of one who stayed away `expiredTime` and
`isStopping`, of somebody whose sessions were ended before their time `endedSessions` (and
`sessionsFrom`, when all of before are over), and of one whose things are being erased `isErasing`
and `erasingSince`.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cachetools import TTLCache

from heliostat_api.base.person import LOCAL, PersonKind
from heliostat_api.base.roles import Claims
from heliostat_api.documents.paging import every
from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Documents,
    Expected,
    Fields,
    Put,
    Query,
    update,
)
from heliostat_api.people.identities import Identity, is_guest_id
from heliostat_api.people.sessions import LIFETIME, Session

COLLECTION: Final = "people"
REST: Final = timedelta(minutes=1)
"""Longer than replicas believe what they read of a person, and than a request takes."""
_KEPT_FOR = timedelta(seconds=10)
_MOST_KEPT = 10_000
_MOST_ENDED = 100
_IS_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_OF_ABSENCE = ("expiredTime", "isStopping")
_SIGHT = timedelta(days=1)
_SECOND = timedelta(seconds=1)  # a session says when it was issued to a second
_PAGE = 100


@dataclass(frozen=True)
class Record:
    """What is stored of a person."""

    kind: PersonKind
    last_seen: datetime
    claims: Claims
    moved_to: str | None = None
    is_erasing: bool = False
    """All that they have goes, and they are nobody meanwhile."""
    first_seen: datetime | None = None
    sessions_from: datetime | None = None
    """Sessions of before are over."""
    ended: frozenset[str] = frozenset()
    """Ids of sessions that are over."""

    @property
    def is_gone(self) -> bool:
        """Nobody is let in as this person."""
        return self.moved_to is not None or self.is_erasing

    def knows(self, session: Session) -> bool:
        """Whether a session is still theirs: not one that ended, and of a user none of before they
        were first seen, which is of the same person before they were erased."""
        first_seen = self.first_seen if self.kind is PersonKind.USER else None
        begins = [each for each in (first_seen, self.sessions_from) if each is not None]
        is_young = all(session.issued + _SECOND > each for each in begins)
        return is_young and session.id not in self.ended


@dataclass(frozen=True)
class Move:
    """What a guest has is on its way to the user who they are, since then."""

    guest_id: str
    user_id: str
    since: datetime


@dataclass(frozen=True)
class Erasure:
    """Somebody wants all that they have gone, since then."""

    person_id: str
    since: datetime


class PersonRepository:
    """Reads and writes persons. Reads are kept for ten seconds: a person's page asks often."""

    def __init__(self, documents: Documents, clock: Callable[[], datetime]) -> None:
        self.documents = documents
        self.clock = clock
        self._kept: TTLCache[str, Record, datetime] = TTLCache(_MOST_KEPT, _KEPT_FOR, clock)

    async def find(self, person_id: str) -> Record | None:
        """Raises StoreError."""
        if kept := self._kept.get(person_id):
            return kept
        document = await self.documents.get(path_of(person_id))
        return self._keep(person_id, read_record(document)) if document else None

    async def see_guest(self, guest_id: str) -> Record:
        """A guest asks for something; at the first time they get a document. Raises StoreError."""
        found = await self.find(guest_id)
        if found is not None:
            return found
        with suppress(ConflictError):  # whoever was quicker says the same
            await self._write(guest_id, {"kind": PersonKind.GUEST.value})
        return await self._read_again(guest_id)

    async def see_user(self, identity: Identity) -> Record:
        """A provider vouches for somebody: that is stored, whoever writes at the same time, for it
        may take rights away. Raises StoreError."""
        vouched: Fields = {
            "kind": PersonKind.USER.value,
            "issuer": identity.issuer,
            "email": identity.claims.email,
            "groups": sorted(identity.claims.groups),
        }
        while True:
            found = await self.find(identity.person_id)
            if found and not self._is_stale(found) and found.claims == identity.claims:
                return found
            try:
                await self._write(identity.person_id, vouched)
            except ConflictError:
                continue
            return await self._read_again(identity.person_id)

    async def touch(self, person_id: str, record: Record) -> None:
        """Somebody who is known is here: written once a day. Raises StoreError."""
        if self._is_stale(record) and not record.is_gone:
            with suppress(ConflictError):  # who was quicker was here, too
                await self._write(person_id, {})

    async def begin_move(self, guest_id: str, user_id: str) -> bool:
        """Promise that the guest's things become the user's; False when there is no such guest, or
        they were another user's before. Raises StoreError."""

        def promised(document: Document | None) -> Fields | None:
            if document is None or document.fields.get("kind") != PersonKind.GUEST.value:
                return None
            if document.fields.get("movedTo") is not None:
                return None
            promise: Fields = {"movedTo": user_id, "isMoving": True, "movingSince": self.clock()}
            return {**document.fields, **promise}

        fields = await update(self.documents, path_of(guest_id), promised)
        self.reread(guest_id)
        return fields is not None and fields.get("movedTo") == user_id

    async def end_move(self, guest_id: str) -> None:
        """The promise is kept. Raises StoreError."""
        document = await self.documents.get(path_of(guest_id))
        if document is not None:
            ended = {**document.fields, "isMoving": False}
            await self.documents.commit(Put(document.path, ended, document.version))

    async def open_moves(self) -> AsyncIterator[Move]:
        """What was promised and is not done. Raises StoreError."""
        query = Query(
            COLLECTION, None, {"isMoving": True}, order="lastSeen", descending=False, limit=_PAGE
        )
        for document in (await self.documents.query(query)).documents:
            since = document.fields.get("movingSince", document.fields["lastSeen"])
            assert isinstance(since, datetime)
            yield Move(document.id, str(document.fields["movedTo"]), since)

    async def guests_of(self, user_id: str) -> tuple[str, ...]:
        """Guests whose things became this user's. Raises StoreError."""
        query = Query(
            COLLECTION, None, {"movedTo": user_id}, order="lastSeen", descending=False, limit=_PAGE
        )
        return tuple([each.id async for each in every(self.documents, query)])

    async def end_session(self, session: Session, *, everywhere: bool = False) -> None:
        """The session is over, or every one of that person. Raises StoreError."""

        def ended(document: Document | None) -> Fields | None:
            if document is None and session.person_id != LOCAL.id:
                return None  # nobody was ever let in by it
            now = self.clock()
            before: Fields = document.fields if document else _new_local(now)
            return {**before, **_ending(before, session, now, everywhere=everywhere)}

        await update(self.documents, path_of(session.person_id), ended)
        self.reread(session.person_id)

    def reread(self, person_id: str) -> None:
        """What was read of somebody is believed no longer."""
        self._kept.pop(person_id, None)

    async def begin_erasing(self, person_id: str, known: Document | None = None) -> None:
        """Promise that all of theirs goes. Raises StoreError.

        `known`: only while their document is this one; ConflictError when it is not.
        """
        while True:
            document = known or await self.documents.get(path_of(person_id))
            now = self.clock()
            before: Fields = document.fields if document else {"firstSeen": now, "lastSeen": now}
            if before.get("isErasing") is True:
                return
            promised = {"kind": _kind_of(person_id), **before, "isErasing": True}
            expected = document.version if document else Expected.ABSENT
            put = Put(path_of(person_id), {**promised, "erasingSince": now}, expected)
            try:
                await self.documents.commit(put)
            except ConflictError:
                if known is not None:
                    raise
                continue
            self._kept.pop(person_id, None)
            return

    async def open_erasures(self) -> AsyncIterator[Erasure]:
        """What was promised and is not done. Raises StoreError."""
        query = Query(
            COLLECTION, None, {"isErasing": True}, order="lastSeen", descending=False, limit=_PAGE
        )
        for document in (await self.documents.query(query)).documents:
            since = document.fields["erasingSince"]
            assert isinstance(since, datetime)
            yield Erasure(document.id, since)

    async def guests_seen_before(self, before: datetime) -> AsyncIterator[Document]:
        """Whose last visit was then or earlier, the longest away first. Raises StoreError."""
        query = Query(
            COLLECTION,
            None,
            {"kind": PersonKind.GUEST.value},
            order="lastSeen",
            descending=False,
            limit=_PAGE,
        )
        async for document in every(self.documents, query):
            if read_record(document).last_seen > before:
                return
            yield document

    async def change(self, known: Document, fields: Fields) -> None:
        """Adds to somebody's document. Raises ConflictError when they were here meanwhile."""
        await self.documents.commit(Put(known.path, {**known.fields, **fields}, known.version))
        self._kept.pop(known.id, None)

    async def is_erasing(self, person_id: str) -> bool:
        """Whether nothing of theirs may be made any more. Raises StoreError.

        Also asked of whatever a resource names as its owner, which may be nobody's id.
        """
        record = await self.find(person_id) if _IS_ID.fullmatch(person_id) else None
        return record is not None and record.is_erasing

    async def forget(self, person_id: str) -> None:
        """There never was such a person. Raises StoreError."""
        await self.documents.commit(Delete(path_of(person_id)))
        self._kept.pop(person_id, None)

    async def forget_guests_of(self, user_id: str) -> None:
        """Nor the guests that they were. Raises StoreError."""
        query = Query(
            COLLECTION, None, {"movedTo": user_id}, order="lastSeen", descending=False, limit=_PAGE
        )
        while page := (await self.documents.query(query)).documents:
            for document in page:
                await self.forget(document.id)

    async def _write(self, person_id: str, fields: Fields) -> None:
        """Raises ConflictError when somebody else wrote meanwhile."""
        document = await self.documents.get(path_of(person_id))
        before: Fields = document.fields if document else {"firstSeen": self.clock()}
        kept = {name: each for name, each in before.items() if name not in _OF_ABSENCE}
        written = Put(
            path_of(person_id),
            {**kept, **fields, "lastSeen": self.clock()},
            document.version if document else Expected.ABSENT,
        )
        self._kept.pop(person_id, None)
        await self.documents.commit(written)

    async def _read_again(self, person_id: str) -> Record:
        document = await self.documents.get(path_of(person_id))
        if document is None:  # deleted in this moment: like somebody new
            return Record(PersonKind.GUEST, self.clock(), Claims())
        return self._keep(person_id, read_record(document))

    def _is_stale(self, record: Record) -> bool:
        return self.clock() - record.last_seen >= _SIGHT

    def _keep(self, person_id: str, record: Record) -> Record:
        self._kept[person_id] = record
        return record


def path_of(person_id: str) -> str:
    """Of a person's document."""
    return f"{COLLECTION}/{person_id}"


def _ending(fields: Fields, session: Session, now: datetime, *, everywhere: bool) -> Fields:
    """Fields after the end of a session. One that would have ended by itself needs no mark; when
    there are too many marks, every session ends."""
    found = fields.get("endedSessions")
    marks = found if isinstance(found, Mapping) else {}
    lasting = {
        id_: at for id_, at in marks.items() if isinstance(at, datetime) and now - at < LIFETIME
    }
    if everywhere or len(lasting) >= _MOST_ENDED or not session.id:
        # A cookie of an early release has no id, and no field of a document is without a name.
        return {"endedSessions": {session.id: now} if session.id else {}, "sessionsFrom": now}
    return {"endedSessions": {**lasting, session.id: now}}


def _new_local(now: datetime) -> Fields:
    """Of this machine's one person, who needs no document before."""
    return {"kind": PersonKind.LOCAL.value, "lastSeen": now}


def _kind_of(person_id: str) -> str:
    """Of somebody without a document: who is not a guest and was never seen is this machine's."""
    return (PersonKind.GUEST if is_guest_id(person_id) else PersonKind.LOCAL).value


def read_record(document: Document) -> Record:
    """What a document says."""
    fields = document.fields
    last_seen, email, groups = fields["lastSeen"], fields.get("email"), fields.get("groups")
    assert isinstance(last_seen, datetime)
    ended, sessions_from = fields.get("endedSessions"), fields.get("sessionsFrom")
    moved_to, first_seen = fields.get("movedTo"), fields.get("firstSeen")
    return Record(
        kind=PersonKind(str(fields["kind"])),
        last_seen=last_seen,
        claims=Claims(
            email=email if isinstance(email, str) else None,
            groups=frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
        ),
        moved_to=moved_to if isinstance(moved_to, str) else None,
        is_erasing=fields.get("isErasing") is True,
        first_seen=first_seen if isinstance(first_seen, datetime) else None,
        sessions_from=sessions_from if isinstance(sessions_from, datetime) else None,
        ended=frozenset(ended) if isinstance(ended, Mapping) else frozenset(),
    )
