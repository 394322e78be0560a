"""The api as the runner sees it: one request at a time, and what its answer means."""

from __future__ import annotations

import asyncio
import http.client
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from .jsonvalue import JsonValue, load, look, text_at

_ANSWER_SECONDS = 10.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_LONGEST_ASKED_PAUSE = 60.0
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a connection fails that the other side closed while nobody used it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where nothing did."""

    status: int
    body: bytes = b""
    retry_after: str = ""


@dataclass(frozen=True)
class Position:
    """How much the api has; `is_refused` when it could not use what was sent."""

    next: int
    is_refused: bool = False


@dataclass(frozen=True)
class Later:
    """Not now; `seconds` is what the api asked for, None when it said nothing."""

    seconds: float | None = None


@dataclass(frozen=True)
class Never:
    """Asking again is pointless."""

    why: str
    status: int = 0


Meaning = Position | Later | Never


def read_answer(answer: Answer) -> Meaning:
    """What to do after an answer."""
    status = answer.status
    if status in (200, 409):
        position = _next(answer.body)
        return Later() if position is None else Position(position, status == 409)
    if status in (0, 408, 429) or status >= 500:
        return Later(_seconds(answer.retry_after))
    return Never(f"the api answered {status}: {_words(answer.body)}", status)


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row (at least 1), not the same for everybody."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << min(failures - 1, 10)))
    return longest * random.uniform(0.5, 1)


class Api:
    """One connection, kept open. Not for two requests at once."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._connection = _connect(parts.scheme, parts.netloc)
        self._base = parts.path.rstrip("/")
        self._key = key

    async def ask(self, request: Request) -> Answer:
        """Never fails; an api that is away answers with status 0."""
        return await in_thread(lambda: self._ask(request))

    def _ask(self, request: Request) -> Answer:
        used = self._connection.sock is not None
        try:
            return self._send(request)
        except _STALE:
            self._connection.close()
            if not used:
                return Answer(0)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(0)
        return self._ask(request)

    def _send(self, request: Request) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": request.type}
        self._connection.request(request.method, self._base + request.path, request.body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.read(), response.getheader("Retry-After") or "")


async def in_thread(work: Callable[[], T]) -> T:
    """As asyncio.to_thread, but a thread that hangs keeps no process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def carry_out() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            failure = error
            _tell(lambda: done.set_exception(failure))
        else:
            _tell(lambda: done.set_result(value))

    def _tell(finish: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else finish())

    threading.Thread(target=carry_out, daemon=True).start()
    return await done


def _connect(scheme: str, host: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, timeout=_ANSWER_SECONDS)
    return http.client.HTTPConnection(host, timeout=_ANSWER_SECONDS)


def _next(body: bytes) -> int | None:
    try:
        value: JsonValue = look(load(body), "next")
    except ValueError:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def _seconds(text: str) -> float | None:
    return min(float(text), _LONGEST_ASKED_PAUSE) if text.isascii() and text.isdecimal() else None


def _words(body: bytes) -> str:
    """The detail of a problem (RFC 9457), or the beginning of whatever it is."""
    try:
        detail = text_at(load(body), "detail")
    except ValueError:
        detail = ""
    return (detail or body[:200].decode(errors="replace")).strip()[:200] or "nothing more"
