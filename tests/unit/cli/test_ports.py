"""Ports of this machine: which is taken, and why one is not to be had."""

import errno
from contextlib import closing

import pytest

from heliostat_cli.embedded.ports import Taken, WantedPort, listen_from, port_of, refuse_port


def test_a_port_that_somebody_has_leads_to_the_next_one() -> None:
    told: list[Taken] = []
    with closing(listen_from(WantedPort())) as first:
        number = port_of(first)
        with closing(listen_from(WantedPort(number, told.append))) as second:
            assert port_of(second) > number
    assert told[0].port == number
    assert refuse_port(number, OSError(errno.EADDRINUSE, "Address already in use")) is None


@pytest.mark.parametrize(
    ("error", "fact", "remedy"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "port 80 needs rights that you don't have",
            "Ports below 1024 need rights; choose --port 8080.",
        ),
        (
            OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
            "port 80 can't be used: Cannot assign requested address",
            "Choose another with --port.",
        ),
    ],
)
def test_any_other_reason_is_said_and_no_other_port_is_tried(
    error: OSError, fact: str, remedy: str
) -> None:
    refused = refuse_port(80, error)
    assert refused is not None
    assert (refused.fact, refused.remedy) == (fact, remedy)
