"""The port of the document store: what Firestore and SQLite both do.

Paths alternate collection and id, as in Firestore: `executions/UID`, `executions/UID/chunks/ID`.
Collections and fields at the top are those of requirement P8.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeAlias

Value: TypeAlias = (
    "Mapping[str, Value] | Sequence[Value] | str | int | float | bool | datetime | None"
)
Fields: TypeAlias = Mapping[str, Value]

OWNER = "userId"
"""The field that says whose a document is."""
_MOST_NAME_BYTES = 1500
_RESERVED_NAME = re.compile(r"\.|\.\.|__.*__", re.DOTALL)


class StoreError(Exception):
    """The store did not do what was asked; the text is for people."""


class ConflictError(StoreError):
    """A document is not as the writer expected: nothing at all was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was changed by somebody else; read it again")
        self.path = path


class UnavailableError(StoreError):
    """The store can't be reached now; the same call may succeed later."""


class TooLargeError(StoreError):
    """A document of more than a mebibyte, which Firestore would refuse."""


class PathError(StoreError):
    """The path is neither that of a document nor that of a collection."""


@dataclass(frozen=True)
class Document:
    """What is stored under a path. `version` is opaque and another one after each write that
    changes a field, also when the document was deleted and made again."""

    path: str
    fields: Fields
    version: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]


class Expected(Enum):
    """What a write asks of the document that it meets."""

    ANY = "any"
    ABSENT = "absent"
    PRESENT = "present"


@dataclass(frozen=True)
class Put:
    """Write the whole document. `expect` may be the version that was read."""

    path: str
    fields: Fields
    expect: Expected | str = Expected.ANY


@dataclass(frozen=True)
class Delete:
    """Remove the document; what lies below it stays (see `delete_tree`)."""

    path: str
    expect: Expected | str = Expected.ANY


@dataclass(frozen=True)
class Query:
    """Documents of one collection in a stable order: by `order`, then by id in that direction.

    `owner` None asks for everybody's: only for recording, admins and cleaning up. `where` are
    equalities of top-level fields. A document without the field `order` is not found. Values are
    ordered by type first: null, booleans, numbers, instants, text (lists and maps: undefined).
    Each shape of query is declared in queries.py.
    """

    collection: str
    owner: str | None
    where: Mapping[str, str | int | bool] | None = None
    order: str = "createdAt"
    descending: bool = True
    limit: int = 50
    after: str | None = None
    """The cursor of the page before."""


class CursorError(StoreError):
    """A cursor that no page of this query gave."""


@dataclass(frozen=True)
class Page:
    """Some documents, and the cursor of what follows; None at the end."""

    documents: tuple[Document, ...]
    next: str | None = None


class Documents(Protocol):
    """Errors are StoreErrors."""

    async def get(self, path: str) -> Document | None:
        """The document, or None."""

    async def query(self, query: Query) -> Page:
        """One page. Raises CursorError."""

    async def count(self, query: Query) -> int:
        """How many documents the query finds on all of its pages; limit and cursor do not count."""

    async def commit(self, *writes: Put | Delete) -> None:
        """All or nothing: at most 500 writes of different documents and 3 MiB.

        Raises ConflictError, TooLargeError, and StoreErrors that name a field that can't be stored.
        """

    async def delete_tree(self, path: str) -> None:
        """A document and everything below it. May be called again after a crash."""

    async def close(self) -> None:
        """Give connections back."""


async def update(
    documents: Documents,
    path: str,
    change: Callable[[Document | None], Fields | None],
    known: Document | None = None,
) -> Fields | None:
    """Changes one document, whoever else writes it at the same time; returns its fields as they are
    then, None where there is none. Raises StoreError, and what `change` raises.

    `change` gets the document, or None without one, and returns all of its fields; None leaves it
    as it is. It is called again for what somebody else wrote meanwhile. `known` is the document as
    it was read before: the first time is then without a read.
    """
    document = known or await documents.get(path)
    while (fields := change(document)) is not None:
        expected = document.version if document else Expected.ABSENT
        try:
            await documents.commit(Put(path, fields, expected))
        except ConflictError:
            document = await documents.get(path)
            continue
        return fields
    return document.fields if document else None


def check_document(path: str) -> None:
    """Raises PathError unless it alternates collection and id and ends with an id."""
    _check(path, "a document", "COLLECTION/ID", remainder=0)


def check_collection(path: str) -> None:
    """Raises PathError unless it alternates collection and id and ends with a collection."""
    _check(path, "a collection", "COLLECTION or COLLECTION/ID/COLLECTION", remainder=1)


def collection_of(path: str) -> str:
    """The collection that a document is in."""
    return path.rpartition("/")[0]


def kind_of(collection: str) -> str:
    """The name that collections of one kind share: `chunks` of `executions/x/chunks`."""
    return collection.rpartition("/")[2]


def _check(path: str, what: str, form: str, remainder: int) -> None:
    segments = path.split("/")
    if len(segments) % 2 != remainder:
        raise PathError(f"{path!r} is not the path of {what}: write {form}")
    for segment in segments:
        if not segment or _RESERVED_NAME.fullmatch(segment) or _bytes(segment) > _MOST_NAME_BYTES:
            raise PathError(
                f"{segment!r} in {path!r}: a name has 1 to {_MOST_NAME_BYTES} bytes of UTF-8 and is"
                " neither '.' nor '..' nor of the form '__name__'"
            )


def _bytes(segment: str) -> int:
    try:
        return len(segment.encode())
    except UnicodeEncodeError:
        return _MOST_NAME_BYTES + 1
