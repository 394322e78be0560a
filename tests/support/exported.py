"""What each service exports: names, kinds and labels, read as Prometheus reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from heliostat_api.web.metrics import Metrics as ApiMetrics
from heliostat_core.executions import BlockedBy, ExecutionStatus
from heliostat_gateway.breakers import BreakerPolicy, LocalBreakers, Result
from heliostat_gateway.egress.decisions import DecisionBook
from heliostat_gateway.money.bookings import LedgerMode, LedgerState
from heliostat_gateway.observability.metrics import Counts, Durations
from heliostat_gateway.observability.metrics import Metrics as GatewayMetrics
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.storage import Storage
from heliostat_gateway.writer.app import build_registry
from heliostat_gateway.writer.service import Writer
from heliostat_operator.model.indexes import OpenAsks, UnfinishedRuns
from heliostat_operator.observability.metrics import KINDS
from heliostat_operator.observability.metrics import Metrics as OperatorMetrics
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)


@dataclass(frozen=True)
class Family:
    """One metric of a service."""

    service: str
    kind: str
    labels: frozenset[str]
    bounds: tuple[float, ...] = field(default=(), compare=False)
    """Of a histogram's buckets, the last one infinite."""


Families = Mapping[str, Family]
"""By the name that a row of the documentation has: a counter with its `_total`."""


async def exported(folder: Path) -> Families:
    """Every metric of every service, each with a sample."""
    texts = {
        "operator": operator_text(),
        "api": api_text(),
        "gateway": await gateway_text(),
        "writer": writer_text(folder),
        "egress": DecisionBook(lambda _line: None).text().encode(),
    }
    return {
        name: family
        for service, text in texts.items()
        for name, family in read_families(service, text.decode()).items()
    }


def read_families(service: str, text: str) -> Families:
    """The families of a text that was scraped."""
    found: dict[str, Family] = {}
    for each in text_string_to_metric_families(text):
        assert each.samples, f"{each.name} has no sample"
        name = f"{each.name}_total" if each.type == "counter" else each.name
        if name.endswith("_created"):
            continue  # when a counter began: the library adds it to each
        labels = frozenset(each.samples[0].labels) - {"le"}
        bounds = {float(one.labels["le"]) for one in each.samples if "le" in one.labels}
        found[name] = Family(service, each.type, labels, tuple(sorted(bounds)))
    return found


def operator_text() -> bytes:
    """After one run of one Agent, while another one waits."""
    metrics, census = OperatorMetrics(), UnfinishedRuns()
    metrics.watch(census, lambda: NOW, lambda: True)
    metrics.watch_asks(OpenAsks(), lambda: NOW, lambda: True)
    metrics.expect({"api": "http://heliostat-api:8080", "egress": ""})
    waits = ExecutionStatus(blocked_by=(BlockedBy(reason="AgentConcurrency"),))
    census.see(make_execution("waits", status=waits))
    over = make_attempt(start=NOW, end=NOW + seconds(5))
    ended = make_condition_status(over, succeeded="True", reason="Verified", settled="True")
    metrics.moved(make_execution(), make_execution(status=ended))
    for kind in KINDS:
        metrics.reconciled(kind, 0.1)
        metrics.queue_depth.labels(kind).set(0)
    return metrics.text()


def api_text() -> bytes:
    """After one request."""
    metrics = ApiMetrics()
    metrics.watch(lambda: 0, lambda: 0.0)
    metrics.requests.labels("GET", "/api/agents", "2xx").inc()
    metrics.store.labels("get").observe(0.1)
    return generate_latest(metrics.registry)


async def gateway_text() -> bytes:
    """With one of each, and a breaker that is open."""
    metrics = GatewayMetrics()
    for each in vars(metrics).values():
        if isinstance(each, Counts):
            each.add(*("x" for _ in each.labels))
        elif isinstance(each, Durations):
            each.observe(1.0, *("x" for _ in each.labels))
    breakers = LocalBreakers(BreakerPolicy(minimum=1))
    admission = await breakers.admit("p/m/k")
    await breakers.record("p/m/k", Result.FAILED, admission)
    metrics.watch(breakers)
    metrics.watch_ledger(lambda: LedgerState(LedgerMode.EMBEDDED))
    return metrics.text()


def writer_text(folder: Path) -> bytes:
    """Before its first record."""
    storage = Storage(folder)
    try:
        writer = Writer(open_redis("redis://127.0.0.1:1/0"), storage)
        return generate_latest(build_registry(writer))
    finally:
        storage.close()
