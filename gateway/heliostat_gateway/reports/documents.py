"""Reports as JSON documents and as CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliostat_core.money import micros_from_nanos
from heliostat_gateway.reports.calendars import instant
from heliostat_gateway.reports.dimensions import TOKENS
from heliostat_gateway.reports.questions import UsageQuestion, write_cursor
from heliostat_gateway.reports.rates import RateBook
from heliostat_gateway.reports.sums import Line, Page

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


class Document(BaseModel):
    """Frozen, camelCase outside."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class UsageLine(Document):
    """Sums of one group. Shares are basis points: hundredths of a percent, rounded down."""

    key: dict[str, str]
    requests: int
    calls: int  # a request that went on to a second provider made two
    unsent_requests: int = 0  # no provider was asked; gateways of before do not tell
    open_calls: int
    tokens: dict[str, int]
    cost_nanos: int
    cost_micros: int
    estimated_requests: int
    estimated_nanos: int
    estimated_basis_points: int  # of the cost
    cache_hit_basis_points: int  # tokens read from the cache, of all input
    cache_saved_nanos: int  # against the same tokens as plain input; may be negative
    cache_unpriced_tokens: int  # cached tokens of models without a known price, not in the savings
    errors: dict[str, int]


class UsageReport(Document):
    """One page of lines in the order of their keys, and the sum over all pages."""

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    time_zone: str
    by: list[str]
    lines: list[UsageLine]
    total: UsageLine
    next: str | None


def usage_report(question: UsageQuestion, page: Page, book: RateBook) -> UsageReport:
    """The document of a page of sums."""
    names = [each.name for each in question.by]
    return UsageReport(
        since=instant(question.from_ms).isoformat(),
        until=instant(question.to_ms).isoformat(),
        time_zone=question.zone.key,
        by=names,
        lines=[usage_line(names, line, book) for line in page.lines],
        total=usage_line([], page.total, book),
        next=write_cursor(question, page.lines[-1].key) if page.more else None,
    )


def usage_line(names: list[str], line: Line, book: RateBook) -> UsageLine:
    """One line with the figures that follow from its sums."""
    tokens = line.tokens
    read = tokens["cache_read"]
    all_input = tokens["input"] + read + tokens["cache_write_5m"] + tokens["cache_write_1h"]
    saved = [(part, book.saved_nanos(part)) for part in line.slices]
    return UsageLine(
        key=dict(zip(names, line.key, strict=True)),
        requests=line.requests,
        calls=line.calls,
        unsent_requests=line.unsent,
        open_calls=line.open,
        tokens={name: tokens[column] for name, column in TOKENS if column in tokens},
        cost_nanos=line.cost_nanos,
        cost_micros=micros_from_nanos(line.cost_nanos),
        estimated_requests=line.estimated_requests,
        estimated_nanos=line.estimated_nanos,
        estimated_basis_points=basis_points(line.estimated_nanos, line.cost_nanos),
        cache_hit_basis_points=basis_points(read, all_input),
        cache_saved_nanos=sum(nanos for _, nanos in saved if nanos is not None),
        cache_unpriced_tokens=sum(
            part.tokens["cache_read"]
            + part.tokens["cache_write_5m"]
            + part.tokens["cache_write_1h"]
            for part, nanos in saved
            if nanos is None
        ),
        errors=dict(line.outcomes),
    )


def basis_points(part: int, whole: int) -> int:
    """Hundredths of a percent, rounded down; 0 of nothing."""
    return part * 10_000 // whole if whole else 0


def usage_csv(report: UsageReport) -> str:
    """The lines as CSV (RFC 4180) with a header; text cells can't become formulas."""
    token_names = list(report.total.tokens)
    header = [*report.by, *token_names, *_FIGURES, "errors"]
    rows: Iterable[list[str | int]] = (
        [
            *(line.key[name] for name in report.by),
            *(line.tokens[name] for name in token_names),
            *_figures(line),
            ";".join(f"{outcome}={count}" for outcome, count in sorted(line.errors.items())),
        ]
        for line in report.lines
    )
    return write_csv(header, rows)


_FIGURES: Final = tuple(
    to_camel(name) for name in UsageLine.model_fields if name not in ("key", "tokens", "errors")
)


def _figures(line: UsageLine) -> Iterator[int]:
    document: Mapping[str, int] = line.model_dump(
        by_alias=True, exclude={"key", "tokens", "errors"}
    )
    return (document[name] for name in _FIGURES)


def write_csv(header: list[str], rows: Iterable[list[str | int]]) -> str:
    """Header and rows; numbers stay numbers, text that looks like a formula is quoted with `'`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: str | int) -> str | int:
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return f"'{cell}"
    return cell
