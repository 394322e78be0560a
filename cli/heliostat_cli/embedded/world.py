"""The embedded world: heliostat_core's World over one SQLite file.

Every call is one short transaction made in place: faster than a hop to a thread, and nothing
comes between reading and writing. One write follows another only when all other tasks of the
process had a turn: many writers of a long queue would stop the dashboard for a minute.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from heliostat_cli.embedded.documents import Document, child, copy_document
from heliostat_cli.embedded.objects import (
    WITH_STATUS,
    applied_fields,
    birth,
    check_immutable,
    count_generation,
    given_fields,
    instant_text,
    is_terminating,
    raise_generation,
    ref_to,
)
from heliostat_cli.embedded.ownership import (
    Ownership,
    claim,
    merge,
    read_ownerships,
    without,
    write_ownerships,
)
from heliostat_cli.embedded.schemas import Schema, resource_schemas
from heliostat_cli.embedded.selectors import build_matcher
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.validation import check_known, check_valid, invalid_text
from heliostat_cli.embedded.watches import follow_changes
from heliostat_core.names import FIELD_MANAGER
from heliostat_core.reading import number, part, parts, text, values
from heliostat_core.worlds import (
    EVERYTHING,
    POD,
    AlreadyExistsError,
    Change,
    ConflictError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
)

PAGE_SIZE = 100
_POD_GRACE_SECONDS = 30  # Kubernetes' default
_OPEN = Schema()


class EmbeddedWorld:
    """A World in a file. `manager` is the name under which fields are set.

    `schemas` maps the name of a kind to its schema, those of our resources when not given; other
    kinds are kept as they come.
    """

    def __init__(
        self,
        store: Store,
        *,
        schemas: Mapping[str, Schema] | None = None,
        manager: str = FIELD_MANAGER,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        writers: asyncio.Lock | None = None,
    ) -> None:
        """`writers`: what the writers of one store wait for; an own one where none is given."""
        self._store = store
        self._writers = asyncio.Lock() if writers is None else writers
        self._schemas = resource_schemas() if schemas is None else schemas
        self._manager = manager
        self._clock = clock

    @property
    def name(self) -> str:
        return f"embedded ({_short(self._store.path.parent)})"

    def as_manager(self, manager: str) -> "EmbeddedWorld":
        """The same world, written to under another name."""
        return EmbeddedWorld(
            self._store,
            schemas=self._schemas,
            manager=manager,
            clock=self._clock,
            writers=self._writers,
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._writers:
            yield
            await asyncio.sleep(0)

    def schema_of(self, kind: Kind) -> Schema:
        """The schema of a kind; an open one when it has none."""
        return self._schemas.get(kind.name, _OPEN)

    async def get(self, ref: Ref) -> JsonObject | None:
        return self._store.get(ref)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        matches = build_matcher(selection)
        after = ("", "")
        while page := self._store.page(kind.name, after, PAGE_SIZE):
            await asyncio.sleep(0)
            for obj in page:
                if matches(obj):
                    yield obj
            after = (text(page[-1], "metadata", "namespace"), text(page[-1], "metadata", "name"))

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        return follow_changes(self._store, kind, build_matcher(selection))

    async def create(self, obj: JsonObject) -> JsonObject:
        async with self._turn():
            return self._create(obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        async with self._turn():
            return self._apply(obj)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        async with self._turn():
            return self._patch_status(obj)

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        async with self._turn():
            return self._delete_if(ref, uid, grace_seconds)

    def _create(self, obj: JsonObject) -> JsonObject:
        kind = ref_to(obj).kind
        schema = self.schema_of(kind)
        if text(obj, "metadata", "resourceVersion"):
            raise InvalidError("resourceVersion should not be set on objects to be created")
        given = schema.complete(given_fields(kind, obj))
        ref = ref_to(given)
        with self._store.writing():
            if self._store.get(ref) is not None:
                raise AlreadyExistsError(f"{_named(ref)} already exists")
            return self._bear(ref, schema, given, self._ownership("Update", given, schema))

    def _apply(self, obj: JsonObject) -> JsonObject:
        kind = ref_to(obj).kind
        schema = self.schema_of(kind)
        given = schema.prune(given_fields(kind, obj))
        ref = ref_to(given)
        check_known(ref, schema, obj)
        new = self._ownership("Apply", given, schema)
        with self._store.writing():
            live = self._store.get(ref)
            _check_preconditions(ref, obj, live)
            if live is None:
                return self._bear(ref, schema, schema.complete(given), new)
            merged = self._merged(live, applied_fields(given), new, schema)
            return self._update(ref, schema, merged, live)

    def _patch_status(self, obj: JsonObject) -> JsonObject:
        ref = ref_to(obj)
        if ref.kind not in WITH_STATUS:
            raise NotFoundError(f"{_resource(ref.kind)} has no status")
        schema = self.schema_of(ref.kind)
        status = schema.prune(copy_document({"status": part(obj, "status")}))
        new = self._ownership("Apply", status, schema, "status")
        with self._store.writing():
            live = self._store.get(ref)
            if live is None:
                raise NotFoundError(f"{_named(ref)} not found")
            _check_version(ref, obj, live)
            return self._update(ref, schema, self._merged(live, status, new, schema), live)

    def _delete_if(self, ref: Ref, uid: str | None, grace_seconds: int | None) -> bool:
        with self._store.writing():
            live = self._store.get(ref)
            if live is None or (uid is not None and text(live, "metadata", "uid") != uid):
                return False
            self._delete(ref, live, grace_seconds)
            return True

    def _ownership(
        self, operation: str, given: Document, schema: Schema, subresource: str = ""
    ) -> Ownership:
        return Ownership(
            manager=self._manager,
            operation="Apply" if operation == "Apply" else "Update",
            subresource=subresource,
            time=instant_text(self._clock()),
            paths=frozenset(schema.leaves(given if subresource else applied_fields(given))),
        )

    def _bear(self, ref: Ref, schema: Schema, given: Document, owner: Ownership) -> JsonObject:
        born = birth(ref.kind, given, self._clock())
        child(born, "metadata")["managedFields"] = write_ownerships([owner], ref.kind.api_version)
        check_valid(ref.kind, schema, born, None)
        self._store.put(ref, born, None)
        owners = [text(each, "uid") for each in parts(born, "metadata", "ownerReferences")]
        if owners and not any(self._store.exists(each) for each in owners):
            self._delete(ref, born, None)  # as the garbage collector would: its owners are gone
        return born

    def _merged(
        self, live: JsonObject, applied: Document, new: Ownership, schema: Schema
    ) -> Document:
        """The live object with the applied fields, without those that we left out this time."""
        before = read_ownerships(live)
        ours = next((each for each in before if each.is_of(new)), None)
        others = {path for each in before if not each.is_of(new) for path in each.paths}
        left_out = (ours.paths if ours else frozenset()) - new.paths - others
        kept = without(copy_document(live), left_out, schema.listing_of)
        merged = merge(kept, applied, schema.listing_of)
        if not isinstance(merged, dict):
            raise TypeError("a resource is an object")
        changed = _changed_paths(live, merged, schema) & new.paths
        after = claim(before, new, set(changed))
        if ours is not None and ours.paths == new.paths and not changed:
            after = before  # nothing new: the entry keeps its time, the object its version
        child(merged, "metadata")["managedFields"] = write_ownerships(
            after, text(live, "apiVersion")
        )
        return merged

    def _update(self, ref: Ref, schema: Schema, merged: Document, live: JsonObject) -> JsonObject:
        new = schema.complete(merged)
        if new == live:
            return live
        if field := check_immutable(ref.kind, new, live):
            fault = f"{field}: Invalid value: field is immutable"
            raise InvalidError(invalid_text(ref.kind, ref.name, [fault]))
        check_valid(ref.kind, schema, new, live)
        count_generation(ref.kind, new, live)
        self._store.put(ref, new, live)
        if is_terminating(new) and _may_go(ref.kind, new):
            self._remove(ref, new)
        return new

    def _delete(self, ref: Ref, live: JsonObject, grace_seconds: int | None) -> None:
        grace = _grace(ref.kind, live, grace_seconds)
        marked = copy_document(live)
        metadata = child(marked, "metadata")
        if not is_terminating(live):
            raise_generation(ref.kind, marked)
        elif grace >= (number(live, "metadata", "deletionGracePeriodSeconds") or 0):
            return
        metadata["deletionTimestamp"] = instant_text(self._clock() + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if _may_go(ref.kind, marked):
            self._remove(ref, live)
        else:
            self._store.put(ref, marked, live)

    def _remove(self, ref: Ref, live: JsonObject) -> None:
        """Remove the object, and those that it was the last owner of."""
        for dependent in self._store.remove(ref, live):
            found = self._store.get(dependent)
            if found is None:
                continue
            owners = [text(each, "uid") for each in parts(found, "metadata", "ownerReferences")]
            if not any(self._store.exists(each) for each in owners):
                self._delete(dependent, found, None)


def _changed_paths(
    live: JsonObject, merged: Document, schema: Schema
) -> frozenset[tuple[str, ...]]:
    """Leaves that one of both has and the other has not, or has with another value."""
    before = schema.leaves(copy_document(live))
    after = schema.leaves(merged)
    return frozenset(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def _check_preconditions(ref: Ref, given: JsonObject, live: JsonObject | None) -> None:
    uid = text(given, "metadata", "uid")
    if live is None:
        if uid:
            raise ConflictError(f"Operation cannot be fulfilled on {_named(ref)}: it is gone")
        return
    if uid and uid != text(live, "metadata", "uid"):
        raise ConflictError(
            f"Operation cannot be fulfilled on {_named(ref)}: Precondition failed: UID in "
            f"precondition: {uid}, UID in object meta: {text(live, 'metadata', 'uid')}"
        )
    _check_version(ref, given, live)


def _check_version(ref: Ref, given: JsonObject, live: JsonObject) -> None:
    version = text(given, "metadata", "resourceVersion")
    if version and version != text(live, "metadata", "resourceVersion"):
        raise ConflictError(
            f"Operation cannot be fulfilled on {_named(ref)}: the object has been modified; "
            "please apply your changes to the latest version and try again"
        )


def _may_go(kind: Kind, obj: JsonObject) -> bool:
    """Whether nothing holds a terminating object any more."""
    if values(obj, "metadata", "finalizers"):
        return False
    return kind is not POD or number(obj, "metadata", "deletionGracePeriodSeconds") == 0


def _grace(kind: Kind, obj: JsonObject, asked: int | None) -> int:
    """Seconds that a pod has to end by itself; other kinds, and pods that ended, have none."""
    if kind is not POD or text(obj, "status", "phase") in ("Succeeded", "Failed"):
        return 0
    if asked is not None:
        return max(asked, 0)
    given = number(obj, "spec", "terminationGracePeriodSeconds")
    return _POD_GRACE_SECONDS if given is None else given


def _resource(kind: Kind) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def _named(ref: Ref) -> str:
    return f'{_resource(ref.kind)} "{ref.name}"'


def _short(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
