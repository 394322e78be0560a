"""Tokens of one request, as the provider reports them, and the rule for those it does not.

The rule for an answer that ended before its final usage (docs/gateway.md, Estimates):
input = what message_start reported, before that ceil(bytes of the request / 4);
output = ceil(characters shown / 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from heliostat_json.objects import count_at, object_at, text_at


@dataclass(frozen=True)
class Usage:
    """Tokens by kind. Total input is input + cache_read + both cache writes.

    `thinking` is a part of output, shown apart and priced with it.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    thinking: int = 0
    speed: str = ""

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


def read_usage(before: Usage, reported: Mapping[str, JsonValue]) -> Usage:
    """`before` brought up to a `usage` object; its counts are cumulative, nulls say nothing."""

    def newest(name: str, known: int) -> int:
        return known if reported.get(name) is None else count_at(reported, name)

    split = object_at(reported, "cache_creation")
    written_1h = before.cache_write_1h
    if split:
        written_1h = count_at(split, "ephemeral_1h_input_tokens")
        written = written_1h + count_at(split, "ephemeral_5m_input_tokens")
    else:
        written = before.cache_write_5m + before.cache_write_1h
    # The total may grow without a split (server tools write to the cache): the rest is 5-minute.
    written = max(newest("cache_creation_input_tokens", written), written_1h)
    tools = object_at(reported, "server_tool_use")
    return Usage(
        input=newest("input_tokens", before.input),
        output=newest("output_tokens", before.output),
        cache_read=newest("cache_read_input_tokens", before.cache_read),
        cache_write_5m=written - written_1h,
        cache_write_1h=written_1h,
        web_searches=count_at(tools, "web_search_requests") if tools else before.web_searches,
        speed=text_at(reported, "speed") or before.speed,
        thinking=max(
            before.thinking,
            count_at(object_at(reported, "output_tokens_details"), "thinking_tokens"),
        ),
    )


def counted_input(request_bytes: int) -> Usage:
    """What a request counts for that no answer has reported on."""
    return Usage(input=-(-request_bytes // 4))


def with_counted_output(reported: Usage, characters: int) -> Usage:
    """Reported input, and the output that was shown."""
    return replace(reported, output=-(-characters // 4))
