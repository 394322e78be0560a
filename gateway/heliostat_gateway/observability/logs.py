"""Log lines of the gateway's programs, written fast enough for each request."""

import logging
import socket

import orjson

from heliostat_telemetry.lines import set_up_lines


def dump_line(line: dict[str, object]) -> bytes:
    """A line as JSON, without its end; what is no JSON is written as its text."""
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)
    except TypeError:  # half of a surrogate pair: no UTF-8 says it
        texts = {name: repr(value) for name, value in line.items()}
        return orjson.dumps(texts, option=orjson.OPT_UTC_Z)


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
