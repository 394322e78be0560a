"""Faults on request: their names, how they are ordered, which one is due (docs/scenarios.md)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class FaultName(StrEnum):
    """What may go wrong; a number is the status of an error answer."""

    BAD_REQUEST = "400"
    UNAUTHORIZED = "401"
    NO_MONEY = "402"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    TIMEOUT = "408"
    TOO_LARGE = "413"
    UNPROCESSABLE = "422"
    LIMITED = "429"
    LIMITED_BARE = "429-bare"
    BROKEN = "500"
    UNAVAILABLE = "503"
    OVERLOADED = "529"
    SLOW_FIRST_TOKEN = "slow-first-token"
    CUT_BEFORE_FIRST_BYTE = "cut-before-first-byte"
    CUT_BEFORE_FIRST_TOKEN = "cut-before-first-token"
    CUT_AFTER_FIRST_TOKEN = "cut-after-first-token"
    STALL = "stall"
    BAD_JSON = "bad-json"
    ERROR_EVENT = "error-event"
    HUGE_EVENT = "huge-event"
    WRONG_CONTENT_TYPE = "wrong-content-type"
    NO_FINAL_USAGE = "no-final-usage"
    NO_END = "no-end"

    @property
    def status(self) -> int | None:
        """The status of an error answer; None for a fault of the answer itself."""
        number = self.value.partition("-")[0]
        return int(number) if number.isdecimal() else None

    @property
    def is_limited_with_headers(self) -> bool:
        """Whether the answer says when to come again."""
        return self is FaultName.LIMITED


# Without `after`: seconds for the first two, tokens (events that show characters) for the rest.
_AFTER = {FaultName.LIMITED: 2.0, FaultName.SLOW_FIRST_TOKEN: 3.0}
_AFTER_ONE_TOKEN = 1.0


class UnknownFaultError(ValueError):
    """An order that can't be read; the text names what is wrong and what there is."""


@dataclass(frozen=True)
class OrderedFault:
    """A fault and when it happens: `after` in seconds or events, see docs/scenarios.md."""

    name: FaultName
    times: int | None = None  # None: always
    after: float | None = None

    @property
    def after_or_default(self) -> float:
        """Gives `after`, or what the fault does without it."""
        return _AFTER.get(self.name, _AFTER_ONE_TOKEN) if self.after is None else self.after


def parse_fault(text: str) -> OrderedFault:
    """`NAME[;times=N][;after=X]`. Raises UnknownFaultError."""
    name, *options = [part.strip() for part in text.split(";")]
    if name not in list(FaultName):
        known = ", ".join(FaultName)
        raise UnknownFaultError(f"There is no fault {name!r}. There are: {known}.")
    values: dict[str, float] = {}
    for option in options:
        key, _, value = option.partition("=")
        try:
            if key not in ("times", "after"):
                raise ValueError(key)
            values[key] = int(value) if key == "times" else float(value)
        except ValueError as error:
            raise UnknownFaultError(
                f"{option!r} is no option of a fault: use times=N or after=NUMBER."
            ) from error
    times = values.get("times")
    if any(value < 0 for value in values.values()) or times == 0:
        raise UnknownFaultError("times must be 1 or more, after 0 or more.")
    return OrderedFault(FaultName(name), None if times is None else int(times), values.get("after"))


@dataclass(frozen=True)
class Asked:
    """What an armed fault is compared with."""

    api: str
    model: str
    key: str  # name of the caller's key
    execution: str


@dataclass
class Armed:
    """A fault that waits for the next requests; empty fields fit every request."""

    fault: OrderedFault
    left: int
    api: str = ""
    model: str = ""
    key: str = ""

    def fits(self, asked: Asked) -> bool:
        """Whether it is meant for this request."""
        pairs = ((self.api, asked.api), (self.model, asked.model), (self.key, asked.key))
        return self.left > 0 and all(wanted in ("", seen) for wanted, seen in pairs)


@dataclass
class Orders:
    """All faults that are ordered from outside: armed ones first, then the request's own header."""

    armed: list[Armed] = field(default_factory=list)
    _played: dict[tuple[Asked, str], int] = field(default_factory=dict)
    _limit: int = 10_000

    def due(self, asked: Asked, header: str) -> OrderedFault | None:
        """The fault of this request, counted. Raises UnknownFaultError for a wrong header."""
        for armed in self._waiting(asked):
            armed.left -= 1
            self.armed = [each for each in self.armed if each.left > 0]
            return armed.fault
        if not header:
            return None
        fault = parse_fault(header)
        played = self._played.pop((asked, header), 0)
        self._played[(asked, header)] = played + 1
        while len(self._played) > self._limit:
            self._played.pop(next(iter(self._played)))
        return fault if fault.times is None or played < fault.times else None

    def _waiting(self, asked: Asked) -> Iterator[Armed]:
        return (each for each in self.armed if each.fits(asked))
