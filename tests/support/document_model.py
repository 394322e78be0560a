"""What a document store is, as simply as it can be said: the model that both stores must match."""

import itertools
from collections.abc import Mapping
from datetime import datetime

from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Put,
    Query,
    Value,
)
from heliostat_api.documents.writes import is_expected


class DocumentModel:
    """Documents in a dict; a query is answered whole."""

    def __init__(self) -> None:
        self._found: dict[str, Document] = {}
        self._versions = itertools.count()

    def get(self, path: str) -> Document | None:
        return self._found.get(path)

    def commit(self, *writes: Put | Delete) -> None:
        """All or nothing. Raises ConflictError."""
        for write in writes:
            self._check(write)
        for write in writes:
            before = self._found.get(write.path)
            if isinstance(write, Delete):
                self._found.pop(write.path, None)
            elif before is None or not _same(before.fields, write.fields):
                version = str(next(self._versions))
                self._found[write.path] = Document(write.path, write.fields, version)

    def query(self, query: Query) -> list[Document]:
        """Every page of it."""
        wanted = {**(query.where or {}), **({"userId": query.owner} if query.owner else {})}
        found = [
            each
            for path, each in self._found.items()
            if path.rpartition("/")[0] == query.collection
            and query.order in each.fields
            and all(name in each.fields for name in wanted)
            and all(_same(each.fields[name], value) for name, value in wanted.items())
        ]
        return sorted(
            found,
            key=lambda each: (_order(each.fields[query.order]), each.id.encode()),
            reverse=query.descending,
        )

    def _check(self, write: Put | Delete) -> None:
        before = self._found.get(write.path)
        if not is_expected(write.expect, before.version if before else None):
            raise ConflictError(write.path)


def _same(one: Value, other: Value) -> bool:
    """Equal, and no boolean taken for a number."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _order(value: Value) -> tuple[int, float, str]:
    """Types first, then values; instants to the microsecond, as text."""
    if value is None:
        return 0, 0, ""
    if isinstance(value, bool):
        return 1, value, ""
    if isinstance(value, int | float):
        return 2, value, ""
    if isinstance(value, datetime):
        return 3, 0, value.isoformat(timespec="microseconds")
    assert isinstance(value, str)
    return 4, 0, value  # code points are ordered as their UTF-8
