"""What tests of document stores share."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

from heliostat_api.documents import queries
from heliostat_api.documents.firestore.store import FirestoreDocuments, open_firestore
from heliostat_api.documents.port import Document, Documents, Query
from support.firestore_emulator import FirestoreEmulator

SHAPES = queries.SHAPES | {
    *queries.shapes_of("things", "userId", "flag", order="rank", descending=False),
    *queries.shapes_of("things", "userId", "flag", order="rank", descending=True),
}
"""The product's, and those of a collection for tests."""


def open_emulated(emulator: FirestoreEmulator) -> FirestoreDocuments:
    """An empty store: a project that nobody has used."""
    return open_firestore(f"test-{secrets.token_hex(8)}", emulator=emulator.address, shapes=SHAPES)


async def all_pages(documents: Documents, query: Query) -> AsyncIterator[Document]:
    """Every document of a query, page by page."""
    after = query.after
    while True:
        page = await documents.query(replace(query, after=after))
        for document in page.documents:
            yield document
        if page.next is None:
            return
        after = page.next
