"""The host: the one process of a state folder that runs engine, jobs and gateway.

Others read, watch, create and cancel through the file; the first of them takes over when the host
ends. Supervisors go on meanwhile, and the gateway comes back on its port.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.gateways import GatewayDiedError, gateway_address, serving
from heliostat_cli.embedded.jobs import JobController
from heliostat_cli.embedded.locks import HostLock, host_lock
from heliostat_cli.embedded.ports import ANY_PORT, WantedPort
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.keys import public_key_id, public_pem
from heliostat_core.kinds import watches
from heliostat_core.worlds import Kind, Selection, UnavailableError
from heliostat_gateway.settings import Settings as GatewaySettings
from heliostat_gateway.settings import read_settings
from heliostat_operator.engine import Engine
from heliostat_operator.gateway.client import HttpGateway
from heliostat_operator.gateway.signing import Signer, ensure_signing_key
from heliostat_operator.observability.run_spans import RunSpans
from heliostat_operator.settings import OperatorSettings
from heliostat_telemetry.spans import open_spans

JOBS_MANAGER = "heliostat-jobs"
_RETRY_SECONDS = 0.2


def embedded_operator_settings(api_url: str = "") -> OperatorSettings:
    """The operator's settings, with defaults for one machine and somebody who looks on.

    `api_url` is where runs deliver; empty: nowhere.
    """
    given = OperatorSettings()
    local: dict[str, int | float | str] = {
        "api_url": api_url,
        "max_concurrent_executions": 4,
        "max_concurrent_per_namespace": 4,
        "workers": 4,
        "resync_seconds": 30.0,
        "usage_seconds": 1.0,
    }
    chosen = {name: value for name, value in local.items() if name not in given.model_fields_set}
    return given.model_copy(update=chosen)


class EmbeddedHost:
    """Waits for the lock of its state folder, then hosts until cancelled."""

    def __init__(
        self,
        folder: StateFolder,
        *,
        gateway: GatewaySettings | None = None,
        operator: OperatorSettings | None = None,
        port: WantedPort = ANY_PORT,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Settings are those of the environment where they are not given.

        `port` is for the gateway of a new folder.
        """
        self.folder = folder
        self._gateway = read_settings() if gateway is None else gateway
        self._operator = embedded_operator_settings() if operator is None else operator
        self._port = port
        self._clock = clock
        self.is_hosting = False
        self._is_settled = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Raises what keeps the gateway or the engine from running."""
        with host_lock(self.folder.host_lock) as lock:
            await self._take(lock)
            with closing(Store(self.folder.world_file)) as store:
                await self._host(EmbeddedWorld(store, clock=self._clock))

    async def settled(self) -> None:
        """Until this process hosts, or knows that another one does."""
        await self._is_settled.wait()

    async def _take(self, lock: HostLock) -> None:
        if not lock.take():
            self._is_settled.set()
            await lock.wait()

    async def _host(self, world: EmbeddedWorld) -> None:
        private = await ensure_signing_key(world, self._operator.namespace)
        self._publish(public_pem(private))
        signer = Signer(private, self._clock)
        async with serving(self.folder, self._gateway, self._port) as server:
            url = gateway_address(self.folder)
            settings = self._operator.model_copy(update={"gateway_url": url})
            gateway = HttpGateway(url, signer)
            spans = open_spans("heliostat-operator", settings.otlp_endpoint)
            followers = [RunSpans(spans).moved] if spans else []
            engine = Engine(world, gateway, signer, settings, self._clock, followers=followers)
            jobs = JobController(world.as_manager(JOBS_MANAGER), self.folder, self._clock)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_fail_with(server))
                    group.create_task(jobs.run())
                    group.create_task(engine.run())
                    for kind, selection in watches(embedded=True).items():
                        group.create_task(_feed(engine, world, kind, selection))
                    self.is_hosting = True
                    self._is_settled.set()
            finally:
                self.is_hosting = False
                if spans:
                    await spans.close()
                await gateway.close()

    def _publish(self, pem: str) -> None:
        """Where the gateway looks for the keys that it trusts."""
        self.folder.public_keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder.public_keys / f"{public_key_id(pem)}.pem").write_text(pem)


@asynccontextmanager
async def hosting(
    folder: StateFolder,
    *,
    gateway: GatewaySettings | None = None,
    operator: OperatorSettings | None = None,
    port: WantedPort = ANY_PORT,
) -> AsyncIterator[EmbeddedHost]:
    """A host in the background of the block, which begins once it is known who hosts.

    What ends the host also ends the block, with the host's own error.
    """
    host = EmbeddedHost(folder, gateway=gateway, operator=operator, port=port)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(host.run())
            await host.settled()
            try:
                yield host
            finally:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


def _first(error: BaseException) -> BaseException:
    """The one thing to tell: the first error in groups of groups."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _feed(engine: Engine, world: EmbeddedWorld, kind: Kind, selection: Selection) -> None:
    """Every change to the engine. What a broken watch misses, its slow resync finds."""
    while True:
        with suppress(UnavailableError):
            async for change in world.watch(kind, selection):
                engine.see(kind, change)
        await asyncio.sleep(_RETRY_SECONDS)


async def _fail_with(server: asyncio.Task[None]) -> None:
    await asyncio.shield(server)
    raise GatewayDiedError("The gateway ended by itself.")
