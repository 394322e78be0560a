"""What a request costs: real models' prices from genai-prices, scenarios' from their files."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property
from typing import Final, Generic, Protocol, TypeVar

from genai_prices import data_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from heliostat_core.money import NANOS_PER_DOLLAR
from heliostat_gateway.money.bookings import Usage

RateTable = Mapping[str, Decimal]  # token kind → dollars per million
_THOUSANDS_PER_MILLION = 1000
_SPEEDS = 8
# Wide enough that no product of a token count and a price is ever rounded before the one rounding.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NANOS_PER_MILLIONTH = Decimal(NANOS_PER_DOLLAR // 1_000_000)
# Google's table is also that of Vertex AI; its API for Gemini does not sell models of others.
_NOT_SOLD: Final = {"google": ("claude-",)}


class Rates(Protocol):
    """Prices of one model at the time of one request."""

    def table(self, usage: Usage) -> RateTable:
        """Dollars per million by token kind, for a request of this size and speed."""
        ...


@dataclass(frozen=True)
class FlatRates:
    """The same prices for every request; `is_default` when nobody named the model."""

    rates: RateTable
    is_default: bool = False

    def table(self, usage: Usage) -> RateTable:  # noqa: ARG002
        """The prices as given."""
        return self.rates


@dataclass(frozen=True)
class ModelRates:
    """A real model's prices at an instant: tiers follow the whole input, variants the speed."""

    model: ModelInfo
    at: datetime
    _found: dict[str, "_Tables"] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def has_hours(self) -> bool:
        """Whether prices depend on the hour, as some providers' off-peak prices do."""
        prices = self.model.prices if isinstance(self.model.prices, list) else []
        return any(isinstance(each.constraint, TimeOfDateConstraint) for each in prices)

    def table(self, usage: Usage) -> RateTable:
        """The prices that hold for `usage`. A kind without its own price costs as its parent."""
        return self._at_speed(usage.speed).of(usage.total_input)

    def _at_speed(self, speed: str) -> "_Tables":
        """The prices at this speed, looked up once: these rates may serve a whole day."""
        found = self._found.get(speed)
        if found is None:
            price = self.model.get_prices(self.at, {"speed": speed} if speed else None)
            found = _Tables(price)
            if len(self._found) < _SPEEDS:  # the word comes from outside
                self._found[speed] = found
        return found


class _Tables:
    """One table for each range of input sizes, made when a first request has such a size."""

    def __init__(self, price: ModelPrice) -> None:
        self._price = price
        tiered = [each for each in vars(price).values() if isinstance(each, TieredPrices)]
        self._starts = sorted({tier.start for each in tiered for tier in each.tiers})
        self._tables: dict[int, RateTable] = {}

    def of(self, size: int) -> RateTable:
        """The table for a request of `size` input tokens."""
        place = bisect_left(self._starts, size)  # tiers that begin below `size`
        found = self._tables.get(place)
        if found is None:
            found = self._tables[place] = self._make(size)
        return found

    def _make(self, size: int) -> RateTable:
        price = self._price
        plain = _at_size(price.input_mtok, size) or Decimal(0)
        write = _at_size(price.cache_write_mtok, size)
        write = plain if write is None else write
        read = _at_size(price.cache_read_mtok, size)
        write_1h = _at_size(price.cache_write_1h_mtok, size)
        table = {
            "input": plain,
            "output": _at_size(price.output_mtok, size) or Decimal(0),
            "cache_read": plain if read is None else read,
            "cache_write_5m": write,
            "cache_write_1h": write if write_1h is None else write_1h,
        }
        searches = _at_size(price.web_searches_kcount, size)
        if searches is not None:
            table["web_searches"] = searches * _THOUSANDS_PER_MILLION
        return table


def find_rates(model: str, provider: str, at: datetime) -> ModelRates | None:
    """The prices of a provider's model at an instant; None when none are known."""
    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    is_sold = _is_sold(found, provider) and _is_usable(found.get_prices(at))
    return ModelRates(found, at) if is_sold else None


