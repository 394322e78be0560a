"""All that a query finds, page after page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from heliostat_api.documents.port import Document, Documents, Page, Query
from heliostat_api.documents.queries import Place, rank_of, read_cursor, write_cursor


async def every(documents: Documents, query: Query) -> AsyncIterator[Document]:
    """From the query's cursor on; its limit is how many one request brings. Raises StoreError."""
    while True:
        page = await documents.query(query)
        for document in page.documents:
            yield document
        if page.next is None:
            return
        query = replace(query, after=page.next)


async def query_merged(documents: Documents, queries: Sequence[Query]) -> Page:
    """One page of what any of the queries finds: they differ in whose documents they ask for.

    Limit, order and cursor are those of the first, and each is asked for one page at most. The
    cursor is the first one's, too, so what the others are may change between two pages. Raises
    CursorError.
    """
    first, *others = queries
    if not others:
        return await documents.query(first)
    place = read_cursor(first)
    asked = [first, *(_continued(each, first, place) for each in others)]
    pages = await asyncio.gather(*map(documents.query, asked))
    found = {each.path: each for page in pages for each in page.documents}
    ordered = sorted(
        found.values(), key=lambda each: _key(each, first.order), reverse=first.descending
    )
    shown = tuple(ordered[: first.limit])
    is_end = len(shown) == len(ordered) and not any(page.next for page in pages)
    return Page(shown, None if is_end else write_cursor(first, _place(shown[-1], first.order)))


def _continued(query: Query, first: Query, place: Place | None) -> Query:
    after = None if place is None else write_cursor(query, place)
    return replace(query, limit=first.limit, after=after)


def _place(document: Document, order: str) -> Place:
    return Place(document.fields[order], document.id)


def _key(document: Document, order: str) -> tuple[int, str | int | float, str]:
    """Orders documents as both stores do."""
    return *rank_of(document.fields[order]), document.id
