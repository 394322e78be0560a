"""What was decided of each request, and why: one line for people, one count for programs."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from heliostat_gateway.egress.callers import Caller
from heliostat_json.objects import dump_line

PREFIX: Final = "heliostat_egress"


class Verdict(StrEnum):
    """What became of a request."""

    ALLOWED = "Allowed"
    NO_KEY = "NoKey"
    KEY_REFUSED = "KeyRefused"
    GATEWAY_AWAY = "GatewayAway"
    NOT_TUNNELLED = "NotTunnelled"
    TARGET_UNREADABLE = "TargetUnreadable"
    NOT_NAMED = "NotNamed"
    ADDRESS_REFUSED = "AddressRefused"
    NOT_RESOLVED = "NotResolved"
    NOT_CONNECTED = "NotConnected"
    TOO_MANY = "TooMany"


@dataclass(frozen=True)
class Decision:
    """The verdict on one request; `target` and `address` as far as they were known."""

    verdict: Verdict
    message: str
    target: str = ""
    address: str = ""
    caller: Caller | None = None


class DecisionBook:
    """Writes and counts."""

    def __init__(self, write: Callable[[bytes], object] | None = None) -> None:
        self._write = write or sys.stdout.buffer.write
        self._flush: Callable[[], object] = sys.stdout.buffer.flush if write is None else int
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            f"{PREFIX}_decisions",
            "Requests for a tunnel, by what was decided.",
            ("verdict",),
            registry=self._registry,
        )
        for each in Verdict:
            self._decisions.labels(each)
        self._bytes = Counter(
            f"{PREFIX}_bytes",
            "Bytes that tunnels carried, by direction.",
            ("direction",),
            registry=self._registry,
        )
        for direction in ("in", "out"):
            self._bytes.labels(direction)
        self._open = Gauge(
            f"{PREFIX}_open_tunnels", "Tunnels that are open.", registry=self._registry
        )

    def note(self, decision: Decision) -> None:
        """One line of JSON, without any key."""
        self._decisions.labels(decision.verdict).inc()
        caller = decision.caller
        line: dict[str, object] = {
            "time": datetime.now(UTC),
            "level": "info" if decision.verdict is Verdict.ALLOWED else "warning",
            "logger": "heliostat_gateway.egress",
            "message": decision.message,
            "verdict": decision.verdict.value,
            "target": decision.target,
            "address": decision.address,
            "execution": caller.execution if caller else "",
            "attempt": caller.attempt if caller else 0,
            "agent": caller.agent if caller else "",
            "correlationId": caller.correlation_id if caller else "",
        }
        self._write(dump_line(line) + b"\n")
        self._flush()

    def count(self, direction: str, size: int) -> None:
        """Bytes that went `out` or `in`."""
        self._bytes.labels(direction).inc(size)

    def show_open(self, count: int) -> None:
        """How many tunnels there are now."""
        self._open.set(count)

    def text(self) -> str:
        """Metrics in the text format of Prometheus."""
        return generate_latest(self._registry).decode()
