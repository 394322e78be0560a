"""`python -m heliostat_gateway`: serves the gateway until it is told to stop."""

import asyncio
import gc
import logging
import socket
import sys
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from heliostat_gateway.calls.lifecycle import OpenCalls
from heliostat_gateway.main import create_app
from heliostat_gateway.observability.logs import set_up_logs
from heliostat_gateway.serving.listening import listen
from heliostat_gateway.settings import SettingsError, read_settings
from heliostat_gateway.storage import StorageError

# Above the idle time of usual clients and load balancers (60 s), so that they close first.
KEEP_ALIVE_SECONDS = 65
_LOG = logging.getLogger(__name__)
_SHUTDOWN_SECONDS = 5
_SILENCE_SECONDS = 2
_LOOK_SECONDS = 0.05
# New objects between two looks for cycles; Python's own 700 means a look at each second request,
# which finds next to nothing and takes a sixth of a request's time.
_OBJECTS_BETWEEN_LOOKS = 20_000


class Server(uvicorn.Server):
    """Lets open streams come to their end, for a while; then ends them with an error event."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops: no new connection, every call ended and booked, then uvicorn's own shutdown."""
        app = self.config.app
        if isinstance(app, FastAPI):
            for server in self.servers:
                server.close()
            gateway = app.state.gateway
            calls = gateway.handler.dependencies.calls
            with suppress(TimeoutError):
                async with asyncio.timeout(gateway.settings.drain_seconds):
                    await self._see_out(calls)
            for connection in list(self.server_state.connections):
                connection.shutdown()  # at once when it is idle, else after its answer
            await calls.end_all()
        await super().shutdown(sockets)

    async def _see_out(self, calls: OpenCalls) -> None:
        """Waits until no client is connected, or no call is open and none was asked for a while.

        Whoever is connected may ask once more, and hears with the answer that the connection
        closes: a connection that closes unannounced may do so just when its client asks.
        """
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        silence, answered = 0.0, state.total_requests
        while (calls or state.connections) and silence < _SILENCE_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            is_silent = not calls and state.total_requests == answered
            silence = silence + _LOOK_SECONDS if is_silent else 0.0
            answered = state.total_requests


def main() -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code; 2 is a mistake in the settings."""
    set_up_logs()
    try:
        settings = read_settings()
        listening = listen(settings.host, settings.port)
        app = create_app(settings)
    except (SettingsError, StorageError) as error:
        print(f"heliostat-gateway: {error}", file=sys.stderr)  # noqa: T201
        return 2
    config = uvicorn.Config(
        app,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        server_header=False,
        access_log=False,
        proxy_headers=False,  # nobody here asks where a request came from
        log_config=None,
    )
    host, port, *_ = listening.getsockname()
    _LOG.warning("listening on %s, port %d. %s", host, port, _what_is_missing(app))
    spare_collections()
    Server(config).run(sockets=[listening])
    return 0


def _what_is_missing(app: FastAPI) -> str:
    """What keeps it from real models, and how to mend that."""
    gateway = app.state.gateway
    if gateway.settings.default_provider == "scripted":
        return "Answers are scripted; for real models set ANTHROPIC_API_KEY or another provider's."
    missing = gateway.handler.router.missing
    return f"{missing}." if missing else "Models can be called."


def spare_collections() -> None:
    """What is there now stays until the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, *gc.get_threshold()[1:])


if __name__ == "__main__":
    sys.exit(main())
