"""The meaning of model names that are in no routes file."""

from collections.abc import Collection
from datetime import datetime

from heliostat_gateway.money.prices import Tariff
from heliostat_gateway.routes.table import ModelTarget


def find_target(
    name: str, providers: Collection[str], tariff: Tariff, at: datetime
) -> ModelTarget | None:
    """The provider's model behind a plain name; None when nobody has a price for it.

    `PROVIDER/MODEL` names both. Else the first provider that knows the name is its own; that is
    how `VENDOR/MODEL` of OpenRouter is found. A default price makes any model of a named
    provider known.
    """
    first, _, rest = name.partition("/")
    is_explicit = bool(rest) and first in providers
    if is_explicit and tariff.known(first, rest, at) is not None:
        return ModelTarget(first, rest)
    for provider in tariff.price_ids:
        if tariff.known(provider, name, at) is not None:
            return ModelTarget(provider, name)
    return ModelTarget(first, rest) if is_explicit and tariff.default is not None else None
