"""All that a query finds, page after page."""

from collections.abc import AsyncIterator
from dataclasses import replace

from heliostat_api.documents.port import Document, Documents, Query


async def every(documents: Documents, query: Query) -> AsyncIterator[Document]:
    """From the query's cursor on; its limit is how many one request brings. Raises StoreError."""
    while True:
        page = await documents.query(query)
        for document in page.documents:
            yield document
        if page.next is None:
            return
        query = replace(query, after=page.next)
