"""What a request costs: real models' prices from genai-prices, scenarios' from their files."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from genai_prices import data_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from heliostat_core.money import NANOS_PER_DOLLAR
from heliostat_gateway.money.bookings import Usage

RateTable = Mapping[str, Decimal]  # token kind → dollars per million
_THOUSANDS_PER_MILLION = 1000
_VARIANTS = 16
# Wide enough that no product of a token count and a price is ever rounded before the one rounding.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NANOS_PER_MILLIONTH = Decimal(NANOS_PER_DOLLAR // 1_000_000)
# Anthropic's documentation of data residency: the book does not know this factor on all tokens.
_GEO_FACTORS: Final = {("anthropic", "us"): Decimal("1.1")}
_AUDIO_AS_TEXT: Final = frozenset({"google"})
_STATES_COST: Final = frozenset({"openrouter"})
# Parts of counts that may have a price of their own, and the book's name of it.
PARTS: Final = {
    f"{count}_{kind}": (count, name.format(kind))
    for kind in ("audio", "image", "video")
    for count, name in (
        ("input", "input_{}_mtok"),
        ("cache_read", "cache_{}_read_mtok"),
        ("output", "output_{}_mtok"),
    )
}
# Google's table is also that of Vertex AI; its API for Gemini does not sell models of others.
_NOT_SOLD: Final = {"google": ("claude-",)}


@dataclass(frozen=True)
class Variants:
    """What has prices of its own beside the ordinary ones: tiers of service, speeds, places."""

    tiers: frozenset[str] = frozenset()
    speeds: frozenset[str] = frozenset()
    geos: frozenset[str] = frozenset()


class Rates(Protocol):
    """Prices of one model at the time of one request."""

    @property
    def variants(self) -> Variants:
        """The variants that have a known price."""
        ...

    @property
    def audio_as_text(self) -> bool:
        """Whether audio without a price of its own costs as text does."""
        ...

    @property
    def takes_stated(self) -> bool:
        """Whether what the provider says that an answer cost is its price."""
        ...

    def table(self, usage: Usage) -> RateTable:
        """Dollars per million by token kind, for a request of this size, speed and terms.

        A variant without a known price has the ordinary prices.
        """
        ...

    def other(self, model: str) -> "Rates | None":
        """The prices of another model of the provider at the same time; None when unknown."""
        ...


@dataclass(frozen=True)
class FlatRates:
    """The same prices for every size; `is_default` when nobody named the model.

    `named` are tables of variants, by what varies (tier, speed, geo) and its value.
    """

    rates: RateTable
    is_default: bool = False
    named: Mapping[tuple[str, str], RateTable] = field(default_factory=dict)
    audio_as_text: ClassVar[bool] = False
    takes_stated: ClassVar[bool] = False

    @property
    def variants(self) -> Variants:
        """What has a table of its own."""
        found = {
            what: frozenset(value for name, value in self.named if name == what)
            for what in ("tier", "speed", "geo")
        }
        return Variants(found["tier"], found["speed"], found["geo"])

    def table(self, usage: Usage) -> RateTable:
        """The prices as given."""
        if not self.named:
            return self.rates
        terms = usage.terms
        keys = (("tier", terms.tier), ("speed", usage.speed), ("geo", terms.geo))
        return next((self.named[key] for key in keys if key in self.named), self.rates)

    def other(self, model: str) -> Rates | None:  # noqa: ARG002
        """Knows no other model: a price list of one's own has one."""
        return None


@dataclass(frozen=True)
class ModelRates:
    """A real model's prices at an instant: tiers follow the whole input, variants the answer."""

    model: ModelInfo
    at: datetime
    provider: str = ""  # its id in the book
    _found: dict[tuple[str, str, str], "_Tables"] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def has_hours(self) -> bool:
        """Whether prices depend on the hour, as some providers' off-peak prices do."""
        prices = self.model.prices if isinstance(self.model.prices, list) else []
        return any(isinstance(each.constraint, TimeOfDateConstraint) for each in prices)

    @cached_property
    def variants(self) -> Variants:
        """The variants that the book has at this instant."""
        active = [
            each.when
            for each in self.model.price_variants or ()
            if each.constraint is None or each.constraint.active(self.at)
        ]
        batch = {"batch"} if {"processing": "batch"} in active else set()
        return Variants(
            tiers=frozenset(batch.union(when.get("service_tier", "") for when in active) - {""}),
            speeds=frozenset({when.get("speed", "") for when in active} - {""}),
            geos=frozenset(geo for provider, geo in _GEO_FACTORS if provider == self.provider),
        )

    @property
    def audio_as_text(self) -> bool:
        """Whether the provider's price list names audio only where it costs something else."""
        return self.provider in _AUDIO_AS_TEXT

    @property
    def takes_stated(self) -> bool:
        """Whether the provider charges what its answers state."""
        return self.provider in _STATES_COST

    def table(self, usage: Usage) -> RateTable:
        """The prices that hold for `usage`. A kind without its own price costs as its parent."""
        variant = (usage.speed, usage.terms.tier, usage.terms.geo)
        return self._of_variant(variant).of(usage.total_input)

    def other(self, model: str) -> Rates | None:
        """The prices of another model of the provider at the same instant."""
        return find_rates(model, self.provider, self.at)

    def _of_variant(self, variant: tuple[str, str, str]) -> "_Tables":
        """The prices of this variant, looked up once: these rates may serve a whole day."""
        found = self._found.get(variant)
        if found is None:
            speed, tier, geo = variant
            context = {"speed": speed} if speed else {}
            if tier:
                context |= {"processing": "batch"} if tier == "batch" else {"service_tier": tier}
            factor = _GEO_FACTORS.get((self.provider, geo), Decimal(1))
            found = _Tables(self.model.get_prices(self.at, context or None), factor)
            if len(self._found) < _VARIANTS:  # the words come from outside
                self._found[variant] = found
        return found


class _Tables:
    """One table for each range of input sizes, made when a first request has such a size."""

    def __init__(self, price: ModelPrice, factor: Decimal = Decimal(1)) -> None:
        self._price = price
        self._factor = factor  # on every token
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
        for part, (_, name) in PARTS.items():
            own = _at_size(getattr(price, name), size)
            if own is not None:
                table[part] = own
            elif part == "cache_read_audio" and read is None and "input_audio" in table:
                table[part] = table["input_audio"]
        thinking = _at_size(price.output_reasoning_mtok, size)
        if thinking is not None:
            table["thinking"] = thinking
        table = {kind: each * self._factor for kind, each in table.items()}
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
    return ModelRates(found, at, provider) if is_sold else None


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


def price_nanos(tokens: Mapping[str, int], dollars_per_million: Mapping[str, Decimal]) -> int:
    """Cost of one request in nano-dollars, rounded once, half-even.

    `tokens` maps a token kind to its count, `dollars_per_million` a token kind to its price.
    Raises KeyError for a kind that was used and has no price: nothing is free in silence.
    """
    return sum_nanos((count, dollars_per_million[kind]) for kind, count in tokens.items() if count)


def sum_nanos(lines: Iterable[tuple[int, Decimal]]) -> int:
    """Cost in nano-dollars of counts at dollars per million each, rounded once, half-even."""
    total = Decimal(0)
    for count, price in lines:
        total = _EXACT.fma(count, price, total)
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
            return ModelRates(found.model, at, found.provider)
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
