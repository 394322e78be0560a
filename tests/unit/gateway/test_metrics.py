"""What is counted is documented, is cheap, and has few labels."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from heliostat_gateway.breakers import BreakerPolicy, LocalBreakers, Result
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.metrics import Metrics, model_label
from heliostat_gateway.money.bookings import Booking, LedgerMode, LedgerState
from heliostat_gateway.money.prices import FlatRates, Rates, find_rates
from heliostat_gateway.money.usage import Usage
from heliostat_gateway.routes.credentials import NO_CREDENTIAL
from heliostat_gateway.routes.plans import Candidate, Timeouts
from heliostat_gateway.scripted.bill import Bill
from heliostat_gateway.scripted.provider import ScriptedProvider
from heliostat_gateway.shared.connection import open_redis
from heliostat_gateway.storage import Storage
from heliostat_gateway.tallies import Counts, Durations
from heliostat_gateway.writer.app import build_registry
from heliostat_gateway.writer.service import Writer
from tools.machine import ROOT

ROW = re.compile(r"^\| `(heliostat_gateway_\w+)(?:\{([a-z,]+)\})?` \|", re.MULTILINE)


def read_families(text: str) -> dict[str, tuple[str, ...]]:
    """Names as they are read, with their labels; each family must have a sample."""
    found: dict[str, tuple[str, ...]] = {}
    for family in text_string_to_metric_families(text):
        assert family.samples, family.name
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = tuple(sorted(set(family.samples[0].labels) - {"le"}))
    return found


def candidate(tmp_path: Path, rates: Rates, target: str = "target") -> Candidate:
    provider = ScriptedProvider({}, Bill(tmp_path / "bill.jsonl"))
    return Candidate(provider, NO_CREDENTIAL, target, rates, Timeouts())


def flat(*, is_default: bool = False) -> FlatRates:
    return FlatRates({"input": Decimal(1), "output": Decimal(1)}, is_default=is_default)


async def test_every_metric_is_documented_and_every_documented_one_exists(tmp_path: Path) -> None:
    metrics = Metrics()
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
    storage = Storage(tmp_path)
    writer = Writer(open_redis("redis://127.0.0.1:1/0"), storage)
    code = read_families(metrics.text().decode())
    code |= read_families(generate_latest(build_registry(writer)).decode())
    storage.close()
    page = (ROOT / "docs" / "gateway.md").read_text()
    documented = {
        name: tuple(sorted(labels.split(","))) if labels else ()
        for name, labels in ROW.findall(page)
    }
    assert documented == code


def test_a_call_is_counted_under_few_words(tmp_path: Path) -> None:
    metrics = Metrics()
    usage = Usage(input=3, output=5, cache_read=7)
    booking = Booking("id", 1, "scripted", "asked/name", "", usage, 11, True, False, "answered")
    metrics.settled(Dialect.CHAT, candidate(tmp_path, flat(), "hello"), booking)
    text = metrics.text().decode()
    assert 'cost_nanodollars_total{model="hello",provider="scripted"} 11.0' in text
    assert 'tokens_total{kind="cache_read",model="hello",provider="scripted"} 7.0' in text
    assert "asked/name" not in text
    assert "cache_write_5m" not in text


def test_names_from_outside_are_no_labels(tmp_path: Path) -> None:
    name = "claude-sonnet-4-5-20250929"
    rates = find_rates(name, "anthropic", datetime(2026, 11, 1, tzinfo=UTC))
    assert rates is not None
    assert model_label(candidate(tmp_path, rates, name)) == rates.model.id
    assert model_label(candidate(tmp_path, flat(), "own")) == "own"
    assert model_label(candidate(tmp_path, flat(is_default=True), "anything")) == "other"


def test_a_histogram_holds_what_is_equal_to_a_bound() -> None:
    found = Durations("name_seconds", "text", ("label",), (0.5, 1))
    for seconds in (0.1, 0.5, 0.7, 1, 9):
        found.observe(seconds, "a")
    (family,) = found.collect()
    counts = [each.value for each in family.samples if each.name == "name_seconds_bucket"]
    assert counts == [2, 4, 5]
    total = {each.name: each.value for each in family.samples}
    assert total["name_seconds_count"] == 5
    assert total["name_seconds_sum"] == 11.3
