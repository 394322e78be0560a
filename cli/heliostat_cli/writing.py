"""apply, cancel, delete: what a person changes, in either world."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from heliostat_cli.blocks import phase_of
from heliostat_cli.embedded.documents import copy_document
from heliostat_cli.errors import UsageError
from heliostat_cli.following import Follower
from heliostat_cli.kinds import Target, object_name
from heliostat_cli.manifests import Manifest
from heliostat_cli.reading import missing, read_execution
from heliostat_cli.screen import Terminal
from heliostat_cli.worlds import OpenWorld
from heliostat_core.crds import RESOURCES
from heliostat_core.executions import Execution
from heliostat_core.reading import text
from heliostat_core.worlds import EXECUTION, JsonObject, Ref

_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.2


async def apply(
    opened: OpenWorld, terminal: Terminal, manifest: Manifest, namespace: str | None
) -> None:
    """Server-side apply of everything in a file; one line an object."""
    terminal.note(f"world: {opened.name}")
    by_kind = {each.kind.name: each for each in RESOURCES}
    for obj in manifest.objects:
        placed = in_namespace(obj, namespace, opened.namespace)
        ref = Ref(
            by_kind[text(obj, "kind")].kind,
            text(placed, "metadata", "namespace"),
            text(placed, "metadata", "name"),
        )
        before = await opened.world.get(ref)
        after = await opened.world.apply(placed)
        name = object_name(by_kind[text(obj, "kind")], text(after, "metadata", "name"))
        terminal.line(f"{name} {change_word(before, after)}")
    if manifest.of(EXECUTION) and not opened.goes_on:
        terminal.note("It starts when somebody runs this world: heliostat run, while it goes on.")


def in_namespace(obj: JsonObject, namespace: str | None, default: str) -> JsonObject:
    """The object in the namespace that was asked for, else its own, else the default one."""
    own = text(obj, "metadata", "namespace")
    if namespace and own and own != namespace:
        raise UsageError(
            f"{text(obj, 'kind')} {text(obj, 'metadata', 'name')!r} is of namespace {own!r}, but "
            f"--namespace is {namespace!r}",
            "Leave out one of the two.",
        )
    placed = copy_document(obj)
    metadata = copy_document({**_metadata(obj), "namespace": own or namespace or default})
    placed["metadata"] = metadata
    return placed


def change_word(before: JsonObject | None, after: JsonObject) -> str:
    """created, configured or unchanged, as kubectl says it."""
    if before is None:
        return "created"
    same = before.get("spec") == after.get("spec") and _labels(before) == _labels(after)
    return "unchanged" if same else "configured"


async def ask_to_cancel(opened: OpenWorld, execution: Execution) -> None:
    """Set spec.cancel; the operator of that world does the rest."""
    await opened.canceller.apply(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": EXECUTION.name,
            "metadata": {
                "name": execution.metadata.name,
                "namespace": execution.metadata.namespace,
                "uid": execution.metadata.uid,
            },
            "spec": {"cancel": True},
        }
    )


async def cancel(
    opened: OpenWorld, terminal: Terminal, ref: Ref, clock: Callable[[], datetime]
) -> None:
    """Ask for the stop and wait until it is done, at most 30 s."""
    execution = await read_execution(opened, ref)
    terminal.note(f"world: {opened.name}, namespace {ref.namespace}")
    if execution.is_finished:
        terminal.line(f"{ref.name} has ended already: {phase_of(execution)}")
        return
    await ask_to_cancel(opened, execution)
    terminal.line(f"{ref.name}: asked to stop; its key dies first, then its pod")
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            execution = await Follower(opened, terminal, clock, with_log=False).follow(ref)
    if execution.is_finished:
        return
    terminal.line(f"{ref.name} is still {phase_of(execution)}: `heliostat why {ref.name}` says why")


async def delete(
    opened: OpenWorld, terminal: Terminal, targets: Sequence[Target], namespace: str
) -> None:
    """Delete by name; what runs is stopped first, by the operator."""
    terminal.note(f"world: {opened.name}, namespace {namespace}")
    for target in targets:
        kind = target.resource.kind
        if target.name is None:
            raise UsageError(f"which {kind.name}?", f"Write heliostat delete {kind.plural} NAME.")
        ref = Ref(kind, namespace, target.name)
        if not await opened.world.delete(ref):
            raise missing(opened, kind, namespace, target.name)
        gone = await _is_gone(opened, ref)
        word = "deleted" if gone else "is being deleted: what runs of it has not stopped yet"
        terminal.line(f"{object_name(target.resource, target.name)} {word}")


async def _is_gone(opened: OpenWorld, ref: Ref) -> bool:
    """Whether the object goes within 30 s: a running Execution is stopped first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            while await opened.world.get(ref) is not None:
                await asyncio.sleep(_POLL_SECONDS)
            return True
    return False


def _metadata(obj: JsonObject) -> JsonObject:
    metadata = obj.get("metadata")
    return copy_document(metadata) if isinstance(metadata, dict) else {}


def _labels(obj: JsonObject) -> object:
    metadata = _metadata(obj)
    return metadata.get("labels"), metadata.get("annotations")
