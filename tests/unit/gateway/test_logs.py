"""Which lines are written, and which are not."""

import asyncio
import gc
import logging
import socket
from collections.abc import Iterator

import pytest

from heliostat_gateway.observability.logs import set_up_logs


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What asyncio says under our own settings, which are taken back."""
    asyncios = logging.getLogger("asyncio")
    before = list(asyncios.filters)
    set_up_logs()
    yield caplog
    for each in set(asyncios.filters) - set(before):
        asyncios.removeFilter(each)


@pytest.mark.parametrize(
    ("error", "is_told"),
    [(socket.gaierror(-2, "Name or service not known"), False), (OSError("another"), True)],
)
async def test_a_lookup_that_nobody_waits_for_is_no_news(
    lines: pytest.LogCaptureFixture, error: OSError, is_told: bool
) -> None:
    given_up = asyncio.get_running_loop().create_future()
    given_up.set_exception(error)
    del given_up
    gc.collect()
    assert bool(lines.records) is is_told
