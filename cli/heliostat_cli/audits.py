"""`heliostat gateway audit`: the ledger beside a provider's usage export."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from heliostat_cli.admin import Admin, open_admin
from heliostat_cli.errors import CliError, UsageError
from heliostat_cli.screen import Terminal
from heliostat_cli.tables import render_table
from heliostat_gateway.reports.audits import Audit, book_lines, compare, without_keys
from heliostat_gateway.reports.calendars import epoch_ms
from heliostat_gateway.reports.dimensions import read_dimensions
from heliostat_gateway.reports.documents import UsageLine, UsageReport, usage_report
from heliostat_gateway.reports.exports import Bucket, Export, ExportError, read_export
from heliostat_gateway.reports.questions import LARGEST_PAGE, UsageQuestion
from heliostat_gateway.reports.rates import RateBook
from heliostat_gateway.reports.reading import LedgerReader, LedgerUnreadableError, known_columns
from heliostat_gateway.reports.sums import Page, sum_usage

_LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Wanted:
    """What is compared with what. `models` and `keys` are pairs LEDGER=EXPORT."""

    export: Path
    provider: str
    bucket: Bucket
    ledger: Path | None
    url: str | None
    models: Sequence[str] = ()
    keys: Sequence[str] = ()


class Sums(Protocol):
    """Where the ledger's sums come from."""

    def has_credentials(self) -> bool: ...

    def lines(self, export: Export, by: str) -> Iterator[UsageLine]: ...


def audit(terminal: Terminal, wanted: Wanted, *, as_json: bool) -> int:
    """Compare and show. The exit code: 0 equal, 1 different. Raises CliError."""
    export = _read(wanted)
    try:
        by_key, result = _compare(wanted, _sums(wanted), export)
    except TimeoutError as error:
        raise CliError(
            f"the ledger was not read within {_LONGEST_SECONDS:g} s", "Export less time."
        ) from error
    except LedgerUnreadableError as error:
        raise UsageError(str(error), "Give --ledger the gateway's ledger.sqlite.") from error
    if as_json:
        terminal.line(json.dumps(_document(wanted, result, by_key=by_key), indent=2))
    else:
        _show(terminal, result, unmatched_keys=export.has_keys and not by_key)
    return 1 if result.differences else 0


def _compare(wanted: Wanted, sums: Sums, export: Export) -> tuple[bool, Audit]:
    """Whether keys were told apart, and the result."""
    models, keys = _pairs("--model", wanted.models), _pairs("--key", wanted.keys)
    # The ledger knows a key by its variable, the provider by its own name: only --key joins them.
    by_key = export.has_keys and bool(keys) and sums.has_credentials()
    compared = export if by_key else without_keys(export)
    by = f"provider,{wanted.bucket},model" + (",credential" if by_key else "")
    found = sums.lines(compared, by)
    lines = (line for line in found if line.key["provider"] == wanted.provider)
    return by_key, compare(book_lines(lines, wanted.bucket.value, models, keys), compared)


@dataclass(frozen=True)
class _FileSums:
    path: Path

    def has_credentials(self) -> bool:
        return "credential" in LedgerReader(self.path, _LONGEST_SECONDS).run_now(known_columns)

    def lines(self, export: Export, by: str) -> Iterator[UsageLine]:
        after: tuple[str, ...] | None = None
        nothing = RateBook(lambda *_: None, [])
        while True:
            question = UsageQuestion(
                epoch_ms(export.start),
                epoch_ms(export.end),
                ZoneInfo("UTC"),
                read_dimensions(by),
                LARGEST_PAGE,
                after,
            )
            page = self._page(question)
            yield from usage_report(question, page, nothing).lines
            if not page.more:
                return
            after = page.lines[-1].key

    def _page(self, question: UsageQuestion) -> Page:
        return LedgerReader(self.path, _LONGEST_SECONDS).run_now(
            lambda db: sum_usage(db, question, [])
        )


@dataclass(frozen=True)
class _GatewaySums:
    admin: Admin

    def has_credentials(self) -> bool:
        try:
            self._ask({"by": "credential", "limit": "1"})
        except UsageError:
            return False
        return True

    def lines(self, export: Export, by: str) -> Iterator[UsageLine]:
        asked = {
            "from": export.start.isoformat(),
            "to": export.end.isoformat(),
            "by": by,
            "timeZone": "UTC",
            "limit": str(LARGEST_PAGE),
        }
        while True:
            report = self._ask(asked)
            yield from report.lines
            if report.next is None:
                return
            asked = {"cursor": report.next, "limit": str(LARGEST_PAGE)}

    def _ask(self, parameters: dict[str, str]) -> UsageReport:
        return self.admin.ask(UsageReport, "/usage", parameters)


def _sums(wanted: Wanted) -> Sums:
    if (wanted.ledger is None) == (wanted.url is None):
        raise UsageError("the ledger is not named", "Give one of --ledger FILE and --url URL.")
    if wanted.ledger is not None:
        return _FileSums(wanted.ledger)
    return _GatewaySums(open_admin(wanted.url))


def _read(wanted: Wanted) -> Export:
    try:
        text = wanted.export.read_text(encoding="utf-8")
        return read_export(text, wanted.provider, wanted.bucket)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{wanted.export} can't be read: {error}", "Check --export.") from error
    except ExportError as error:
        raise UsageError(
            f"{wanted.export}: {error}", "See docs/finops.md for the columns."
        ) from error


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for ours, sign, theirs in pairs:
        if not (ours and sign and theirs):
            raise UsageError(f"{option} {ours}{sign}{theirs} is no pair", "Write LEDGER=EXPORT.")
    return {ours: theirs for ours, _, theirs in pairs}


def _show(terminal: Terminal, result: Audit, *, unmatched_keys: bool) -> None:
    if unmatched_keys:
        terminal.note("note: the ledger records no credentials; keys are summed up.")
    if not result.differences:
        terminal.line(f"equal: {result.cells} cells, {', '.join(result.figures)}")
        return
    rows = [
        [
            each.cell.bucket,
            each.cell.model,
            each.cell.key or "-",
            each.figure,
            str(each.ledger),
            str(each.provider),
            f"{each.ledger - each.provider:+d}",
            str(each.estimated),
        ]
        for each in result.differences
    ]
    header = ["BUCKET", "MODEL", "KEY", "FIGURE", "LEDGER", "PROVIDER", "MORE", "ESTIMATED"]
    terminal.line(render_table(header, rows))
    terminal.line(f"different: {len(rows)} figures in {result.cells} cells")


def _document(wanted: Wanted, result: Audit, *, by_key: bool) -> dict[str, object]:
    return {
        "equal": not result.differences,
        "provider": wanted.provider,
        "bucket": wanted.bucket.value,
        "byKey": by_key,
        "figures": list(result.figures),
        "cells": result.cells,
        "differences": [
            {
                "bucket": each.cell.bucket,
                "model": each.cell.model,
                "key": each.cell.key,
                "figure": each.figure,
                "ledger": each.ledger,
                "provider": each.provider,
                "estimatedRequests": each.estimated,
            }
            for each in result.differences
        ],
    }
