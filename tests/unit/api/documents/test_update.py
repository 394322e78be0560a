"""One document is changed, whoever else writes it at the same time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.documents.port import (
    Delete,
    Document,
    Documents,
    Fields,
    Put,
    update,
)
from heliostat_api.documents.sqlite.store import open_sqlite
from support.wrapped_documents import WrappedDocuments

PATH = "people/ann"


class RacedDocuments(WrappedDocuments):
    """Somebody else writes just before the next commit. Counts the reads."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self.rivals: list[Put | Delete] = []
        self.reads = 0

    async def get(self, path: str) -> Document | None:
        self.reads += 1
        return await super().get(path)

    async def commit(self, *writes: Put | Delete) -> None:
        if self.rivals:
            await self.documents.commit(self.rivals.pop(0))
        await super().commit(*writes)


@pytest_asyncio.fixture
async def documents(tmp_path: Path) -> AsyncIterator[RacedDocuments]:
    raced = RacedDocuments(open_sqlite(tmp_path / "documents.db"))
    yield raced
    await raced.close()


def one_more(document: Document | None) -> Fields:
    fields: Fields = document.fields if document else {}
    count = fields.get("count")
    return {**fields, "count": (count if isinstance(count, int) else 0) + 1}


def one_more_if_there(document: Document | None) -> Fields | None:
    return one_more(document) if document else None


async def stored(documents: Documents) -> Fields | None:
    found = await documents.get(PATH)
    return found.fields if found else None


async def test_what_others_wrote_meanwhile_is_read_again_and_kept(
    documents: RacedDocuments,
) -> None:
    await documents.commit(Put(PATH, {"count": 1}))
    documents.rivals = [Put(PATH, {"count": 5, "by": "b"}), Put(PATH, {"count": 7, "by": "c"})]
    assert await update(documents, PATH, one_more) == {"count": 8, "by": "c"}
    assert await stored(documents) == {"count": 8, "by": "c"}


async def test_a_document_that_somebody_makes_or_deletes_meanwhile_is_read_again(
    documents: RacedDocuments,
) -> None:
    documents.rivals = [Put(PATH, {"count": 3})]
    assert await update(documents, PATH, one_more) == {"count": 4}
    documents.rivals = [Delete(PATH)]
    assert await update(documents, PATH, one_more_if_there) is None
    assert await stored(documents) is None


async def test_a_change_that_leaves_it_alone_writes_nothing(documents: RacedDocuments) -> None:
    assert await update(documents, PATH, one_more_if_there) is None
    await documents.commit(Put(PATH, {"count": 1}))
    before = await documents.get(PATH)
    assert await update(documents, PATH, lambda _: None) == {"count": 1}
    assert await documents.get(PATH) == before


async def test_a_document_that_is_known_is_read_only_if_it_changed(
    documents: RacedDocuments,
) -> None:
    await documents.commit(Put(PATH, {"count": 1}))
    known = await documents.get(PATH)
    documents.reads = 0
    assert await update(documents, PATH, one_more, known) == {"count": 2}
    assert documents.reads == 0
    assert await update(documents, PATH, one_more, known) == {"count": 3}
    assert documents.reads == 1


async def test_what_a_change_raises_is_raised(documents: RacedDocuments) -> None:
    def refused(_: Document | None) -> Fields:
        raise LookupError

    with pytest.raises(LookupError):
        await update(documents, PATH, refused)
    assert await stored(documents) is None
