"""Paths of documents and collections: what both stores accept."""

import re

from heliostat_api.documents.port import StoreError

_MOST_BYTES = 1500
_RESERVED = re.compile(r"\.|\.\.|__.*__", re.DOTALL)


class PathError(StoreError):
    """Not the path of a document or of a collection."""


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
        if not segment or _RESERVED.fullmatch(segment) or _bytes(segment) > _MOST_BYTES:
            raise PathError(
                f"{segment!r} in {path!r}: a name has 1 to {_MOST_BYTES} bytes of UTF-8 and is"
                " neither '.' nor '..' nor of the form '__name__'"
            )


def _bytes(segment: str) -> int:
    try:
        return len(segment.encode())
    except UnicodeEncodeError:
        return _MOST_BYTES + 1
