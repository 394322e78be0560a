"""What a request costs: before it what is expected, after it what its answer says.

Expected = counted input (bytes / 4, rounded up) + the output that this agent got from this model
lately. An answer costs by everything that it says of itself; what of it the price book can not
price is named.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, TypeAlias

from heliostat_core.money import NANOS_PER_DOLLAR
from heliostat_gateway.money.bookings import PLAIN, Estimate, Iteration, Usage
from heliostat_gateway.money.prices import PARTS, Rates, RateTable, sum_nanos
from heliostat_json.objects import JsonObject

# What an agent without a history is expected to get: about a page of text or a large tool call.
DEFAULT_OUTPUT_TOKENS: Final = 1000
_MEAN_SHARE = 8  # of a new value, one eighth
_SCALE = 256  # integers with a fraction
_AGENTS = 4096


@dataclass
class _Recent:
    """Smoothed mean and deviation of outputs, as TCP estimates its round trips; scaled."""

    mean: int
    deviation: int

    def learn(self, output: int) -> None:
        off = output * _SCALE - self.mean
        self.mean += off // _MEAN_SHARE
        self.deviation += (abs(off) - self.deviation) // _MEAN_SHARE

    @property
    def expected(self) -> int:
        return -(-(self.mean + 2 * self.deviation) // _SCALE)


class OutputHistory:
    """Recent outputs by agent and model, in this process; the longest unused are forgotten."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[str, str], _Recent] = OrderedDict()

    def learn(self, agent: str, model: str, output: int) -> None:
        """Takes in what a whole answer put out."""
        recent = self._recent.get((agent, model))
        if recent is None:
            self._recent[agent, model] = _Recent(output * _SCALE, output * _SCALE // 2)
            if len(self._recent) > _AGENTS:
                self._recent.popitem(last=False)
            return
        recent.learn(output)
        self._recent.move_to_end((agent, model))

    def expected(self, agent: str, model: str, max_tokens: int | None) -> int:
        """Tokens that the next answer will probably have; never above `max_tokens`."""
        recent = self._recent.get((agent, model))
        expected = DEFAULT_OUTPUT_TOKENS if recent is None else recent.expected
        return expected if max_tokens is None else min(expected, max_tokens)


def max_tokens_of(document: JsonObject) -> int | None:
    """The maximum that a request names, in either dialect."""
    found = [
        value
        for name in ("max_completion_tokens", "max_tokens")
        if type(value := document.get(name)) is int and value >= 0
    ]
    return found[0] if found else None


def counted_input(request_bytes: int) -> Usage:
    """What a request counts for that no answer has reported on."""
    return Usage(input=-(-request_bytes // 4))


def expect(rates: Rates, request_bytes: int, output: int) -> Estimate:
    """Counted input and `output` tokens. Raises KeyError for an unpriced kind."""
    usage = counted_input(request_bytes)
    whole = Usage(input=usage.input, output=output)
    cost = cost_nanos(rates, whole)
    return Estimate(whole, cost, output_nanos=max(0, cost - cost_nanos(rates, usage)))


_MEDIA: Final = tuple(name for name in PARTS if name.startswith("input_"))


@dataclass(frozen=True)
class Charge:
    """The cost of one answer. It is exact if nothing is `unpriced`, else what is known of it."""

    nanos: int
    unpriced: tuple[str, ...] = ()


def cost_nanos(rates: Rates, usage: Usage) -> int:
    """Cost of one request in nano-dollars, rounded once. Raises KeyError for an unpriced kind."""
    nanos, missing = _sum(_lines(rates, usage))
    if missing:
        raise KeyError(missing[0])
    return nanos


def charge(rates: Rates, usage: Usage) -> Charge:
    """Cost of one answer, rounded once, by everything that it says of itself."""
    terms = usage.terms
    if rates.takes_stated and terms.stated_dollars:
        dollars = Decimal(terms.stated_dollars) * NANOS_PER_DOLLAR
        return Charge(int(dollars.to_integral_value(ROUND_HALF_EVEN)))
    is_plain = terms is PLAIN and usage.speed in _ORDINARY_SPEEDS
    nanos, missing = _sum(_lines(rates, usage))
    if is_plain and not missing:
        return Charge(nanos)
    unpriced = () if is_plain else _unpriced(rates, usage)
    return Charge(nanos, tuple(sorted({*terms.unpriced, *unpriced, *missing})))


_ORDINARY_SPEEDS: Final = frozenset({"", "standard"})


_Line: TypeAlias = tuple[str, int, Decimal | None]


def _sum(lines: list[_Line]) -> tuple[int, list[str]]:
    """Nano-dollars of the lines that have a price, and the kinds of the others."""
    priced: list[tuple[int, Decimal]] = []
    missing: list[str] = []
    for name, count, price in lines:
        if price is None:
            missing.append(name)
        else:
            priced.append((count, price))
    return sum_nanos(priced), missing


def _lines(rates: Rates, usage: Usage) -> list[_Line]:
    """What is billed: kind, count, dollars per million (None: no price is known)."""
    table = rates.table(usage)
    lines: list[_Line] = []
    if usage.web_searches:
        lines.append(("web_searches", usage.web_searches, table.get("web_searches")))
    if not usage.terms.iterations:
        return lines + _tokens(table, usage)
    for each in usage.terms.iterations:
        found = _of_iteration(usage, each)
        lines += _tokens(_rates_of(rates, each).table(found), found)
    return lines


def _tokens(table: RateTable, usage: Usage) -> list[_Line]:
    left = {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
    }
    lines: list[_Line] = []
    if usage.terms.parts or usage.thinking:
        lines = _take_parts(table, usage, left)
    for name, count in left.items():
        if count:
            lines.append((name, count, table.get(name)))
    return lines


def _take_parts(table: RateTable, usage: Usage, left: dict[str, int]) -> list[_Line]:
    """The parts of counts that have a price of their own; each is taken from what is left."""
    parts = [(name, count, PARTS[name][0]) for name, count in usage.terms.parts if name in PARTS]
    parts.append(("thinking", usage.thinking, "output"))
    lines: list[_Line] = []
    for name, count, whole in parts:
        taken = min(count, left[whole])
        if taken and name in table:
            left[whole] -= taken
            lines.append((name, taken, table[name]))
    return lines


def _of_iteration(usage: Usage, iteration: Iteration) -> Usage:
    """An iteration as a request of its own, under the terms of the answer."""
    return Usage(
        input=iteration.input,
        output=iteration.output,
        cache_read=iteration.cache_read,
        cache_write_5m=iteration.cache_write_5m,
        cache_write_1h=iteration.cache_write_1h,
        speed=usage.speed,
        terms=replace(usage.terms, iterations=(), parts=()),
    )


def _rates_of(rates: Rates, iteration: Iteration) -> Rates:
    return (rates.other(iteration.model) if iteration.model else None) or rates


def _unpriced(rates: Rates, usage: Usage) -> Iterator[str]:
    """What an answer says of its price that is not in the book."""
    yield from _unknown_variants(rates, usage)
    yield from _unknown_parts(rates, usage)
    for each in usage.terms.iterations:
        if each.model and rates.other(each.model) is None:
            yield f"iterations[].model={each.model}"
        else:
            yield from _unknown_variants(_rates_of(rates, each), usage)


def _unknown_variants(rates: Rates, usage: Usage) -> Iterator[str]:
    known, terms = rates.variants, usage.terms
    speed = "" if usage.speed in _ORDINARY_SPEEDS else usage.speed
    for name, word, priced in (
        ("service_tier", terms.tier, known.tiers),
        ("speed", speed, known.speeds),
        ("inference_geo", terms.geo, known.geos),
    ):
        if word and word not in priced:
            yield f"{name}={word}"


def _unknown_parts(rates: Rates, usage: Usage) -> Iterator[str]:
    parts, table = dict(usage.terms.parts), rates.table(usage)
    for name in parts:
        if name.endswith("_audio") and name not in table and not rates.audio_as_text:
            yield name
    for whole in ("input", "cache_read", "output"):
        shares = [
            count for name, count in parts.items() if name in PARTS and PARTS[name][0] == whole
        ]
        if sum(shares) > getattr(usage, whole):
            yield f"shares of {whole}"
    is_split = any(name.startswith("cache_read_") for name in parts)
    if usage.cache_read and not is_split:
        # Whether text or audio came from the cache is not said, and they cost different prices.
        yield from (f"cached {name}" for name in _MEDIA if name in parts and name in table)
