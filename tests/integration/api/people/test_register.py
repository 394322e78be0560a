"""What the register knows of people, whoever writes at the same time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import Delete, Documents, Put
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.people.identities import Identity
from heliostat_api.people.repository import PersonRepository
from support.shared_api import Clock

ADMIN = Identity("https://id.test", "ann", Claims(groups=frozenset({"platform"})))
REVOKED = Identity("https://id.test", "ann", Claims())


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[SqliteDocuments]:
    store = open_sqlite(tmp_path / "documents.sqlite")
    yield store
    await store.close()


class Visited:
    """A store in which the person's day begins at another replica, just before a first write."""

    def __init__(self, documents: Documents, other: PersonRepository) -> None:
        self._documents, self._other = documents, other
        self._is_new = True
        self.get, self.query, self.count = documents.get, documents.query, documents.count
        self.delete_tree, self.close = documents.delete_tree, documents.close

    async def commit(self, *writes: Put | Delete) -> None:
        if self._is_new:
            self._is_new = False
            record = await self._other.find(ADMIN.person_id)
            assert record is not None
            await self._other.touch(ADMIN.person_id, record)
        await self._documents.commit(*writes)


async def test_what_a_sign_in_says_is_stored_whoever_writes_meanwhile(
    documents: SqliteDocuments,
) -> None:
    clock = Clock()
    await PersonRepository(documents, clock).see_user(ADMIN)
    clock.go_on(timedelta(days=1, minutes=1))
    signing_in = PersonRepository(Visited(documents, PersonRepository(documents, clock)), clock)
    assert (await signing_in.see_user(REVOKED)).claims == REVOKED.claims
    stored = await PersonRepository(documents, clock).find(ADMIN.person_id)
    assert stored is not None
    assert stored.claims == REVOKED.claims
