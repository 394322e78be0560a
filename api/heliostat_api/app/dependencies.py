"""The dependencies of the api, which the program that starts it opens and closes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic

from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.model_connection import ModelConnection
from heliostat_api.documents.files import FileBounds
from heliostat_api.documents.port import Documents
from heliostat_api.events.log import EventLog
from heliostat_api.gateway.client import GatewayPlace
from heliostat_api.web.limits import Buckets, LocalBuckets
from heliostat_core.worlds import Logs, World
from heliostat_telemetry.spans import Spans


@dataclass(frozen=True)
class Dependencies:
    """Holds what the api works with: the world, the stores, the settings."""

    world: Callable[[str], World]
    """The world, written to under the name of a field manager."""
    logs: Logs
    keys_dir: Path
    """The operator's public keys, which tell who delivers."""
    documents: Documents
    log: EventLog
    session_secrets: tuple[bytes, ...]
    """The first signs; every one is believed."""
    hosts: frozenset[str]
    """Host names that it answers to; empty: any."""
    namespace: str
    """Where the dashboard's agents live."""
    owner: str | None
    """The person who owns unowned objects; None if there is none."""
    clock: Callable[[], datetime]
    settings: ApiSettings | None = None
    """Of a server for many; None: one local person, as in `heliostat dev`."""
    gateway: GatewayPlace | None = None
    """Where model calls go, money and keys are kept; None: there is no gateway, and none of it."""
    chat_model: str = ""
    chat_test_seconds: int = 120
    model_connection: ModelConnection | None = None
    """How the chat reaches a model, if not on keys of the api through its gateway."""
    is_alone: bool = False
    """Whether this is the only replica that there can be."""
    file_bounds: FileBounds = field(default_factory=FileBounds)
    """Of the files of runs that are kept."""
    buckets: Buckets = field(default_factory=lambda: LocalBuckets(monotonic))
    """What counts requests."""
    spans: Spans | None = None
    """Where traces go."""
