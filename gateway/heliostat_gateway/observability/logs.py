"""Log lines of the gateway's programs: how they are set up, and one that is left out."""

import logging
import socket

from heliostat_telemetry.lines import set_up_lines


def is_no_given_up_lookup(record: logging.LogRecord) -> bool:
    """False for asyncio's word on a name that was still looked up when nobody waited any more.

    A connection gives up after its deadline, the resolver fails seconds later, several times a
    second while a name is away. Whoever wanted the connection has told of that, once.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, socket.gaierror)


def set_up_logs() -> None:
    """All of this process's lines go to stderr as JSON, from `info` on."""
    set_up_lines()
    logging.getLogger("asyncio").addFilter(is_no_given_up_lookup)
