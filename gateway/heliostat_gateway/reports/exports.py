"""A provider's usage export, read into sums: which columns are known is in docs/finops.md."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from heliostat_core.money import NANOS_PER_DOLLAR

Row = Mapping[str, str]


class ExportError(Exception):
    """The export can't be compared; the text says where and what to do."""


class Bucket(StrEnum):
    """Time bucket to compare by, in UTC."""

    HOUR = "hour"
    DAY = "day"

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return timedelta(hours=1) if self is Bucket.HOUR else timedelta(days=1)

    def name_of(self, at: datetime) -> str:
        """The bucket that an instant lies in, as the ledger's sums name it."""
        return at.astimezone(UTC).strftime(
            "%Y-%m-%d" if self is Bucket.DAY else "%Y-%m-%dT%H:00:00Z"
        )


@dataclass(frozen=True, order=True)
class Cell:
    """What is compared: one model and key in one bucket. `key` is empty where none is told."""

    bucket: str
    model: str
    key: str


@dataclass(frozen=True)
class Export:
    """Sums of an export, and the time it speaks of. `figures` are those that it tells."""

    start: datetime
    end: datetime
    figures: tuple[str, ...]
    has_keys: bool
    cells: Mapping[Cell, Mapping[str, int]]


# Figure to the names of its column. Nested fields of JSON are joined with a point.
_ANTHROPIC: Final = {
    "input": ("uncached_input_tokens", "usage_input_tokens_no_cache"),
    "output": ("output_tokens", "usage_output_tokens"),
    "cacheRead": ("cache_read_input_tokens", "usage_input_tokens_cache_read"),
    "cacheWrite5m": (
        "cache_creation.ephemeral_5m_input_tokens",
        "ephemeral_5m_input_tokens",
        "usage_input_tokens_cache_write_5m",
    ),
    "cacheWrite1h": (
        "cache_creation.ephemeral_1h_input_tokens",
        "ephemeral_1h_input_tokens",
        "usage_input_tokens_cache_write_1h",
    ),
    "webSearches": (
        "server_tool_use.web_search_requests",
        "web_search_requests",
        "web_search_count",
    ),
}
_OPENAI: Final = {
    "allInput": ("input_tokens",),  # with what was cached
    "output": ("output_tokens",),
    "cacheRead": ("input_cached_tokens",),
    "cacheWrite": ("input_cache_write_tokens",),
    "requests": ("num_model_requests",),
}
_OTHERS: Final = {
    "input": ("input_tokens",),
    "allInput": ("all_input_tokens",),
    "output": ("output_tokens",),
    "cacheRead": ("cache_read_tokens",),
    "cacheWrite": ("cache_write_tokens",),
    "cacheWrite5m": ("cache_write_5m_tokens",),
    "cacheWrite1h": ("cache_write_1h_tokens",),
    "webSearches": ("web_searches",),
    "requests": ("requests",),
}
_PROVIDERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "anthropic": _ANTHROPIC,
    "openai": _OPENAI,
}
_COST: Final = {"costNanos": ("cost_usd",)}
_START: Final = ("bucket", "starting_at", "start_time", "usage_date_utc", "date")
_END: Final = ("ending_at", "end_time")
_MODEL: Final = ("model", "model_version")
_KEY: Final = ("key", "api_key_id", "api_key")


def columns_of(provider: str) -> Mapping[str, tuple[str, ...]]:
    """The figures that exports of a provider may tell, with the names of their columns."""
    return {**_PROVIDERS.get(provider, _OTHERS), **_COST}


