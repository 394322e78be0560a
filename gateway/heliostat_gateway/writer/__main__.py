"""`python -m heliostat_gateway.writer`: writes the ledger's rows until it is told to stop."""

import sys

import uvicorn

from heliostat_gateway.observability.logs import set_up_logs
from heliostat_gateway.serving.listening import listen
from heliostat_gateway.settings import SettingsError, read_settings
from heliostat_gateway.storage import StorageError
from heliostat_gateway.writer.app import create_writer_app


def main() -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code; 2 is a mistake in the settings."""
    set_up_logs()
    try:
        settings = read_settings()
        listening = listen(settings.host, settings.port)
        app = create_writer_app(settings)
    except (SettingsError, StorageError) as error:
        print(f"heliostat-gateway-writer: {error}", file=sys.stderr)  # noqa: T201
        return 2
    config = uvicorn.Config(app, server_header=False, access_log=False, log_config=None)
    uvicorn.Server(config).run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
