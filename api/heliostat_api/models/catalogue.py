"""The port of the gateway's catalogue: which models it routes, and why it does not route one."""

from dataclasses import dataclass
from typing import Protocol


class CatalogueAwayError(Exception):
    """The gateway can't be asked now; the same question may be answered later."""


@dataclass(frozen=True)
class Served:
    """A model that is served now, and who is asked first."""

    name: str
    provider: str


class Catalogue(Protocol):
    """Each call raises CatalogueAwayError."""

    async def models(self) -> tuple[Served, ...]:
        """Every model that is served now."""

    async def fault_of(self, name: str) -> str | None:
        """Why nothing answers to a name, with the remedy; None when something does."""


class NoCatalogue:
    """Where no gateway is known."""

    async def models(self) -> tuple[Served, ...]:
        """See Catalogue."""
        raise CatalogueAwayError("this api knows no gateway")

    async def fault_of(self, name: str) -> str | None:
        """See Catalogue."""
        raise CatalogueAwayError("this api knows no gateway")
