"""The ports of `heliostat dev`: a family of neighbours, or the next one that is free."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from heliostat_cli.errors import CliError

HOST = "127.0.0.1"
_TRIES = 50
_PORTS = 65536


@dataclass(frozen=True)
class Taken:
    """A port that somebody else listens on."""

    port: int
    holder: str


def listen_from(first: int, tell: Callable[[Taken], None]) -> socket.socket:
    """Listens on the first free port from `first` on. Raises CliError when none of 50 is."""
    for port in range(first, min(first + _TRIES, _PORTS)):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError:
            listening.close()
            tell(Taken(port, find_holder(port)))
            continue
        listening.listen()
        return listening
    raise CliError(
        f"no port from {first} to {first + _TRIES - 1} is free", "Choose another with --port."
    )


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
