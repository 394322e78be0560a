"""What scripts are told of a request, and what they tell of it."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from pydantic import TypeAdapter

from heliostat_gateway.access.callers import KeyKind
from heliostat_gateway.money.bookings import (
    AttemptTotal,
    Booking,
    ExecutionTotal,
    Head,
    Opening,
    first_booking,
    nanos_of,
    tokens_of,
    turns_of,
)
from heliostat_gateway.money.reservations import Counted
from heliostat_gateway.money.usage import Usage, sum_usages
from heliostat_gateway.redis_state.pipe import Argument

# After so long without use a sum leaves Redis; the writer brings it back when it is asked for.
LIFE_SECONDS: Final = 40 * 24 * 3600
# The order of figures in the scripts: nano-dollars, tokens, turns, requests, tokens by kind
# (input, output, cache read, writes of 5 minutes and 1 hour, searches, thinking), estimated.
KINDS: Final = ("n", "k", "u", "c", "i", "o", "r", "w", "h", "s", "t", "e")
HEADS: Final = TypeAdapter(Head)
BOOKINGS: Final = TypeAdapter(list[Booking])


def figures_of(bookings: Sequence[Booking], requests: int = 1) -> list[int]:
    """What a settled request adds to its sums, in the order of KINDS."""
    parts = list(bookings)
    usage = sum_usages([part.usage for part in parts])
    return [
        nanos_of(parts),
        tokens_of(parts),
        turns_of(parts),
        requests,
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.web_searches,
        usage.thinking,
        int(any(part.estimated for part in parts)),
    ]


def open_arguments(
    opening: Opening,
    head: Head,
    counted: Sequence[Counted],
    *,
    gateway: str,
    budgets: str,
    bookings: Sequence[Booking] = (),
    force: bool = False,
) -> list[Argument]:
    """Of open.lua. `bookings` is what the request has used so far, when it began elsewhere."""
    estimate, caller = opening.estimate, opening.caller
    bound = estimate.bound
    limits = (
        [0, 0, 0, 0, 1]
        if bound is None
        else [
            bound.input_tokens,
            bound.input_nanos,
            bound.max_tokens,
            bound.output_rate,
            bound.choices,
        ]
    )
    # An execution's first attempt makes its sum; any other that is missing was there before.
    new = caller.kind is KeyKind.EXECUTION and caller.attempt == 1
    arguments: list[Argument] = [
        opening.id,
        gateway,
        int(caller.caps.strict),
        estimate.cost_nanos,
        estimate.usage.total,
        estimate.output_nanos,
        estimate.usage.output,
        *limits,
        orjson.dumps(head),
        orjson.dumps(list(bookings) or [first_booking(opening)]),
        caller.execution,
        caller.agent,
        int(new),
        budgets,
        opening.provider,
        opening.model,
        int(force),
        LIFE_SECONDS,
    ]
    for one in counted:
        caps = (one.nanos, one.tokens, one.turns)
        arguments += [one.key, *("" if cap is None else cap for cap in caps)]
    return arguments


def settle_arguments(
    how: str, epoch: str, ended_ms: int, head: Head, bookings: Sequence[Booking]
) -> list[Argument]:
    """Of settle.lua."""
    last = bookings[-1]
    return [
        head.id,
        how,
        epoch,
        ended_ms,
        orjson.dumps(head),
        orjson.dumps(list(bookings)),
        head.execution,
        head.attempt,
        head.agent,
        last.provider,
        last.model,
        LIFE_SECONDS,
        "\n".join(head.counted),
        *figures_of(bookings),
    ]


def execution_total(fields: Sequence[str], opened: Sequence[str]) -> ExecutionTotal:
    """An execution from read.lua: settled sums, and head and bookings of each open request."""
    values = dict(zip(fields[::2], fields[1::2], strict=True))
    figures = [int(values.get(kind, 0)) for kind in KINDS]
    attempts = _attempts(values)
    for head_text, text in zip(opened[::2], opened[1::2], strict=True):
        head, parts = HEADS.validate_json(head_text), BOOKINGS.validate_json(text)
        extra = figures_of([_exact(part) for part in parts])
        figures = [one + more for one, more in zip(figures, extra, strict=True)]
        nanos, requests = attempts.get(head.attempt, (0, 0))
        attempts[head.attempt] = (nanos + extra[0], requests + 1)
    names = dict(zip(KINDS, figures, strict=True))
    return ExecutionTotal(
        cost_nanos=names["n"],
        requests=names["c"],
        settled=not opened,
        estimated=names["e"] > 0,
        usage=Usage(
            input=names["i"],
            output=names["o"],
            cache_read=names["r"],
            cache_write_5m=names["w"],
            cache_write_1h=names["h"],
            web_searches=names["s"],
            thinking=names["t"],
        ),
        provider=values.get("p") or None,
        model=values.get("m") or None,
        attempts=tuple(
            AttemptTotal(attempt, *attempts[attempt])
            for attempt in sorted(attempts)
            if attempts[attempt][1]
        ),
    )


def _attempts(values: Mapping[str, str]) -> dict[int, tuple[int, int]]:
    """Nano-dollars and requests by attempt, from fields `a1:n` and `a1:c`."""
    numbers = {int(name[1:-2]) for name in values if name.endswith(":c")}
    return {
        number: (int(values.get(f"a{number}:n", 0)), int(values[f"a{number}:c"]))
        for number in numbers
    }


def _exact(part: Booking) -> Booking:
    """An open part is no estimate yet."""
    return Booking(**(vars(part) | {"estimated": False}))
