"""Puts the writer together: its loops, its endpoints, and the read-only admin endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.observability.metrics import PREFIX, Metrics
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.revocations import SharedRevoker
from heliostat_gateway.serving.failures import Failures
from heliostat_gateway.settings import Settings, SettingsError
from heliostat_gateway.storage import Storage
from heliostat_gateway.writer.keys import KeptKeys
from heliostat_gateway.writer.reports import open_reports
from heliostat_gateway.writer.service import Writer
from heliostat_json.objects import JsonObject


async def _end_none(_key_id: str) -> int:
    """The writer serves no model calls, so a revocation ends none here."""
    return 0


def create_writer_app(settings: Settings) -> FastAPI:
    """The application over the data folder and the shared Redis.

    Raises SettingsError, StorageError, RoutesError.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        raise SettingsError("REDIS_URL must be set: without it the gateway writes its own ledger.")
    storage = Storage(settings.data_dir)
    redis = open_redis(url)
    writer = Writer(redis, storage)
    # Its disk outlives all pods of gateways, and knows what one gateway alone had revoked before.
    revoker = SharedRevoker(redis, Revocations(storage), _end_none)
    metrics = Metrics()
    reports = open_reports(settings, storage, redis, metrics)
    kept_keys = KeptKeys(storage, reports.store)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await writer.start()
        await revoker.start()
        await reports.start()
        await kept_keys.start()
        yield
        await kept_keys.close()
        await reports.close()
        await revoker.close()
        await writer.close()
        await redis.aclose()
        storage.close()

    app = FastAPI(title="Heliostat gateway writer", lifespan=lifespan)
    app.include_router(reports.routes())
    Failures(metrics).add_to(app)
    _add_endpoints(app, writer)
    return app


def _add_endpoints(app: FastAPI, writer: Writer) -> None:
    registry = build_registry(writer)

    @app.get("/healthz")
    async def healthz() -> JsonObject:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(response: Response) -> JsonObject:
        """Whether records become rows; 503 with the reason while they do not."""
        if not writer.fault:
            return {"status": "ok"}
        response.status_code = 503
        return {"status": "waiting", "message": writer.fault}

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(
            generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )


def build_registry(writer: Writer) -> CollectorRegistry:
    """What the writer counts."""
    registry = CollectorRegistry()
    for name, text, value in (
        ("written", "Requests that became rows.", lambda: writer.consumer.written),
        (
            "buried",
            "Requests of dead gateways, booked as estimated.",
            lambda: writer.dead_gateways.buried,
        ),
        ("waiting", "1 while records can't become rows.", lambda: int(bool(writer.fault))),
    ):
        Gauge(f"{PREFIX}_writer_{name}", text, registry=registry).set_function(value)
    return registry
