"""Whether Redis is there, as this gateway knows it."""

import logging

from heliostat_gateway.redis_state.pipe import RedisAwayError

_LOG = logging.getLogger(__name__)


class Link:
    """Up or down. While it is down nobody asks Redis but the beat, once a second."""

    def __init__(self) -> None:
        self.reason = "The shared ledger was not asked yet."  # empty while it is up
        self.epoch = ""  # of the shared ledger; a new one means that Redis has lost its memory
        self.gateways = 1  # live ones, last known
        self.outages = 0

    @property
    def is_up(self) -> bool:
        """Whether to ask Redis."""
        return not self.reason

    def lose(self, error: RedisAwayError) -> None:
        """From now on this gateway is on its own."""
        if self.is_up:
            self.outages += 1
            _LOG.warning("the shared ledger is away, this gateway goes on alone: %s", error)
        self.reason = str(error)

    def find(self, epoch: str) -> None:
        """Everything is in the shared ledger again."""
        if not self.is_up:
            _LOG.info("the shared ledger is there")
        self.reason, self.epoch = "", epoch
