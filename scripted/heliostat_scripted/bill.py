"""The scripted provider's bill: what it would invoice, by its own arithmetic.

Rules, the same in words as the ledger's (docs/gateway.md), written a second time on purpose:
- an answer whose final usage was sent costs that usage (a chat stream that did not ask for usage:
  one that came to its finish reason);
- one that ended before costs the input that was reported to the caller (before that: a token for
  each four bytes of the request's body as received) and a token for each four characters shown,
  both rounded up;
- characters shown are those of text, thinking and tool arguments (Unicode characters; Gemini's
  arguments as JSON without spaces); a whole answer shows its characters once it is whole;
- a request that is refused costs nothing and is not on the bill, be it by a status or by an error
  event before anything of an answer;
- cost = sum of tokens x price per million, times the factor of the answer's tier, speed or place,
  and of searches x price per thousand, rounded once, half-even, to a nano-dollar. Thinking is a
  part of the output; audio has its own price; a compaction is billed beside the other counts.
"""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from heliostat_scripted.scenario import Compaction, Prices, UsageSpec


class BillEntry(BaseModel):
    """One call as invoiced; tokens by kind, cost in nano-dollars."""

    model_config = ConfigDict(frozen=True)

    id: str
    dialect: str = "messages"
    key: str = ""  # name of the caller's key
    execution: str
    scenario: str
    model: str
    input: int
    output: int
    cache_read: int
    cache_write5m: int
    cache_write1h: int
    thinking: int = 0  # part of output
    web_searches: int = 0
    input_audio: int = 0
    output_audio: int = 0
    variant: str | None = None
    compactions: tuple[Compaction, ...] = ()
    others: dict[str, JsonValue] = {}
    estimated: bool
    cost_nanos: int


def invoice_nanos(prices: Prices, usage: UsageSpec) -> int:
    """Cost of `usage` in nano-dollars, exact in fractions, rounded once to the even neighbour."""
    pairs = [
        (usage.input - usage.input_audio, prices.input),
        (usage.output - usage.output_audio, prices.output),
        (usage.input_audio, prices.input_audio or "0"),
        (usage.output_audio, prices.output_audio or "0"),
    ]
    for one in usage.compactions:
        pairs += [(one.input, prices.input), (one.output, prices.output)]
    cached: list[UsageSpec | Compaction] = [usage, *usage.compactions]
    for each in cached:
        pairs += [
            (each.cache_read, prices.cache_read),
            (each.cache_write5m, prices.cache_write5m),
            (each.cache_write1h, prices.cache_write1h),
        ]
    factor = Fraction(prices.factors.get(usage.variant, "1") if usage.variant else "1")
    tokens = sum((count * Fraction(price) for count, price in pairs), Fraction(0)) * factor
    exact = (tokens + usage.web_searches * 1000 * Fraction(prices.web_searches or "0")) * 1000
    whole, rest = divmod(exact.numerator, exact.denominator)
    twice = 2 * rest
    if twice > exact.denominator or (twice == exact.denominator and whole % 2):
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
    dialect: str = "messages"
    key: str = ""
    reported: UsageSpec | None = None
    final: UsageSpec | None = None
    characters: int = 0
    began: bool = False  # something of the answer was sent
    refused: bool = False

    def usage(self) -> UsageSpec:
        """What the call costs if it ends now."""
        if self.final is not None:
            return self.final
        output = -(-self.characters // 4)
        if self.reported is not None:
            counted = {"output": output, "output_audio": 0, "compactions": ()}
            counted |= {"thinking": 0, "web_searches": 0, "others": {}}
            return self.reported.model_copy(update=counted)
        return UsageSpec(input=-(-self.request_bytes // 4), output=output)

    def write(self) -> None:
        """Puts the present state on the bill; takes a refused call off it."""
        if self.refused:
            self.bill.withdraw(self.id)
            return
        usage = self.usage()
        self.bill.append(
            BillEntry(
                id=self.id,
                dialect=self.dialect,
                key=self.key,
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
        self._write(entry.model_dump_json())

    def withdraw(self, name: str) -> None:
        """Takes the call `name` off the bill."""
        self._write(json.dumps({"id": name, "refused": True}))

    def _write(self, line: str) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, f"{line}\n".encode())

    def entries(self, execution: str | None = None) -> list[BillEntry]:
        """What is invoiced, in order of first appearance."""
        if not self._path.exists():
            return []
        adapter = TypeAdapter(BillEntry)
        latest: dict[str, BillEntry] = {}
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.endswith("\n"):  # a kill may leave half a line
                    continue
                document = json.loads(line)
                if document.get("refused"):
                    latest.pop(document["id"], None)
                else:
                    entry = adapter.validate_python(document)
                    latest[entry.id] = entry
        return [e for e in latest.values() if execution in (None, e.execution)]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
