"""What a commit may hold, the same in both stores, and how large a document is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from heliostat_api.documents.port import (
    Delete,
    Expected,
    Put,
    StoreError,
    TooLargeError,
    Value,
    check_document,
)
from heliostat_api.documents.values import normalised

MOST_WRITES: Final = 500
MOST_DOCUMENT_BYTES: Final = 2**20
MOST_VALUE_BYTES: Final = 2**20 - 89
"""Of one field, which Firestore counts apart."""
MOST_COMMIT_BYTES: Final = 3 * 2**20
"""Firestore takes 10 MiB a request, but its emulator 4, with all that wraps the documents."""


def checked(writes: Sequence[Put | Delete]) -> list[Put | Delete]:
    """The same writes with normalised fields. Raises TooLargeError and other StoreErrors."""
    if len(writes) > MOST_WRITES:
        raise StoreError(f"{len(writes)} writes in one commit: at most {MOST_WRITES}")
    if len({write.path for write in writes}) < len(writes):
        raise StoreError("one commit can't write the same document twice")
    normal = [_checked(write) for write in writes]
    size = sum(size_of(each.path, each.fields) for each in normal if isinstance(each, Put))
    if size > MOST_COMMIT_BYTES:
        raise TooLargeError(f"a commit of {size} bytes: at most {MOST_COMMIT_BYTES}")
    return normal


def size_of(path: str, fields: Mapping[str, Value]) -> int:
    """Bytes of a document as Firestore counts them."""
    name = sum(len(segment.encode()) + 1 for segment in path.split("/")) + 16
    return name + _size_of_map(fields)


def is_expected(expected: Expected | str, version: str | None) -> bool:
    """Whether a document of that version, None without one, is what a write expects."""
    match expected:
        case Expected.ANY:
            return True
        case Expected.ABSENT:
            return version is None
        case Expected.PRESENT:
            return version is not None
    return version == expected


def _checked(write: Put | Delete) -> Put | Delete:
    check_document(write.path)
    if isinstance(write, Delete):
        return write
    fields = normalised(write.fields)
    _refuse_large(write.path, fields)
    return replace(write, fields=fields)


def _refuse_large(path: str, fields: Mapping[str, Value]) -> None:
    if (size := size_of(path, fields)) > MOST_DOCUMENT_BYTES:
        raise TooLargeError(f"{path} has {size} bytes: at most {MOST_DOCUMENT_BYTES}")
    for name, value in fields.items():
        if (size := _size(value)) > MOST_VALUE_BYTES:
            raise TooLargeError(
                f"{path}: {name!r} has {size} bytes: a field has {MOST_VALUE_BYTES}"
            )


def _size_of_map(fields: Mapping[str, Value]) -> int:
    return 32 + sum(len(name.encode()) + 1 + _size(value) for name, value in fields.items())


def _size(value: Value) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int | float | datetime):
        return 8
    if isinstance(value, str):
        return len(value.encode()) + 1
    if isinstance(value, Mapping):
        return _size_of_map(value)
    return sum(map(_size, value))