def read_export(text: str, provider: str, bucket: Bucket) -> Export:
    """The sums of a CSV or JSON export. Raises ExportError."""
    rows = list(_json_rows(text) if text.lstrip().startswith(("{", "[")) else _csv_rows(text))
    if not rows:
        raise ExportError("The export has no rows.")
    names = set().union(*rows)
    start_column = _column(names, _START)
    model_column = _column(names, _MODEL)
    end_column, key_column = _found(names, _END), _found(names, _KEY)
    known = {figure: _found(names, each) for figure, each in columns_of(provider).items()}
    figures = {figure: column for figure, column in known.items() if column is not None}
    if not figures:
        wanted = sorted(name for each in columns_of(provider).values() for name in each)
        raise ExportError(f"The export has none of the columns {', '.join(wanted)}.")
    cells: dict[Cell, dict[str, int]] = {}
    spans: list[tuple[datetime, datetime]] = []
    for number, row in enumerate(rows, 1):
        start = _instant(row, start_column, number)
        end = _end(row, end_column, start_column, start, bucket, number)
        spans.append((start, end))
        if not any(row.get(column) for column in (model_column, *figures.values())):
            continue  # a bucket in which nothing was used
        if not row.get(model_column):
            raise ExportError(f"Row {number} names no model: group the export by model.")
        key = (row.get(key_column) or "") if key_column else ""
        sums = cells.setdefault(
            Cell(bucket.name_of(start), row[model_column], key), dict.fromkeys(figures, 0)
        )
        for figure, column in figures.items():
            sums[figure] += _figure(row, figure, column, number)
    return Export(
        start=min(start for start, _ in spans),
        end=max(end for _, end in spans),
        figures=tuple(figures),
        has_keys=any(cell.key for cell in cells),
        cells=cells,
    )


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
    for number, cells in enumerate(reader, 2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise ExportError(
                f"Line {number} has {len(cells)} cells, the header has {len(header)}."
            )
        yield dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _json_rows(text: str) -> Iterator[Row]:
    """Rows of an answer of the provider's usage API, of several pages of it, or of a plain list."""
    try:
        document: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"The export is no JSON: {error}") from error
    for page in document if isinstance(document, list) else [document]:
        if not isinstance(page, dict):
            raise ExportError("The export must be a JSON object, or a list of objects.")
        yield from _page_rows(page)
    last = document[-1] if isinstance(document, list) and document else document
    if isinstance(last, dict) and last.get("has_more") is True:
        raise ExportError("The export is one page of several: fetch `next_page`, too.")


def _page_rows(page: Mapping[str, JsonValue]) -> Iterator[Row]:
    buckets = page.get("data")
    if not isinstance(buckets, list):
        yield _flat(page)
        return
    for bucket in buckets:
        if not isinstance(bucket, dict):
            raise ExportError("Each entry of `data` must be an object.")
        results = bucket.get("results")
        if not isinstance(results, list):
            yield _flat(bucket)
            continue
        span = {name: value for name, value in bucket.items() if name in (*_START, *_END)}
        rows = [each for each in results if isinstance(each, dict)]
        yield from (_flat({**span, **each}) for each in rows or [{}])


def _flat(document: Mapping[str, JsonValue], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        elif value is not None:
            found[f"{before}{name}"] = str(value)
    return found


def _found(names: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    there = set(names)
    return next((name for name in wanted if name in there), None)


def _column(names: Iterable[str], wanted: tuple[str, ...]) -> str:
    found = _found(names, wanted)
    if found is None:
        raise ExportError(f"The export has no column {' or '.join(wanted)}.")
    return found


def _instant(row: Row, column: str, number: int) -> datetime:
    """A day, an instant (UTC when it says nothing else), or seconds since the epoch."""
    value = row.get(column, "")
    try:
        if value.isdigit() and len(value) > len("20261122"):
            return datetime.fromtimestamp(int(value), UTC)
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError) as error:
        raise ExportError(
            f"Row {number}, {column}: {value!r} must be a day, an instant or seconds since 1970."
        ) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _end(
    row: Row, end: str | None, start: str, began: datetime, bucket: Bucket, number: int
) -> datetime:
    """The end of a row's time, which must lie in one bucket."""
    if end is not None and row.get(end):
        ended = _instant(row, end, number)
    else:
        whole_day = len(row[start]) == len("2026-11-22")
        ended = began + (timedelta(days=1) if whole_day else bucket.span)
    if ended - began > bucket.span:
        raise ExportError(f"Row {number} tells of more than one {bucket}: use --bucket day.")
    return ended


def _figure(row: Row, figure: str, column: str, number: int) -> int:
    value = row.get(column, "") or "0"
    try:
        if figure == "costNanos":
            return int(Decimal(value) * NANOS_PER_DOLLAR)
        return int(value)
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise ExportError(f"Row {number}, {column}: {value!r} must be a number.") from error
