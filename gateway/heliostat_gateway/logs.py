"""Log lines: one JSON object each, with the request that they are about."""

import logging
import socket
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

import orjson

from heliostat_gateway.access.callers import Caller

_SUBJECT: ContextVar[dict[str, str] | None] = ContextVar("subject", default=None)


def begin_lines(request: str, caller: Caller) -> None:
    """From now on this task's lines name this request."""
    _SUBJECT.set(
        {
            "requestId": request,
            "correlationId": caller.correlation,
            "execution": caller.execution,
        }
    )


class JsonLines(logging.Formatter):
    """Writes a record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_SUBJECT.get() or {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return dump_line(line).decode()


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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("asyncio").addFilter(is_no_given_up_lookup)
