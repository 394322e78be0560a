"""kopf's handlers: one for each kind that is watched; each only hands a change to the engine."""

import logging
import ssl
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from heliostat_core.kinds import optional_kinds, watches
from heliostat_core.names import GROUP
from heliostat_core.worlds import (
    LEASE,
    NETWORK_POLICY,
    UNSERVED,
    Change,
    JsonObject,
    Kind,
    Selection,
    World,
)
from heliostat_operator.canaries import WatchCanary
from heliostat_operator.engine import Engine
from heliostat_operator.leases import Leadership
from heliostat_operator.settings import OperatorSettings

logger = logging.getLogger(__name__)

Sink = Callable[[Kind, Change], Coroutine[None, None, None]]
"""Takes note of a change, without I/O; until then no later one of the same object is told."""


def watched_by(settings: OperatorSettings) -> Mapping[Kind, Selection]:
    """An installation without policies need not grant the right to see any."""
    return {
        kind: selection
        for kind, selection in watches().items()
        if kind != NETWORK_POLICY or settings.network_policies
    }


async def watchable(world: World, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """The kinds that kopf may watch: it ends with the first that roles of an earlier release keep
    from it. What is left out is seen by each resync, as soon as it may be."""
    return tuple([each for each in kinds if await _may_watch(world, each)])


async def _may_watch(world: World, kind: Kind) -> bool:
    if kind not in optional_kinds():
        return True
    try:
        async for _ in world.list(kind):
            break
    except UNSERVED as error:
        logger.warning("%s are not watched until this process begins anew: %s", kind.plural, error)
        return False
    return True


def build_sink(engine: Engine, leadership: Leadership, canary: WatchCanary) -> Sink:
    """Hands the own Lease back to who leads, and everything else to the engine."""

    async def hear(kind: Kind, change: Change) -> None:
        canary.see(kind, change)
        if kind == LEASE:
            leadership.see(change)
        else:
            await engine.hear(kind, change)

    return hear


def build_registry(sink: Sink, kinds: Iterable[Kind]) -> kopf.OperatorRegistry:
    """One event handler a kind; kopf ignores what a handler raises, so none does any work."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry, id="login")(_login)
    for kind in kinds:
        kopf.on.event(
            kind.group, kind.version, kind.plural, registry=registry, id=f"see-{kind.plural}"
        )(_handler(kind, sink))
    return registry


def build_settings() -> kopf.OperatorSettings:
    """kopf posts nothing, stores nothing and never waits for a dead connection."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.watching.connect_timeout = 10
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.inactivity_timeout = 70
    settings.watching.chunk_size = 500
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.persistence.diffbase_storage = _NoDifferences()
    settings.persistence.progress_storage = _NoProgress()
    for kind, selection in watches().items():
        if selection.label_selector:
            place = kind.group, kind.version, kind.plural
            settings.watching.label_selectors[place] = selection.label_selector
    return settings


class _NoDifferences(kopf.DiffBaseStorage):
    """No handler asks what changed: kopf would copy and compare every object of every event."""

    def build(
        self,
        *,
        body: kopf.Body,  # noqa: ARG002 - kopf calls by name
        extra_fields: object = None,  # noqa: ARG002
    ) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is kept."""


class _NoProgress(kopf.ProgressStorage):
    """No handler has any: kopf would search the annotations of every object of every event."""

    def fetch(self, *, key: str, body: kopf.Body) -> None:
        """Nothing was kept."""

    def store(self, *, key: str, record: object, body: kopf.Body, patch: kopf.Patch) -> None:
        """Nothing is kept."""

    def purge(self, *, key: str, body: kopf.Body, patch: kopf.Patch) -> None:
        """There is nothing."""

    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        """No handler waits for an event that a touch would make."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


class NoMemories(ResourceMemories):
    """kopf remembers each object until the event of its deletion. There is none for what went while
    the API server was away: that would stay for ever, and our handlers ask nothing of it."""

    async def recall(self, raw_body: kopf.RawBody, **how: Any) -> ResourceMemory:
        return await super().recall(raw_body, **{**how, "ephemeral": True})


class _Connection(kopf.ConnectionInfo):
    """As kubectl: authorities of older kubeadm lack what Python 3.13's strict mode asks for."""

    def as_ssl_context(self) -> ssl.SSLContext:
        context = super().as_ssl_context()
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _login(settings: kopf.OperatorSettings, **_: object) -> kopf.ConnectionInfo | None:
    found = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(
        settings=settings
    )
    if found is None:
        return None
    return _Connection(**{each.name: getattr(found, each.name) for each in fields(found)})


def _handler(kind: Kind, sink: Sink) -> Callable[..., Coroutine[None, None, None]]:
    async def hear(event: Mapping[str, JsonObject], **_: object) -> None:
        await sink(kind, Change(_change_type(event), event["object"]))

    return hear


def _change_type(event: Mapping[str, object]) -> Literal["ADDED", "MODIFIED", "DELETED"]:
    match event.get("type"):
        case "DELETED":
            return "DELETED"
        case "ADDED":
            return "ADDED"
        case _:
            return "MODIFIED"
