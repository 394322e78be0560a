"""What tests of document stores share."""

from collections.abc import AsyncIterator
from dataclasses import replace

from heliostat_api.documents import queries
from heliostat_api.documents.port import Document, Documents, Query

SHAPES = queries.SHAPES | {
    *queries.shapes_of("things", "userId", "flag", order="rank", descending=False),
    *queries.shapes_of("things", "userId", "flag", order="rank", descending=True),
}
"""The product's, and those of a collection for tests."""


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
