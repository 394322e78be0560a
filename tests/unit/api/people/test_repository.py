"""What is stored of a person, and what follows from it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.base.person import PersonKind
from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import ConflictError, Document, Fields, Put
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.people.identities import Identity
from heliostat_api.people.repository import Erasure, Move, PersonRepository, Record, read_record
from heliostat_api.people.sessions import Session

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
ANN = Identity("https://id.test", "ann", Claims("ann@a.test", frozenset({"b", "a"})))
GUEST = "guest-1"


@dataclass
class Clock:
    """Stands until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Kept:
    """A repository over a store of its own."""

    documents: SqliteDocuments
    clock: Clock = field(default_factory=Clock)
    people: PersonRepository = field(init=False)

    def __post_init__(self) -> None:
        self.people = PersonRepository(self.documents, self.clock)

    def go_on(self, span: timedelta) -> None:
        self.clock.now += span

    async def fields(self, person_id: str) -> Fields:
        found = await self.documents.get(f"people/{person_id}")
        assert found is not None
        return found.fields

    async def document(self, person_id: str) -> Document:
        found = await self.documents.get(f"people/{person_id}")
        assert found is not None
        return found


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    yield Kept(documents)
    await documents.close()


async def test_a_guest_gets_a_document_by_the_first_request(kept: Kept) -> None:
    assert await kept.people.find(GUEST) is None
    record = await kept.people.see_guest(GUEST)
    assert record == Record(PersonKind.GUEST, START, Claims(), first_seen=START)
    assert await kept.fields(GUEST) == {"kind": "guest", "firstSeen": START, "lastSeen": START}
    kept.go_on(MINUTE)
    assert await kept.people.see_guest(GUEST) == record


async def test_what_a_provider_vouches_for_is_stored(kept: Kept) -> None:
    record = await kept.people.see_user(ANN)
    assert (record.kind, record.claims) == (PersonKind.USER, ANN.claims)
    assert await kept.fields(ANN.person_id) == {
        "kind": "user",
        "issuer": "https://id.test",
        "email": "ann@a.test",
        "groups": ["a", "b"],
        "firstSeen": START,
        "lastSeen": START,
    }


async def test_a_user_is_written_once_a_day_or_when_the_claims_change(kept: Kept) -> None:
    await kept.people.see_user(ANN)
    version = (await kept.document(ANN.person_id)).version
    kept.go_on(DAY - SECOND)
    await kept.people.see_user(ANN)
    assert (await kept.document(ANN.person_id)).version == version
    kept.go_on(SECOND)
    await kept.people.see_user(ANN)
    assert (await kept.fields(ANN.person_id))["lastSeen"] == START + DAY
    less = Identity(ANN.issuer, ANN.subject, Claims())
    assert (await kept.people.see_user(less)).claims == Claims()
    assert (await kept.fields(ANN.person_id))["groups"] == []


async def test_a_visit_is_written_once_a_day_and_takes_the_marks_of_absence_away(
    kept: Kept,
) -> None:
    record = await kept.people.see_guest(GUEST)
    known = await kept.document(GUEST)
    await kept.people.change(known, {"expiredTime": START, "isStopping": True, "other": 1})
    kept.go_on(DAY - SECOND)
    await kept.people.touch(GUEST, record)
    assert (await kept.fields(GUEST))["isStopping"] is True
    kept.go_on(SECOND)
    await kept.people.touch(GUEST, record)
    assert await kept.fields(GUEST) == {
        "kind": "guest",
        "firstSeen": START,
        "lastSeen": START + DAY,
        "other": 1,
    }


