"""What one answer used, by kind of token, and what else it says about its price.

The rule for an answer that ended before its final usage (docs/gateway.md, Estimates):
input = what message_start reported, before that ceil(bytes of the request / 4);
output = ceil(characters shown / 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Iteration:
    """A model request inside one answer: its size and maybe its model are its own.

    `model` is empty where it is that of the answer.
    """

    kind: str
    model: str = ""
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True)
class Terms:
    """What an answer says about its price beside counts.

    `parts` are shares of the counts that may have a price of their own, such as `input_audio`;
    `stated_dollars` is what the provider says that the answer cost; `unpriced` names what the
    price book can not price: such an answer is never called exact.
    """

    tier: str = ""  # of service; empty: standard
    geo: str = ""  # where the model ran; empty: anywhere
    parts: tuple[tuple[str, int], ...] = ()
    iterations: tuple[Iteration, ...] = ()
    stated_dollars: str = ""
    unpriced: tuple[str, ...] = ()


PLAIN: Final = Terms()


@dataclass(frozen=True)
class Usage:
    """Tokens by kind. Total input is input + cache_read + both cache writes.

    `thinking` is a part of output, shown apart.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    thinking: int = 0
    speed: str = ""
    terms: Terms = PLAIN

    @property
    def total_input(self) -> int:
        """All tokens that were put in, cached or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        """All tokens, as a token cap counts them."""
        return self.total_input + self.output


def sum_usages(usages: Sequence[Usage]) -> Usage:
    """The tokens of all, by kind."""
    if len(usages) == 1:
        return usages[0]
    return Usage(
        input=sum(each.input for each in usages),
        output=sum(each.output for each in usages),
        cache_read=sum(each.cache_read for each in usages),
        cache_write_5m=sum(each.cache_write_5m for each in usages),
        cache_write_1h=sum(each.cache_write_1h for each in usages),
        web_searches=sum(each.web_searches for each in usages),
        thinking=sum(each.thinking for each in usages),
    )


def counted_input(request_bytes: int) -> Usage:
    """What a request counts for that no answer has reported on."""
    return Usage(input=-(-request_bytes // 4))


def with_counted_output(reported: Usage, characters: int) -> Usage:
    """Reported input, and the output that was shown."""
    return replace(reported, output=-(-characters // 4))


_COUNTS: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
# Iterations whose tokens the counts of the answer leave out.
_APART: Final = frozenset({"compaction", "advisor_message"})


def with_iterations(reported: Usage) -> Usage:
    """The usage with the tokens of all iterations in its counts.

    The counts of an answer leave out some kinds of iterations, and may name only the first input
    of a loop: each iteration is billed. Where they say more than the iterations, the rest is billed
    as one more, and marked.
    """
    terms = reported.terms
    if not terms.iterations:
        return reported
    own = [each for each in terms.iterations if each.kind not in _APART]
    rest = {
        name: max(0, getattr(reported, name) - sum(getattr(each, name) for each in own))
        for name in _COUNTS
    }
    iterations, unpriced = terms.iterations, terms.unpriced
    if any(rest.values()):
        iterations = (*iterations, Iteration("rest", **rest))
        unpriced = (*unpriced, "iterations")
    totals = {name: sum(getattr(each, name) for each in iterations) for name in _COUNTS}
    return replace(
        reported, **totals, terms=replace(terms, iterations=iterations, unpriced=unpriced)
    )
