"""The operator as a process: leader, watch, engine, probes; each ends the others when it ends."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING

import kopf
from aiohttp import web

from heliostat_core.worlds import World, WorldError
from heliostat_google.keeping import Ages
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.approvals.policy_check import PolicyCheck
from heliostat_operator.canaries import WatchCanary
from heliostat_operator.engine import LONGEST_HURRY, Engine, utc_now
from heliostat_operator.gateway.actions import ActionClient
from heliostat_operator.gateway.client import HttpGateway
from heliostat_operator.gateway.signing import Signer, ensure_signing_key
from heliostat_operator.gc_tuning import collect_deeply_in_calm
from heliostat_operator.handlers import (
    NoMemories,
    Sink,
    build_registry,
    build_settings,
    build_sink,
    watchable,
    watched_by,
)
from heliostat_operator.leases import FencedWorld, Leadership
from heliostat_operator.model.indexes import OpenAsks, UnfinishedRuns
from heliostat_operator.observability.metrics import Metrics
from heliostat_operator.observability.run_events import log_run_events
from heliostat_operator.observability.run_spans import RunSpans
from heliostat_operator.schedules.cloud_timers import CloudTimers
from heliostat_operator.schedules.cron_jobs import CronJobs
from heliostat_operator.schedules.triggers import TriggerReconciler
from heliostat_operator.secrets.generated_secrets import keep_secrets
from heliostat_operator.secrets.vaults import NoVault, SecretManagerVault, Vault
from heliostat_operator.settings import OperatorSettings
from heliostat_operator.uninstalls import RELEASE_SECONDS, finish_uninstall, prepare_uninstall
from heliostat_telemetry.spans import open_spans

if TYPE_CHECKING:
    from heliostat_google.scheduler import CloudScheduler
    from heliostat_google.secret_manager import SecretManager

_EXIT_SECONDS = 8

logger = logging.getLogger(__name__)


async def run(settings: OperatorSettings, world: KubernetesWorld) -> None:
    """Runs until a signal, or raises what ended it."""
    await keep_secrets(world, settings.namespace, settings.kept_secrets)
    identity = settings.identity or socket.gethostname()
    leadership = Leadership(
        world, settings.namespace, identity, settings.lease_seconds, settings.canary_seconds
    )
    canary = WatchCanary(world, watched_by(settings), settings.canary_seconds)
    signer = Signer(await ensure_signing_key(world, settings.namespace), utc_now)
    gateway = HttpGateway(settings.gateway_url, signer)
    actions = ActionClient(settings.api_url, signer) if settings.api_url else None
    metrics = Metrics()
    metrics.expect({"api": settings.api_url, "egress": settings.egress_proxy_url})
    secrets = _open_secret_manager(settings)
    fenced = FencedWorld(world, leadership)
    timers = _open_cloud_scheduler(settings)
    triggers = TriggerReconciler(
        fenced,
        {
            "CronJob": CronJobs(fenced, settings, utc_now),
            "CloudScheduler": CloudTimers(fenced, timers, settings, utc_now),
        },
        utc_now,
    )
    spans = open_spans("heliostat-operator", settings.otlp_endpoint)
    engine = Engine(
        fenced,
        gateway,
        signer,
        settings,
        meter=metrics,
        followers=[metrics.moved, log_run_events, *([RunSpans(spans).moved] if spans else [])],
        vault=_vault(settings, secrets),
        parts=[triggers, PolicyCheck(world), *([actions] if actions else [])],
    )
    metrics.watch(
        engine.shared(UnfinishedRuns, UnfinishedRuns), utc_now, lambda: leadership.is_leader
    )
    metrics.watch_asks(engine.shared(OpenAsks, OpenAsks), utc_now, lambda: leadership.is_leader)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    probes = await _serve_probes(settings.port, leadership, canary, engine, metrics)
    try:
        await _until(
            stop,
            _watch(world, build_sink(engine, leadership, canary), settings),
            canary.keep(),  # before it leads, too: a successor must not begin with a dead watch
            _lead(world, engine, leadership, settings.namespace),
            collect_deeply_in_calm(engine.queue("schedule"), LONGEST_HURRY),
        )
    finally:
        if leadership.was_acquired:
            # The Lease may be over by then: without the fence.
            remove_cloud_jobs = CloudTimers(world, timers, settings, utc_now).remove_all
            await finish_uninstall(world, gateway, settings.namespace, remove_cloud_jobs)
            with suppress(WorldError, TimeoutError):
                await leadership.release()
        if spans:
            await spans.close()
        await gateway.close()
        if actions is not None:
            await actions.close()
        if secrets is not None:
            await secrets.close()
        if timers is not None:
            await timers.close()
        await probes.cleanup()


def _open_secret_manager(settings: OperatorSettings) -> "SecretManager | None":
    if not settings.secret_manager_endpoint:
        return None
    # Imported only where it is used: Google's client takes half a second of the start.
    from heliostat_google.secret_manager import SecretManager

    return SecretManager(settings.secret_manager_endpoint)


def _open_cloud_scheduler(settings: OperatorSettings) -> "CloudScheduler | None":
    if not settings.cloud_scheduler_location:
        return None
    # As above.
    from heliostat_google.scheduler import CloudScheduler

    return CloudScheduler(settings.cloud_scheduler_endpoint)


def _vault(settings: OperatorSettings, secrets: "SecretManager | None") -> Vault:
    if secrets is None:
        return NoVault()
    ages = Ages(settings.secret_refresh_seconds, settings.secret_keep_seconds)
    return SecretManagerVault(secrets, settings.gateway_secrets, ages)


async def _until(stop: asyncio.Event, *works: Coroutine[None, None, None]) -> None:
    """Runs the works until the signal; the first that ends or fails ends all."""
    tasks: list[asyncio.Task[None] | asyncio.Task[bool]] = [
        asyncio.ensure_future(work) for work in works
    ]
    tasks.append(asyncio.ensure_future(stop.wait()))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    # Whatever does not end by itself now must not keep a dead operator alive.
    asyncio.get_running_loop().call_later(_EXIT_SECONDS + RELEASE_SECONDS, os._exit, 1)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def _watch(world: World, sink: Sink, settings: OperatorSettings) -> None:
    await kopf.operator(
        registry=build_registry(sink, await watchable(world, watched_by(settings))),
        settings=build_settings(),
        memories=NoMemories(),
        standalone=True,
        clusterwide=True,
    )


async def _lead(world: World, engine: Engine, leadership: Leadership, namespace: str) -> None:
    await leadership.acquire()
    await prepare_uninstall(world, namespace)
    async with asyncio.TaskGroup() as group:
        group.create_task(leadership.keep())
        group.create_task(engine.run())


async def _serve_probes(
    port: int, leadership: Leadership, canary: WatchCanary, engine: Engine, metrics: Metrics
) -> web.AppRunner:
    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def measured(_: web.Request) -> web.Response:
        metrics.is_leader.set(leadership.is_leader)
        metrics.watch_silence.set(max(leadership.silent_seconds, canary.silent_seconds))
        for kind, depth in engine.depths().items():
            metrics.queue_depth.labels(kind).set(depth)
        return web.Response(body=metrics.text(), content_type="text/plain")

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthy),
            web.get("/readyz", healthy),
            web.get("/metrics", measured),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
