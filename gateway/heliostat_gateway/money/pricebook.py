"""Prices found once per model and day: the search through the table is slow."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from heliostat_gateway.money.prices import FlatRates, ModelRates, Rates, find_rates, known_models

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