def known_models(provider: str, at: datetime) -> list[str]:
    """Ids of a provider's models that have a price and are not deprecated."""
    for found in data_snapshot.get_snapshot().providers:
        if found.id == provider:
            return [
                model.id
                for model in found.models
                if not model.deprecated
                and _is_sold(model, provider)
                and _is_usable(model.get_prices(at))
            ]
    return []


def cost_nanos(rates: Rates, usage: Usage) -> int:
    """Cost of one request in nano-dollars, rounded once. Raises KeyError for an unpriced kind."""
    tokens = {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "web_searches": usage.web_searches,
    }
    return price_nanos(tokens, rates.table(usage))


def price_nanos(tokens: Mapping[str, int], dollars_per_million: Mapping[str, Decimal]) -> int:
    """Cost of one request in nano-dollars, rounded once, half-even.

    `tokens` maps a token kind to its count, `dollars_per_million` a token kind to its price.
    Raises KeyError for a kind that was used and has no price: nothing is free in silence.
    """
    total = Decimal(0)
    for kind, count in tokens.items():
        if count:
            total = _EXACT.add(total, _EXACT.multiply(Decimal(count), dollars_per_million[kind]))
    return int(_EXACT.multiply(total, _NANOS_PER_MILLIONTH).to_integral_value(ROUND_HALF_EVEN))


def _is_sold(model: ModelInfo, provider: str) -> bool:
    return not model.id.startswith(_NOT_SOLD.get(provider, ()))


def _is_usable(price: ModelPrice) -> bool:
    return price.input_mtok is not None and price.output_mtok is not None


def _at_size(price: Decimal | TieredPrices | None, size: int) -> Decimal | None:
    """The price for a request of `size` input tokens; a tier holds for all of its tokens."""
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if size > tier.start), price.base)


_MODELS = 4096
_LISTS = 64

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values of the keys that were asked for last, at most `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`, made when it is not known."""
        if key in self._values:
            self._values.move_to_end(key)
        else:
            self._values[key] = make()
            if len(self._values) > self._size:
                self._values.popitem(last=False)
        return self._values[key]


class PriceBook:
    """The table of genai-prices; it also remembers which models have no price."""

    def __init__(self) -> None:
        self._rates: Recent[tuple[str, str, int], ModelRates | None] = Recent(_MODELS)
        self._lists: Recent[tuple[str, datetime], tuple[str, ...]] = Recent(_LISTS)

    def rates(self, price_id: str, model: str, at: datetime) -> ModelRates | None:
        """The prices of a provider's model on a day; None when none are known."""
        if not price_id:
            return None
        found = self._rates.get(
            (price_id, model, at.toordinal()), lambda: find_rates(model, price_id, at)
        )
        if found is not None and found.has_hours:
            return ModelRates(found.model, at)
        return found

    def models(self, price_id: str, at: datetime) -> tuple[str, ...]:
        """Ids of a provider's models with a price on that day, without deprecated ones."""
        if not price_id:
            return ()
        return self._lists.get((price_id, day_of(at)), lambda: tuple(known_models(price_id, at)))


@dataclass(frozen=True)
class Tariff:
    """What each provider's models cost: prices of one's own first, then the table, then a default.

    Nothing costs 0 in silence: a model without any of the three has no price and is not served.
    """

    book: PriceBook
    price_ids: Mapping[str, str]  # provider -> its id in the book
    own: Mapping[tuple[str, str], FlatRates] = field(default_factory=dict)  # (provider, model)
    default: FlatRates | None = None

    def known(self, provider: str, model: str, at: datetime) -> Rates | None:
        """The price of a model that somebody has named; None for an unknown model."""
        found = self.own.get((provider, model))
        return found or self.book.rates(self.price_ids.get(provider, ""), model, at)

    def rates(self, provider: str, model: str, at: datetime) -> Rates | None:
        """The price of a model, the default for an unknown one; None when neither is there."""
        return self.known(provider, model, at) or self.default


def day_of(at: datetime) -> datetime:
    """The day of an instant."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
