"""Ports of this machine for what a test starts, and for addresses where nobody listens."""

import itertools
import os
import random
import socket
from collections.abc import Iterator

_PORTS = 4_000


def _shuffled_ports() -> Iterator[int]:
    """Below those that the kernel gives to whoever asks for any, each worker of pytest with a range
    of its own: a port may be kept for minutes before somebody listens there."""
    first = 15_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) * _PORTS
    return itertools.cycle(random.SystemRandom().sample(range(first, first + _PORTS), _PORTS))


_candidates = _shuffled_ports()


def free_port() -> int:
    """One that nobody has, and that is given to nobody else of this test run."""
    return find_free_ports(1)[0]


def find_free_ports(count: int) -> list[int]:
    """None of them twice."""
    return list(itertools.islice(filter(_is_free, _candidates), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
