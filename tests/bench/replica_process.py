"""One replica of the api for many people over SQLite and a world in memory, filled at its start;
its event log is in a file, or in a Redis.

`python -m bench.replica_process FOLDER`; the folder's order.json says what for.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from pydantic import BaseModel

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.app.server import ApiServer
from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.gateway.client import GatewayPlace, Identity
from support.memory_world import MemoryWorld
from support.shared_api import SECRET, ApiApp, Clock, NoLogs


class Order(BaseModel):
    """Whose api it is, and where. `people` have an agent each, and so many runs."""

    port: int
    people: Sequence[str]
    runs: int
    gateway: str
    private: str
    redis: str = ""
    """Where the event log is; empty: in a file."""
    model: str = "scripted/designer"


class PassingClock(Clock):
    """Time as it is."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def build_api(folder: Path, order: Order) -> ApiApp:
    """Everybody asks from one address here, so addresses have no limit; people have theirs."""
    world, clock = MemoryWorld(), PassingClock()
    documents = open_sqlite(folder / "documents.sqlite")
    place = GatewayPlace(order.gateway, Identity(order.private, clock)) if order.gateway else None
    dependencies = Dependencies(
        world=lambda _: world,
        logs=NoLogs(),
        keys_dir=folder / "keys",
        documents=documents,
        log=RedisEventLog(order.redis) if order.redis else SqliteEventLog(folder / "events.sqlite"),
        session_secrets=(SECRET,),
        hosts=frozenset(),
        namespace="default",
        owner=None,
        clock=clock,
        settings=ApiSettings(limit_address=0),
        gateway=place,
        chat_model=order.model,
        chat_test_seconds=0,  # nothing here runs what is tried
    )
    return ApiApp(create_app(dependencies), world, documents, clock, dependencies)


async def fill(api: ApiApp, order: Order) -> None:
    for at, person in enumerate(order.people):
        await api.give_agent(person, f"agent-{at}")
        for number in range(order.runs):
            await api.give_execution(person, f"run-{at}-{number}")


async def serve(folder: Path) -> None:
    """Until a signal."""
    order = Order.model_validate_json((folder / "order.json").read_bytes())
    api = build_api(folder, order)
    try:
        await fill(api, order)
        config = uvicorn.Config(
            api.app,
            host="127.0.0.1",
            port=order.port,
            server_header=False,
            access_log=False,
            log_config=None,
        )
        await ApiServer(config).serve()
    finally:
        await api.dependencies.log.close()
        await api.documents.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
