"""Structural schemas at work: which fields exist, which defaults they have, how lists merge."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from heliostat_cli.embedded.documents import Document, DocumentValue, copy_value
from heliostat_cli.embedded.ownership import Listing, Path, leaves
from heliostat_core.crds import RESOURCES, build_schema
from heliostat_core.reading import part, texts
from heliostat_core.worlds import JsonObject, JsonValue

_OWN_FIELDS = ("apiVersion", "kind", "metadata")  # of the API machinery, not of a kind's schema

_ASCII = "(?a)"
_VERY_END = r"\Z"

_METADATA = frozenset(
    {
        *("name", "generateName", "namespace", "labels", "annotations", "finalizers"),
        *("ownerReferences", "uid", "resourceVersion", "generation", "creationTimestamp"),
        *("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"),
    }
)

# How the lists of the kinds without a schema here merge, by field name, as their Go types say.
_BUILT_IN: Mapping[str, Listing] = {
    "finalizers": "set",
    "ownerReferences": ("uid",),
    "conditions": ("type",),
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
}


@dataclass(frozen=True)
class Schema:
    """The openAPIV3Schema of one kind; None for the kinds that are kept as they come."""

    root: JsonObject | None = None

    @cached_property
    def in_python(self) -> Mapping[str, JsonValue]:
        """The root for a validator that knows Python's patterns only."""
        return {key: _in_python(value) for key, value in (self.root or {}).items()}

    def listing_of(self, names: tuple[str, ...]) -> Listing:
        """How the list at these field names merges."""
        if self.root is None or names[0] in _OWN_FIELDS:
            return _BUILT_IN.get(names[-1], "atomic")
        node = self.root
        for name in names:
            node = part(_items_or_self(node), "properties", name)
        if node.get("x-kubernetes-list-type") == "map":
            return tuple(texts(node, "x-kubernetes-list-map-keys"))
        return "set" if node.get("x-kubernetes-list-type") == "set" else "atomic"

    def prune(self, obj: Document) -> Document:
        """The object without unknown fields, and without nulls where null is no value."""
        return obj if self.root is None else _as_document(_prune(obj, self.root, _OWN_FIELDS))

    def complete(self, obj: Document) -> Document:
        """The pruned object with its defaults."""
        return obj if self.root is None else _as_document(_default(self.prune(obj), self.root))

    def leaves(self, obj: Document) -> Mapping[Path, DocumentValue]:
        """All leaves of an object by their field paths; an empty one has none."""
        return dict(leaves(obj, self.listing_of)) if obj else {}

    def unknown_fields(self, obj: JsonObject) -> list[str]:
        """Paths of fields that the schema does not know, e.g. `spec.promt`."""
        if self.root is None:
            return []
        return list(_unknown(obj, self.root, "", _OWN_FIELDS))

    def known_fields(self, path: str) -> list[str]:
        """Names of the fields beside a path: what may have been meant."""
        node = self.root or {}
        for name in path.split(".")[:-1]:
            node = part(_items_or_self(node), "properties", name.split("[")[0])
        return sorted(part(_items_or_self(node), "properties"))


@cache
def resource_schemas() -> Mapping[str, Schema]:
    """The schemas of our own resources by kind: the ones that are generated for the cluster."""
    return {each.kind.name: Schema(build_schema(each)) for each in RESOURCES}


def as_re2(pattern: str) -> str:
    """The pattern as it was before it was made Python's."""
    return pattern.removeprefix(_ASCII).replace(_VERY_END, "$")


def _in_python(value: JsonValue) -> JsonValue:
    """With patterns as the API server reads them: `$` is the very end, classes are ASCII."""
    if isinstance(value, list | tuple):
        return [_in_python(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    pattern = value.get("pattern")
    changed = {key: _in_python(each) for key, each in value.items()}
    if isinstance(pattern, str):
        changed["pattern"] = _ASCII + re.sub(r"(?<!\\)\$", lambda _: _VERY_END, pattern)
    return changed


def _as_document(value: DocumentValue) -> Document:
    if not isinstance(value, dict):
        raise TypeError("a resource is an object")
    return value


def _items_or_self(node: JsonObject) -> JsonObject:
    return part(node, "items") or node


def _is_open(node: JsonObject) -> bool:
    return bool(node.get("x-kubernetes-preserve-unknown-fields"))


def _prune(value: DocumentValue, node: JsonObject, own: tuple[str, ...] = ()) -> DocumentValue:
    """Without unknown fields, and without nulls where null is no value: a default may follow."""
    if isinstance(value, list):
        return [_prune(each, part(node, "items")) for each in value]
    if not isinstance(value, dict):
        return value
    further = node.get("additionalProperties")
    if isinstance(further, Mapping):
        return {key: _prune(each, further) for key, each in value.items()}
    if _is_open(node):
        return value
    properties = part(node, "properties")
    pruned: Document = {}
    for key, each in value.items():
        field = part(properties, key)
        if key in own:
            pruned[key] = each
        elif field and (each is not None or field.get("nullable") is True):
            pruned[key] = _prune(each, field)
    return pruned


def _default(value: DocumentValue, node: JsonObject) -> DocumentValue:
    if isinstance(value, list):
        return [_default(each, part(node, "items")) for each in value]
    if not isinstance(value, dict):
        return value
    further = node.get("additionalProperties")
    if isinstance(further, Mapping):
        return {key: _default(each, further) for key, each in value.items()}
    properties = part(node, "properties")
    completed = {key: _default(each, part(properties, key)) for key, each in value.items()}
    for key in properties:
        field = part(properties, key)
        if key not in completed and "default" in field:
            completed[key] = _default(copy_value(field["default"]), field)
    return completed


def _unknown(
    value: JsonValue, node: JsonObject, path: str, own: tuple[str, ...] = ()
) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _unknown(each, part(node, "items"), f"{path}[{index}]")
        return
    if not isinstance(value, Mapping) or _is_open(node):
        return
    further = node.get("additionalProperties")
    properties = part(node, "properties")
    for key, each in value.items():
        here = f"{path}.{key}" if path else key
        if key in own:
            yield from (f"{here}.{name}" for name in _unknown_metadata(key, each))
        elif isinstance(further, Mapping):
            yield from _unknown(each, further, here)
        elif part(properties, key):
            yield from _unknown(each, part(properties, key), here)
        else:
            yield here


def _unknown_metadata(key: str, value: JsonValue) -> list[str]:
    if key != "metadata" or not isinstance(value, Mapping):
        return []
    return [name for name in value if name not in _METADATA]
