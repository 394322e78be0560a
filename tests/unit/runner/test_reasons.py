"""The table in docs/runner.md is the table of the code."""

from __future__ import annotations

from pathlib import Path

from heliostat_runner.reasons import ENDINGS, Reason

ROOT = Path(__file__).resolve().parents[3]


def test_every_reason_has_an_ending() -> None:
    assert set(ENDINGS) == set(Reason)


def test_the_documented_table_is_the_code() -> None:
    documented = {}
    for line in (ROOT / "docs" / "runner.md").read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1] in list(Reason):
            documented[cells[1]] = (cells[0], cells[2])

    assert documented == {
        reason.value: (str(ending.exit_code), ending.cause.value if ending.cause else "none")
        for reason, ending in ENDINGS.items()
    }
