"""The listening socket of a server."""

import socket

from heliostat_gateway.settings import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """Bound before anything else is touched. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"HELIOSTAT_GATEWAY_PORT ({port}) can't be used on {host}: {error.strerror}"
        ) from error
    return listening
