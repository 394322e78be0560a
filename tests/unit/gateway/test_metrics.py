"""What is counted is documented, is cheap, and has few labels."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.money.bookings import Booking, Usage
from heliostat_gateway.money.prices import FlatRates, Rates, find_rates
from heliostat_gateway.observability.metrics import Durations, Metrics, model_label
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.providers.scripted import ScriptedProvider
from heliostat_gateway.routes.plans import Candidate
from heliostat_gateway.routes.table import Timeouts
from heliostat_scripted.bill import Bill


def candidate(tmp_path: Path, rates: Rates, target: str = "target") -> Candidate:
    provider = ScriptedProvider({}, Bill(tmp_path / "bill.jsonl"))
    return Candidate(provider, NO_CREDENTIAL, target, rates, Timeouts())


def flat(*, is_default: bool = False) -> FlatRates:
    return FlatRates({"input": Decimal(1), "output": Decimal(1)}, is_default=is_default)


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