async def test_somebody_who_is_gone_is_not_seen_again(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    await kept.people.begin_erasing(GUEST)
    record = await kept.people.find(GUEST)
    assert record is not None
    kept.go_on(2 * DAY)
    await kept.people.touch(GUEST, record)
    assert (await kept.fields(GUEST))["lastSeen"] == START


async def test_what_was_read_is_believed_for_ten_seconds(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    await kept.documents.commit(
        Put(f"people/{GUEST}", {"kind": "guest", "lastSeen": START, "isErasing": True})
    )
    kept.go_on(9 * SECOND)
    assert not await kept.people.is_erasing(GUEST)
    kept.go_on(SECOND)
    assert await kept.people.is_erasing(GUEST)
    await kept.documents.commit(Put(f"people/{GUEST}", {"kind": "guest", "lastSeen": START}))
    assert await kept.people.is_erasing(GUEST)
    kept.people.reread(GUEST)
    assert not await kept.people.is_erasing(GUEST)


async def test_a_guest_becomes_one_user_and_no_other(kept: Kept) -> None:
    assert not await kept.people.begin_move(GUEST, "user-1")
    await kept.people.see_guest(GUEST)
    assert await kept.people.begin_move(GUEST, "user-1")
    assert await kept.fields(GUEST) == {
        "kind": "guest",
        "firstSeen": START,
        "lastSeen": START,
        "movedTo": "user-1",
        "isMoving": True,
        "movingSince": START,
    }
    record = await kept.people.find(GUEST)
    assert record is not None
    assert (record.moved_to, record.is_gone) == ("user-1", True)
    assert not await kept.people.begin_move(GUEST, "user-2")
    assert (await kept.fields(GUEST))["movedTo"] == "user-1"


async def test_no_user_becomes_another(kept: Kept) -> None:
    await kept.people.see_user(ANN)
    assert not await kept.people.begin_move(ANN.person_id, "user-2")


async def test_a_move_is_open_until_it_is_done(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    kept.go_on(MINUTE)
    await kept.people.begin_move(GUEST, "user-1")
    opened = [each async for each in kept.people.open_moves()]
    assert opened == [Move(GUEST, "user-1", START + MINUTE)]
    await kept.people.end_move(GUEST)
    assert [each async for each in kept.people.open_moves()] == []
    assert await kept.people.guests_of("user-1") == (GUEST,)
    await kept.people.end_move("guest-nobody")
    assert await kept.people.find("guest-nobody") is None


async def test_a_move_of_the_release_before_began_when_its_guest_was_seen(kept: Kept) -> None:
    fields: Fields = {"kind": "guest", "lastSeen": START, "movedTo": "user-1", "isMoving": True}
    await kept.documents.commit(Put(f"people/{GUEST}", fields))
    assert [each.since async for each in kept.people.open_moves()] == [START]


async def test_guests_of_a_user_are_forgotten(kept: Kept) -> None:
    for guest, user in ((GUEST, "user-1"), ("guest-2", "user-1"), ("guest-3", "user-2")):
        await kept.people.see_guest(guest)
        await kept.people.begin_move(guest, user)
    await kept.people.forget_guests_of("user-1")
    assert await kept.people.guests_of("user-1") == ()
    assert await kept.people.guests_of("user-2") == ("guest-3",)
    await kept.people.forget("guest-3")
    assert await kept.people.find("guest-3") is None


async def test_erasing_is_promised_once(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    await kept.people.begin_erasing(GUEST)
    kept.go_on(MINUTE)
    await kept.people.begin_erasing(GUEST)
    assert await kept.people.is_erasing(GUEST)
    opened = [each async for each in kept.people.open_erasures()]
    assert opened == [Erasure(GUEST, START)]


@pytest.mark.parametrize(("person_id", "kind"), [("guest-9", "guest"), ("local", "local")])
async def test_who_was_never_seen_is_erased_too(kept: Kept, person_id: str, kind: str) -> None:
    await kept.people.begin_erasing(person_id)
    assert await kept.fields(person_id) == {
        "kind": kind,
        "firstSeen": START,
        "lastSeen": START,
        "isErasing": True,
        "erasingSince": START,
    }


async def test_an_erasure_for_one_state_does_not_hit_another(kept: Kept) -> None:
    record = await kept.people.see_guest(GUEST)
    known = await kept.document(GUEST)
    kept.go_on(DAY)
    await kept.people.touch(GUEST, record)
    with pytest.raises(ConflictError):
        await kept.people.begin_erasing(GUEST, known)
    with pytest.raises(ConflictError):
        await kept.people.change(known, {"isStopping": True})
    assert not await kept.people.is_erasing(GUEST)


@pytest.mark.parametrize("owner", ["", "a/b", "x" * 65, "team of ann"])
async def test_what_is_no_id_is_nobody(kept: Kept, owner: str) -> None:
    assert not await kept.people.is_erasing(owner)


async def test_guests_who_stayed_away_come_in_the_order_of_their_visits(kept: Kept) -> None:
    for guest in ("guest-1", "guest-2", "guest-3"):
        await kept.people.see_guest(guest)
        kept.go_on(MINUTE)
    await kept.people.see_user(ANN)
    found = kept.people.guests_seen_before(START + MINUTE)
    assert [each.id async for each in found] == ["guest-1", "guest-2"]


def session(number: int = 1, issued: datetime = START, person: str = GUEST) -> Session:
    return Session(person, issued, f"s-{number}")


async def knows(kept: Kept, asked: Session) -> bool:
    record = await kept.people.find(asked.person_id)
    assert record is not None
    return record.knows(asked)


async def test_one_session_ends_and_the_others_go_on(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    await kept.people.end_session(session(1))
    assert (await knows(kept, session(1)), await knows(kept, session(2))) == (False, True)


async def test_all_sessions_of_before_end_and_later_ones_begin(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    kept.go_on(MINUTE)
    await kept.people.end_session(session(1), everywhere=True)
    assert not await knows(kept, session(2))
    assert not await knows(kept, session(2, START + MINUTE - SECOND))
    assert await knows(kept, session(2, START + MINUTE))  # issued within that second
    assert not await knows(kept, session(1, START + 2 * MINUTE))


async def test_a_session_without_a_name_ends_all(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    kept.go_on(MINUTE)
    await kept.people.end_session(Session(GUEST, START, ""))
    assert not await knows(kept, session(2))


async def test_marks_of_sessions_that_would_have_ended_go(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    await kept.people.end_session(session(1))
    kept.go_on(30 * DAY - SECOND)
    await kept.people.end_session(session(2))
    assert set(_marks(await kept.fields(GUEST))) == {"s-1", "s-2"}
    kept.go_on(SECOND)
    await kept.people.end_session(session(3))
    assert set(_marks(await kept.fields(GUEST))) == {"s-2", "s-3"}


async def test_with_a_hundred_marks_every_session_ends(kept: Kept) -> None:
    await kept.people.see_guest(GUEST)
    for number in range(100):
        await kept.people.end_session(session(number))
    assert await knows(kept, session(200))
    kept.go_on(MINUTE)
    await kept.people.end_session(session(100))
    assert not await knows(kept, session(200))
    assert set(_marks(await kept.fields(GUEST))) == {"s-100"}


def _marks(fields: Fields) -> list[str]:
    found = fields["endedSessions"]
    assert isinstance(found, dict)
    return list(found)


async def test_a_session_of_nobody_leaves_no_document(kept: Kept) -> None:
    await kept.people.end_session(session(1))
    assert await kept.people.find(GUEST) is None


async def test_the_local_person_can_end_a_session_without_a_document(kept: Kept) -> None:
    await kept.people.end_session(session(1, person="local"))
    assert await kept.fields("local") == {
        "kind": "local",
        "lastSeen": START,
        "endedSessions": {"s-1": START},
    }


def test_a_user_who_was_erased_and_came_again_has_no_session_of_before() -> None:
    user = Record(PersonKind.USER, START, Claims(), first_seen=START)
    assert not user.knows(session(1, START - SECOND))
    assert user.knows(session(1, START))
    guest = Record(PersonKind.GUEST, START, Claims(), first_seen=START)
    assert guest.knows(session(1, START - DAY))


def test_a_document_with_other_types_says_nothing() -> None:
    fields: Fields = {
        "kind": "user",
        "lastSeen": START,
        "email": 7,
        "groups": "a",
        "movedTo": 7,
        "isErasing": "true",
        "firstSeen": "then",
        "sessionsFrom": "then",
        "endedSessions": "s-1",
    }
    found = read_record(Document("people/user-1", fields, "1"))
    assert found == Record(PersonKind.USER, START, Claims())
