"""Cursors: the place behind a document, whatever is added or removed around it."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.documents.paths import check_document
from heliostat_api.documents.port import CursorError, Query, StoreError, Value
from heliostat_api.documents.queries import filters_of
from heliostat_api.documents.values import from_json, normalised, to_json


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
