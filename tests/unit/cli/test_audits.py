"""`heliostat gateway audit` over a real ledger file."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliostat_cli.errors import UsageError
from heliostat_cli.main import app
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.reports.calendars import epoch_ms
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book

MORNING = epoch_ms(datetime(2026, 11, 20, 7, 30, tzinfo=UTC))
EXPORT = "date,model,api_key,uncached_input_tokens,output_tokens\n2026-11-20,{},k,20,{}\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    storage = Storage(tmp_path)
    usage = Usage(input=10, output=5)
    rows = [
        Row(MORNING, usage=usage),
        Row(MORNING + 3_600_000, usage=usage, estimated=True),
        Row(MORNING + 86_400_000, usage=usage),  # after the export's end
        Row(MORNING, usage=usage, provider="scripted"),
    ]
    asyncio.run(book(SqliteLedger(storage), rows))
    storage.close()
    return tmp_path / "ledger.sqlite"


def audit(ledger: Path, text: str, *more: str) -> tuple[int, str]:
    export = ledger.parent / "export.csv"
    export.write_text(text)
    command = ["gateway", "audit", "--provider", "anthropic", "--export", str(export)]
    done = CliRunner().invoke(app, [*command, "--ledger", str(ledger), *more])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_equal_sums_end_with_zero(ledger: Path) -> None:
    code, output = audit(ledger, EXPORT.format("claude-opus-5-5", 10))
    assert (code, "equal: 1 cells, input, output" in output) == (0, True)
    assert "keys are summed up" in output


def test_differences_are_shown_and_end_with_one(ledger: Path) -> None:
    code, output = audit(ledger, EXPORT.format("claude-opus-5-5", 12))
    assert code == 1
    assert "2026-11-20   claude-opus-5-5   -     output   10       12         -2     1" in output
    code, output = audit(ledger, EXPORT.format("claude-opus-5-5", 12), "--json")
    document = json.loads(output)
    assert (code, document["equal"], document["byKey"]) == (1, False, False)
    assert document["differences"] == [
        {
            "bucket": "2026-11-20",
            "model": "claude-opus-5-5",
            "key": "",
            "figure": "output",
            "ledger": 10,
            "provider": 12,
            "estimatedRequests": 1,
        }
    ]


def test_a_model_may_have_another_name_in_the_export(ledger: Path) -> None:
    text = EXPORT.format("opus-2026", 10)
    assert audit(ledger, text)[0] == 1
    assert audit(ledger, text, "--model", "claude-opus-5-5=opus-2026")[0] == 0


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("nothing", (), "has no rows"),
        ("{}", (), "no column bucket"),
        (EXPORT.format("m", 1), ("--bucket", "hour"), "more than one hour"),
        (EXPORT.format("m", 1), ("--model", "x"), "--model x is no pair"),
        (EXPORT.format("m", 1), ("--url", "http://x"), "the ledger is not named"),
    ],
)
def test_mistakes_are_named(ledger: Path, text: str, more: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        audit(ledger, text, *more)
    assert words in caught.value.fact
    assert caught.value.remedy


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("no database, but long enough that SQLite looks at its header" * 20)
    with pytest.raises(UsageError, match=r"ledger\.sqlite can't be read as a ledger"):
        audit(path, EXPORT.format("m", 1))


def test_a_gateway_needs_a_key(monkeypatch: pytest.MonkeyPatch, ledger: Path) -> None:
    monkeypatch.delenv("HELIOSTAT_ADMIN_KEY", raising=False)
    export = ledger.parent / "export.csv"
    export.write_text(EXPORT.format("m", 1))
    command = ["gateway", "audit", "--provider", "anthropic", "--export", str(export)]
    done = CliRunner().invoke(app, [*command, "--url", "http://127.0.0.1:1"])
    assert isinstance(done.exception, UsageError)
    assert done.exception.fact == "HELIOSTAT_ADMIN_KEY is not set"
