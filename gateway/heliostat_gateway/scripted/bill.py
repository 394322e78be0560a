"""The scripted provider's bill: what it would invoice, by its own arithmetic.

Rules, the same in words as the ledger's (docs/gateway.md), written a second time on purpose:
- an answer whose final usage was sent costs that usage;
- one that ended before costs the input that its message_start reported (before that: a token for
  each four bytes of the request) and a token for each four characters shown, both rounded up;
- cost = sum of tokens x price per million, rounded once, half-even, to a nano-dollar.
"""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from heliostat_gateway.scripted.scenario import Prices, UsageSpec


class BillEntry(BaseModel):
    """One call as invoiced; tokens by kind, cost in nano-dollars."""

    model_config = ConfigDict(frozen=True)

    id: str
    execution: str
    scenario: str
    model: str
    input: int
    output: int
    cache_read: int
    cache_write5m: int
    cache_write1h: int
    estimated: bool
    cost_nanos: int


def invoice_nanos(prices: Prices, usage: UsageSpec) -> int:
    """Cost of `usage` in nano-dollars, exact in fractions, rounded once to the even neighbour."""
    pairs = (
        (usage.input, prices.input),
        (usage.output, prices.output),
        (usage.cache_read, prices.cache_read),
        (usage.cache_write5m, prices.cache_write5m),
        (usage.cache_write1h, prices.cache_write1h),
    )
    thousandths = sum((count * Fraction(price) for count, price in pairs), Fraction(0)) * 1000
    whole, rest = divmod(thousandths.numerator, thousandths.denominator)
    twice = 2 * rest
    if twice > thousandths.denominator or (twice == thousandths.denominator and whole % 2):
        return whole + 1
    return whole


@dataclass
class BillLine:
    """A call that is going on; `write` puts its state on the bill, the last state counts."""

    bill: "Bill"
    id: str
    execution: str
    scenario: str
    model: str
    prices: Prices
    request_bytes: int
    reported: UsageSpec | None = None
    final: UsageSpec | None = None
    characters: int = 0

    def usage(self) -> UsageSpec:
        """What the call costs if it ends now."""
        if self.final is not None:
            return self.final
        output = -(-self.characters // 4)
        if self.reported is not None:
            return self.reported.model_copy(update={"output": output})
        return UsageSpec(input=-(-self.request_bytes // 4), output=output)

    def write(self) -> None:
        """Puts the present state on the bill."""
        usage = self.usage()
        self.bill.append(
            BillEntry(
                id=self.id,
                execution=self.execution,
                scenario=self.scenario,
                model=self.model,
                estimated=self.final is None,
                cost_nanos=invoice_nanos(self.prices, usage),
                **usage.model_dump(),
            )
        )


class Bill:
    """Append-only JSON lines; it outlives a killed process. The last line of an id counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def append(self, entry: BillEntry) -> None:
        """Writes one line at once: there is no buffer that a kill could lose."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, f"{entry.model_dump_json()}\n".encode())

    def entries(self, execution: str | None = None) -> list[BillEntry]:
        """What is invoiced, in order of first appearance."""
        if not self._path.exists():
            return []
        adapter = TypeAdapter(BillEntry)
        latest: dict[str, BillEntry] = {}
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):  # a kill may leave half a line
                    entry = adapter.validate_python(json.loads(line))
                    latest[entry.id] = entry
        return [e for e in latest.values() if execution in (None, e.execution)]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
