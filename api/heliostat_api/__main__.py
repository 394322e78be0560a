"""`python -m heliostat_api`: the api in a cluster; `backup` and `restore` copy its store."""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.app.server import ApiServer
from heliostat_api.app.settings import PREFIX, ApiSettings
from heliostat_api.app.startup import StartError, naming, read_settings
from heliostat_api.documents.files import FileBounds
from heliostat_api.documents.port import Documents, StoreError
from heliostat_api.documents.sqlite.backups import back_up, restore
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.log import Bounds, EventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.gateway.client import GatewayPlace, Identity, read_signing_key
from heliostat_api.people.secrets import read_secret
from heliostat_api.people.signed_tokens import read_secrets
from heliostat_api.web.limits import Buckets, LocalBuckets
from heliostat_core.worlds import WorldError
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_telemetry.lines import set_up_lines
from heliostat_telemetry.spans import open_spans

# Above the idle time of usual clients and load balancers (60 s), so that they close first.
_KEEP_ALIVE_SECONDS = 65
_DATA_DIR = f"{PREFIX}DATA_DIR"
_SECRETS_FILE = f"{PREFIX}SESSION_SECRETS_FILE"
_SIGNING_FILE = f"{PREFIX}SIGNING_KEY_FILE"
_STORE = f"{PREFIX}STORE"
_COPIES = (
    f"Copies of the SQLite store in {_DATA_DIR}, while the api may be using it. Without a command: "
    "the api itself."
)


async def serve(settings: ApiSettings) -> None:
    """Until a signal. Raises StartError and WorldError of what it can't begin without."""
    async with open_dependencies(settings) as dependencies:
        config = uvicorn.Config(
            create_app(dependencies),
            host=settings.host,
            port=settings.port,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.drain_seconds,
            server_header=False,
            access_log=False,
            log_config=None,
        )
        await ApiServer(config).serve()


@asynccontextmanager
async def open_dependencies(settings: ApiSettings) -> AsyncIterator[Dependencies]:
    """Cluster, store and log, closed at the end of the block."""
    async with AsyncExitStack() as stack:
        secrets, place = session_secrets(settings), gateway_place(settings)
        documents = open_documents(settings)
        stack.push_async_callback(documents.close)
        log = open_log(settings)
        stack.push_async_callback(log.close)
        world = await stack.enter_async_context(await KubernetesWorld.connect())
        buckets = open_buckets(settings)
        stack.push_async_callback(buckets.close)
        spans = open_spans("heliostat-api", settings.otlp_endpoint)
        if spans:
            stack.push_async_callback(spans.close)
        yield Dependencies(
            world=world.as_manager,
            logs=world,
            documents=documents,
            log=log,
            keys_dir=settings.keys_dir,
            session_secrets=secrets,
            hosts=frozenset(),  # those of the settings are answered to
            namespace=settings.namespace,
            owner=None,
            clock=now,
            settings=settings,
            gateway=place,
            chat_model=settings.chat_model,
            chat_test_seconds=settings.chat_test_seconds,
            is_alone=settings.store == "sqlite",
            file_bounds=FileBounds(settings.file_bytes, settings.files_bytes),
            buckets=buckets,
            spans=spans,
        )


def session_secrets(settings: ApiSettings) -> tuple[bytes, ...]:
    """Those that were given, else one of our own. Raises StartError."""
    if settings.session_secrets_file is None:
        with naming(_DATA_DIR):
            return (read_secret(settings.data_dir / "session.key"),)
    with naming(_SECRETS_FILE):
        return read_secrets(settings.session_secrets_file)


def gateway_place(settings: ApiSettings) -> GatewayPlace | None:
    """None where no gateway is set. Raises StartError."""
    if not settings.gateway_url:
        return None
    given = settings.signing_key_file
    with naming(_DATA_DIR if given is None else _SIGNING_FILE):
        path = given or settings.data_dir / "signing.pem"
        private = read_signing_key(path, makes=given is None)
    return GatewayPlace(settings.gateway_url, Identity(private, now), settings.reports_url)


def now() -> datetime:
    """In UTC."""
    return datetime.now(UTC)


def open_documents(settings: ApiSettings) -> Documents:
    """The store of the settings. Raises StartError."""
    if settings.store == "sqlite":
        with naming(_DATA_DIR):
            return open_sqlite(settings.data_dir / "documents.sqlite")
    # Imported here: Google's client takes a second and 60 MiB, which nobody else should wait for.
    from heliostat_api.documents.firestore.store import open_firestore

    with naming(_STORE):
        return open_firestore(
            settings.google_cloud_project,
            settings.firestore_database,
            settings.firestore_emulator or None,
        )


def open_log(settings: ApiSettings) -> EventLog:
    """The event log of the settings. Raises StartError."""
    url = settings.redis_url.get_secret_value()
    bounds = Bounds(most_bytes=settings.events_bytes, total_bytes=settings.events_total_bytes)
    if not url:
        with naming(_DATA_DIR):
            path = settings.data_dir / "events.sqlite"
            return SqliteEventLog(path, bounds)
    from heliostat_api.events.redis_log import RedisEventLog

    return RedisEventLog(url, bounds)


def open_buckets(settings: ApiSettings) -> Buckets:
    """Shared by all replicas where they have a Redis. Raises ValueError."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return LocalBuckets(time.monotonic)
    from heliostat_api.web.redis_buckets import RedisBuckets

    return RedisBuckets(url)


def main(words: Sequence[str] = ()) -> int:
    """0 after a signal, 1 without a cluster, 2 for a setting that is wrong or leads nowhere."""
    if words:
        return copy(words)
    set_up_lines()
    # Its lines have whole addresses, and that of a webhook may hold a secret.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(read_settings(os.environ)))
    except StartError as error:
        return say(error, 2)
    except WorldError as error:
        return say(error, 1)
    return 0


def copy(words: Sequence[str]) -> int:
    """A backup is made or restored. 0; 1 when it can't be; 2 for what is not understood."""
    parser = argparse.ArgumentParser("python -m heliostat_api", description=_COPIES)
    commands = parser.add_subparsers(required=True, dest="command")
    for name, help_, file in (
        ("backup", "write the store to a new file", "a file that is not there yet"),
        (
            "restore",
            "replace what the store holds, which is kept beside it",
            "a file that backup wrote",
        ),
    ):
        commands.add_parser(name, help=help_).add_argument("file", type=Path, help=file)
    given = parser.parse_args(words)
    try:
        settings = read_settings(os.environ)
        if settings.store != "sqlite":
            raise StartError(
                f"{_STORE}: Firestore makes its own backups: `gcloud firestore export`"
            )
        store = settings.data_dir / "documents.sqlite"
        if given.command == "backup":
            back_up(store, given.file)
        else:
            aside = store.with_name(f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite")
            restore(given.file, store, aside)
            if aside.exists():
                sys.stdout.write(f"what the store held is in {aside}\n")
    except StartError as error:
        return say(error, 2)
    except (StoreError, OSError) as error:
        return say(error, 1)
    return 0


def say(error: Exception, code: int) -> int:
    """The code to end with, after the reason."""
    for line in str(error).splitlines():
        sys.stderr.write(f"heliostat-api: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
