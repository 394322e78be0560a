"""Every shape of query that the product asks: each has an index in both stores.

Firestore refuses a query without an index (its emulator does not), SQLite would read the whole
collection. So both refuse a shape that is not here, in every test already. The cursor of a query is
the place behind a document, whatever is added or removed around it.
"""

import base64
import binascii
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.documents.port import (
    OWNER,
    CursorError,
    Query,
    StoreError,
    Value,
    check_collection,
    check_document,
    kind_of,
)
from heliostat_api.documents.values import from_json, normalised, to_json

_MOST = 1000


@dataclass(frozen=True, order=True)
class Shape:
    """A query without its values. `kind` is the last name of the collection's path."""

    kind: str
    filters: tuple[str, ...]
    """Fields that must be equal to something, in alphabetical order."""
    order: str
    descending: bool

    def __str__(self) -> str:
        direction = "descending" if self.descending else "ascending"
        return f"{self.kind} where {list(self.filters)} by {self.order} {direction}"


class QueryError(StoreError):
    """A query that no store answers; the text says what must be."""


def shapes_of(kind: str, *optional: str, order: str, descending: bool) -> Iterator[Shape]:
    """All combinations of filters that may be there or not."""
    for count in range(len(optional) + 1):
        for chosen in itertools.combinations(sorted(optional), count):
            yield Shape(kind, chosen, order, descending)


def newest_first(kind: str, *optional: str) -> Iterator[Shape]:
    """Lists for people: by `createdAt`, with filters that may be left out."""
    return shapes_of(kind, *optional, order="createdAt", descending=True)


SHAPES: frozenset[Shape] = frozenset(
    [
        *newest_first("executions", OWNER, "agentName", "phase"),
        *newest_first("executions", OWNER, "isFinished"),
        *newest_first("executions", OWNER, "agentId"),
        *newest_first("agents", OWNER, "shown"),
        Shape("agents", ("shown", "unowned"), "createdAt", descending=True),
        *(
            Shape("executions", (*chosen, "unowned"), "createdAt", descending=True)
            for chosen in (
                (),
                ("agentId",),
                ("agentName",),
                ("phase",),
                ("agentName", "phase"),
                ("isFinished",),
            )
        ),
        *(
            Shape("approvals", tuple(sorted((*chosen, seen))), "createdAt", descending=True)
            for chosen in ((), ("execution",), ("isOpen",))
            for seen in (OWNER, "approvers", "unowned")
        ),
        Shape("executions", (), "startTime", descending=False),
        Shape("agents", ("untold",), "createdAt", descending=True),
        Shape("agents", ("deleting",), "createdAt", descending=True),
        Shape("revisions", (), "number", descending=True),
        Shape("idempotency", (), "createdAt", descending=False),
        *(
            Shape(kind, (field,), "createdAt", descending=True)
            for kind in ("agents", "approvals", "executions")
            for field in ("live", "unreported")
        ),
        *newest_first("agents", OWNER, "name"),
        *newest_first("conversations", OWNER, "agentId"),
        Shape("secrets", (OWNER,), "createdAt", descending=True),
        Shape("conversations", ("state",), "createdAt", descending=True),
        Shape("conversations", ("untold",), "createdAt", descending=True),
        Shape("people", ("isMoving",), "lastSeen", descending=False),
        Shape("people", ("isErasing",), "lastSeen", descending=False),
        Shape("people", ("kind",), "lastSeen", descending=False),
        Shape("people", ("movedTo",), "lastSeen", descending=False),
        *newest_first("idempotency", OWNER),
        *newest_first("places", OWNER),
        *newest_first("triggered", OWNER),
        Shape("triggered", (), "createdAt", descending=False),
        *newest_first("triggers", OWNER, "agentId"),
        *newest_first("webhooks", OWNER),
        *newest_first("deliveries", OWNER),
        Shape("triggers", ("sealedWith",), "createdAt", descending=True),
        Shape("webhooks", ("sealedWith",), "createdAt", descending=True),
        Shape("deliveries", ("webhookId",), "createdAt", descending=True),
        Shape("deliveries", ("isOpen",), "nextTime", descending=False),
        Shape("deliveries", (), "createdAt", descending=False),
        Shape("messages", (), "timestamp", descending=False),
        Shape("messages", (), "timestamp", descending=True),
        Shape("files", (), "createdAt", descending=True),
        Shape("actions", (), "createdAt", descending=True),
        Shape("chunks", ("attempt",), "first", descending=False),
        Shape("chunks", ("attempt",), "first", descending=True),
    ]
)


def filters_of(query: Query) -> dict[str, str | int | bool]:
    """What must be equal, the owner included: nothing in `where` can widen it."""
    owner = {} if query.owner is None else {OWNER: query.owner}
    return {**(query.where or {}), **owner}


def shape_of(query: Query) -> Shape:
    return Shape(
        kind_of(query.collection), tuple(sorted(filters_of(query))), query.order, query.descending
    )


def check_query(query: Query, shapes: Iterable[Shape]) -> None:
    """Raises QueryError and PathError."""
    check_collection(query.collection)
    if not 1 <= query.limit <= _MOST:
        raise QueryError(f"limit {query.limit}: must be 1 to {_MOST}")
    if (shape := shape_of(query)) not in shapes:
        raise QueryError(f"no index for {shape}: declare it in documents/queries.py")


@dataclass(frozen=True)
class Place:
    """Where a page ended: the value of the field of the order, and the id."""

    value: Value
    id: str


def write_cursor(query: Query, place: Place) -> str:
    """The cursor of what follows `place` in this query."""
    text = json.dumps([_mark_of(query), to_json(place.value), place.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: Query) -> Place | None:
    """Where the query begins; None at its start. Raises CursorError."""
    if query.after is None:
        return None
    try:
        text = base64.urlsafe_b64decode(query.after + "=" * (-len(query.after) % 4))
        match json.loads(text):
            case [str(mark), str(value), str(id_)] if mark == _mark_of(query) and id_:
                return _checked(query, Place(from_json(value), id_))
    except (binascii.Error, ValueError, RecursionError, StoreError):
        pass
    raise CursorError("the cursor is not one of this list: leave it out to begin at the start")


def rank_of(value: Value) -> tuple[int, str | int | float]:
    """What values are ordered by: their types first, as Firestore does and SQLite's columns."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, int(value)
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 4, value
    kind = 3 if isinstance(value, datetime) else 6 if isinstance(value, Mapping) else 5
    return kind, to_json(value)


def _checked(query: Query, place: Place) -> Place:
    """Anybody may write a cursor. Raises StoreErrors for a place where no document can be."""
    check_document(f"{query.collection}/{place.id}")
    normalised({query.order: place.value})
    return place


def _mark_of(query: Query) -> str:
    asked = [query.collection, sorted(filters_of(query).items()), query.order, query.descending]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
