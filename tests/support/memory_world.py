"""A World in memory for tests of the engine: what Kubernetes promises, as far as the engine relies
on it. The real promises are held by the contract suite that runs on both real worlds."""

from collections.abc import AsyncIterator, Mapping
from copy import deepcopy
from itertools import count

from heliostat_core.worlds import (
    EVERYTHING,
    KINDS,
    POD,
    AlreadyExistsError,
    Change,
    ConflictError,
    JsonObject,
    JsonValue,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    WorldError,
)
from support.builders.pods import stamp
from support.builders.resources import NOW, make_uid

Document = dict[str, JsonValue]


class MemoryWorld:
    """Objects by their address; every write gets the next resourceVersion."""

    name = "memory"

    def __init__(self) -> None:
        self.objects: dict[Ref, Document] = {}
        self.changes: list[tuple[Kind, Change]] = []
        self.failures: dict[str, WorldError] = {}  # what a call by that name fails with
        self.now = NOW  # the server's clock
        self._versions = count(100)

    def copy(self) -> "MemoryWorld":
        """Another one with the same objects."""
        other = MemoryWorld()
        other.objects, other.now = deepcopy(self.objects), self.now
        other._versions = count(next(self._versions))
        return other

    def put(self, obj: JsonObject) -> JsonObject:
        """As somebody else's hand: an object exactly as given, beside what a server sets."""
        document = deepcopy(dict(obj))
        ref = ref_of(document)
        meta = meta_of(document)
        meta.setdefault("uid", make_uid(f"{ref}/{next(self._versions)}"))
        meta.setdefault("creationTimestamp", stamp(self.now))
        meta.setdefault("generation", 1)
        return self._store(ref, document)

    async def get(self, ref: Ref) -> JsonObject | None:
        if "get" in self.failures:
            raise self.failures["get"]
        return deepcopy(self.objects.get(ref))

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        if "list" in self.failures:
            raise self.failures["list"]
        for ref, document in list(self.objects.items()):
            if ref.kind == kind and is_selected(document, selection):
                yield deepcopy(document)

    async def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        async for each in self.list(kind, selection):
            yield Change("ADDED", each)

    async def create(self, obj: JsonObject) -> JsonObject:
        if "create" in self.failures:
            raise self.failures["create"]
        if ref_of(obj) in self.objects:
            raise AlreadyExistsError(f"{ref_of(obj)} already exists")
        return self.put(obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        if "apply" in self.failures:
            raise self.failures["apply"]
        ref = ref_of(obj)
        found = self.objects.get(ref)
        if found is None:
            if "uid" in meta_of(dict(obj)):
                raise ConflictError(f"{ref} is gone")
            return self.put(obj)
        self._check(found, obj)
        merged = merge(found, obj)
        applied = meta_of(dict(obj))
        meta_of(merged)["finalizers"] = applied.get("finalizers", [])
        return self._store(ref, merged)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        if "patch_status" in self.failures:
            raise self.failures["patch_status"]
        ref = ref_of(obj)
        found = self.objects.get(ref)
        if found is None:
            raise NotFoundError(f"{ref} not found")
        self._check(found, {"metadata": {**meta_of(dict(obj)), "uid": ""}})
        return self._store(ref, {**found, "status": deepcopy(obj["status"])})

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        found = self.objects.get(ref)
        if found is None or (uid is not None and meta_of(found)["uid"] != uid):
            return False
        meta = meta_of(found)
        if meta.get("finalizers") or ref.kind == POD:
            meta.setdefault("deletionTimestamp", stamp(self.now))
            if grace_seconds is not None:
                meta["deletionGracePeriodSeconds"] = grace_seconds
            self._store(ref, found)
        else:
            self.remove(ref)
        return True

    def remove(self, ref: Ref) -> None:
        """The object leaves, and so does what it owns."""
        gone = self.objects.pop(ref, None)
        if gone is None:
            return
        self.changes.append((ref.kind, Change("DELETED", gone)))
        uid = meta_of(gone)["uid"]
        for other, document in list(self.objects.items()):
            owners = meta_of(document).get("ownerReferences")
            assert owners is None or isinstance(owners, list | tuple)
            if any(isinstance(each, Mapping) and each["uid"] == uid for each in owners or ()):
                self._collect(other, document)

    def _collect(self, ref: Ref, document: Document) -> None:
        """Garbage collection; a pod stays until its kubelet has ended it."""
        if ref.kind == POD:
            meta_of(document).setdefault("deletionTimestamp", stamp(self.now))
        else:
            self.remove(ref)

    def _store(self, ref: Ref, document: Document) -> JsonObject:
        meta = meta_of(document)
        meta["resourceVersion"] = str(next(self._versions))
        self.objects[ref] = document
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and ref.kind != POD:
            self.remove(ref)
        else:
            self.changes.append((ref.kind, Change("MODIFIED", deepcopy(document))))
        return deepcopy(document)

    def _check(self, found: Document, asked: JsonObject) -> None:
        wanted = meta_of(dict(asked))
        for name in ("resourceVersion", "uid"):
            if wanted.get(name) and wanted[name] != meta_of(found)[name]:
                raise ConflictError(f"{name} is another one")


def ref_of(obj: JsonObject) -> Ref:
    meta = meta_of(dict(obj))
    return Ref(KINDS[str(obj["kind"])], str(meta.get("namespace", "default")), str(meta["name"]))


def meta_of(document: Document) -> Document:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return metadata


def merge(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> Document:
    merged = deepcopy(dict(old))
    for key, value in new.items():
        known = merged.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(known, value) if both else deepcopy(value)  # type: ignore[arg-type]
    return merged


def is_selected(document: Document, selection: Selection) -> bool:
    meta = meta_of(document)
    labels = meta.get("labels") or {}
    assert isinstance(labels, Mapping)
    if selection.namespace and meta.get("namespace", "default") != selection.namespace:
        return False
    if any(labels.get(key) != value for key, value in (selection.labels or {}).items()):
        return False
    for term in selection.label_terms:
        key, value = term.split("!=")
        if labels.get(key) == value:
            return False
    return all(at(document, path) == value for path, value in (selection.fields or {}).items())


def at(document: JsonObject, path: str) -> JsonValue:
    value: JsonValue = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
