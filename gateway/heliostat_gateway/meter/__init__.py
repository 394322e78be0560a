"""Meters: what an answer has used, read from what passes by, one for each dialect."""

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.meter.base import Meter
from heliostat_gateway.meter.chat import ChatMeter
from heliostat_gateway.meter.gemini import GeminiMeter
from heliostat_gateway.meter.messages import MessagesMeter

__all__ = ["Meter", "new_meter"]

_METERS: dict[Dialect, type[Meter]] = {
    Dialect.MESSAGES: MessagesMeter,
    Dialect.CHAT: ChatMeter,
    Dialect.GEMINI: GeminiMeter,
}


def new_meter(dialect: Dialect, request_bytes: int) -> Meter:
    """A meter for one answer to a request of this size."""
    return _METERS[dialect](request_bytes)
