"""Who set which field: server-side apply for one object, as the API server keeps it.

A field path is a tuple of FieldsV1 elements: `f:name`, `k:{"name":"x"}` for an item of a keyed
list, `v:"x"` for a member of a set. Only leaves are kept: scalars, atomic lists, empty containers.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from heliostat_cli.embedded.documents import Document, DocumentValue
from heliostat_core.reading import part, parts, text
from heliostat_core.worlds import JsonObject

Path = tuple[str, ...]
Listing = tuple[str, ...] | Literal["set", "atomic"]
"""How a list is merged: by these keys of its items, as a set, or only as a whole."""

ListingOf = Callable[[tuple[str, ...]], Listing]
"""The listing of a list, by the names of the fields on the way to it."""


@dataclass(frozen=True)
class Ownership:
    """One entry of metadata.managedFields."""

    manager: str
    operation: Literal["Apply", "Update"]
    subresource: str
    time: str
    paths: frozenset[Path]

    def is_of(self, other: "Ownership") -> bool:
        """Whether both are the same manager's entry."""
        mine = (self.manager, self.operation, self.subresource)
        return mine == (other.manager, other.operation, other.subresource)


def leaves(
    value: DocumentValue, listing_of: ListingOf, names: tuple[str, ...] = ()
) -> Iterator[tuple[Path, DocumentValue]]:
    """All leaves of a value with their paths."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            for rest, leaf in leaves(each, listing_of, (*names, key)):
                yield (f"f:{key}", *rest), leaf
    elif isinstance(value, list) and value and (listing := listing_of(names)) != "atomic":
        for each in value:
            element = _element(each, listing)
            if listing == "set":
                yield (element,), each
                continue
            for rest, leaf in leaves(each, listing_of, names):
                yield (element, *rest), leaf
    else:
        yield (), value


def merge(
    live: DocumentValue, applied: DocumentValue, listing_of: ListingOf, names: tuple[str, ...] = ()
) -> DocumentValue:
    """`live` with the fields of `applied` set; neither is changed."""
    if isinstance(live, dict) and isinstance(applied, dict):
        merged = dict(live)
        for key, each in applied.items():
            merged[key] = merge(live.get(key), each, listing_of, (*names, key))
        return merged
    if isinstance(live, list) and isinstance(applied, list):
        listing = listing_of(names)
        if listing != "atomic":
            return _merge_lists(live, applied, listing, listing_of, names)
    return applied


def _merge_lists(
    live: list[DocumentValue],
    applied: list[DocumentValue],
    listing: Listing,
    listing_of: ListingOf,
    names: tuple[str, ...],
) -> list[DocumentValue]:
    merged = {_element(each, listing): each for each in live}
    for each in applied:
        element = _element(each, listing)
        merged[element] = merge(merged.get(element), each, listing_of, names)
    return list(merged.values())


def without(
    value: DocumentValue,
    paths: Iterable[Path],
    listing_of: ListingOf,
    names: tuple[str, ...] = (),
) -> DocumentValue:
    """The value without the leaves at `paths`; containers that this empties go, too.

    Returns None when nothing is left.
    """
    by_head: dict[str, set[Path]] = {}
    for path in paths:
        if not path:
            return None
        by_head.setdefault(path[0], set()).add(path[1:])
    if isinstance(value, dict):
        kept: Document = {}
        for key, each in value.items():
            rest = by_head.get(f"f:{key}")
            left = without(each, rest, listing_of, (*names, key)) if rest else each
            if left is not None or not rest:
                kept[key] = left
        return kept or None
    if isinstance(value, list):
        listing = listing_of(names)
        left_items: list[DocumentValue] = []
        for each in value:
            rest = by_head.get(_element(each, listing))
            left = without(each, rest, listing_of, names) if rest else each
            if left is not None:
                left_items.append(left)
        return left_items or None
    return value


def _element(item: DocumentValue, listing: Listing) -> str:
    if isinstance(listing, tuple) and isinstance(item, dict):
        keys = {key: item.get(key) for key in listing}
        return f"k:{json.dumps(keys, sort_keys=True, separators=(',', ':'))}"
    return f"v:{json.dumps(item, sort_keys=True, separators=(',', ':'))}"


def read_ownerships(obj: JsonObject) -> list[Ownership]:
    """The entries of an object's metadata.managedFields."""
    return [
        Ownership(
            manager=text(entry, "manager"),
            operation="Apply" if text(entry, "operation") == "Apply" else "Update",
            subresource=text(entry, "subresource"),
            time=text(entry, "time"),
            paths=frozenset(_read_paths(part(entry, "fieldsV1"))),
        )
        for entry in parts(obj, "metadata", "managedFields")
    ]


def write_ownerships(ownerships: Iterable[Ownership], api_version: str) -> list[DocumentValue]:
    """The other way round; entries without a field are left out."""
    entries: list[DocumentValue] = []
    for each in ownerships:
        if not each.paths:
            continue
        entry: Document = {
            "manager": each.manager,
            "operation": each.operation,
            "apiVersion": api_version,
            "time": each.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _write_paths(each.paths),
        }
        if each.subresource:
            entry["subresource"] = each.subresource
        entries.append(entry)
    return entries


def claim(ownerships: Iterable[Ownership], new: Ownership, changed: set[Path]) -> list[Ownership]:
    """The entries after `new` was applied: what it changed is no longer another manager's."""
    others = [
        replace(each, paths=each.paths - changed) for each in ownerships if not each.is_of(new)
    ]
    return [*others, new]


def _read_paths(fields: JsonObject) -> Iterator[Path]:
    for element, nested in fields.items():
        if isinstance(nested, dict) and nested:
            yield from ((element, *rest) for rest in _read_paths(nested))
        else:
            yield (element,)


def _write_paths(paths: Iterable[Path]) -> Document:
    root: Document = {}
    for path in sorted(paths):
        node = root
        for element in path:
            found = node.setdefault(element, {})
            if not isinstance(found, dict):
                raise TypeError("a node of FieldsV1 is an object")
            node = found
    return root
