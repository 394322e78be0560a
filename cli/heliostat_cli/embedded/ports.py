"""Ports of this machine: the one that is wanted, or the next one that is free."""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

from heliostat_cli.errors import CliError

HOST = "127.0.0.1"
NAMES: Final = frozenset({HOST, "localhost"})
"""What it is called from this machine."""
_TRIES = 50
_PORTS = 65536


@dataclass(frozen=True)
class Taken:
    """A port that somebody else listens on."""

    port: int
    holder: str


def tell_nobody(taken: Taken) -> None:
    """For who has nobody to tell of it."""


@dataclass(frozen=True)
class WantedPort:
    """Listens there, or on the next one that is free; 0: wherever the system likes.

    `tell` hears of each that somebody else has.
    """

    first: int = 0
    tell: Callable[[Taken], None] = tell_nobody


ANY_PORT: Final = WantedPort()


def listen_from(wanted: WantedPort) -> socket.socket:
    """Listens on the first free port. Raises CliError when none of 50 is, or none may be had."""
    first = wanted.first
    for port in range(first, min(first + _TRIES, _PORTS)):
        try:
            return listen_on(port)
        except OSError as error:
            if refusal := refuse_port(port, error):
                raise refusal from error
            wanted.tell(Taken(port, find_holder(port)))
    raise CliError(
        f"no port from {first} to {first + _TRIES - 1} is free", "Choose another with --port."
    )


def refuse_port(port: int, error: OSError) -> CliError | None:
    """Why that port is not to be had, nor the next one; None where somebody else has it."""
    if error.errno == errno.EADDRINUSE:
        return None
    if error.errno == errno.EACCES:
        return CliError(
            f"port {port} needs rights that you don't have",
            "Ports below 1024 need rights; choose --port 8080.",
        )
    return CliError(f"port {port} can't be used: {error.strerror}", "Choose another with --port.")


def listen_on(port: int) -> socket.socket:
    """Raises OSError where that can't be."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()  # until then another one may bind it, too
    except OSError:
        listening.close()
        raise
    return listening


def port_of(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def find_holder(port: int) -> str:
    """Who listens there: name and process id, as far as we may know it."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return "another program"
    for each in connections:
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port:
            return name_process(each.pid)
    return "another program"


def name_process(pid: int | None) -> str:
    """`python3 (process 123)`."""
    if pid is None:
        return "another user's program"
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"
