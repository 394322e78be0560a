"""`python -m heliostat_gateway.egress`: serves tunnels until it is told to stop."""

import asyncio
import signal
import sys
import time

from heliostat_gateway.egress.callers import Callers
from heliostat_gateway.egress.decisions import DecisionBook
from heliostat_gateway.egress.proxy import EgressProxy
from heliostat_gateway.egress.settings import EgressSettings, read_egress_settings
from heliostat_gateway.observability.logs import set_up_logs
from heliostat_gateway.settings import SettingsError


def main() -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code; 2 is a mistake in the settings."""
    set_up_logs()
    try:
        asyncio.run(serve(read_egress_settings()))
    except (SettingsError, OSError) as error:
        print(f"heliostat-egress: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


async def serve(settings: EgressSettings) -> None:
    """Until a signal. Raises OSError when the port is taken."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    callers = Callers(settings.gateway_url, settings.key_seconds, time.monotonic)
    proxy = EgressProxy(settings, callers, DecisionBook())
    await proxy.start()
    await stop.wait()
    await proxy.close()


if __name__ == "__main__":
    sys.exit(main())
