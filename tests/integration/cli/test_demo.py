"""The whole demo with real Claude Code, on sales that it has never seen."""

import re
import subprocess
from pathlib import Path

import pytest

from support.heliostat_program import PROGRAM, build_environ

HEADER = "date,region,product,units,unit_price"


@pytest.mark.timeout(600)
def test_the_demo_is_right_about_other_sales(tmp_path: Path) -> None:
    rows = [f"2025-03-{day:02d},Region {day % 3},Lamp,{day},0.07" for day in range(1, 20)]
    (tmp_path / "other.csv").write_text("\n".join([HEADER, *rows]))
    ended = subprocess.run(
        [PROGRAM, "demo", "--dir", tmp_path / "demo", "--csv", tmp_path / "other.csv"],
        env=build_environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    assert "(Verified)\n" in ended.stdout
    assert "| Total | 13.30 |" in ended.stdout
    assert "(VerificationFailed)\n" in ended.stdout
    assert "Both behaved as they should" in ended.stdout
    pictures = re.findall(r"^picture +(.+)$", ended.stdout, re.MULTILINE)
    assert all(Path(each).read_bytes().startswith(b"\x89PNG") for each in pictures)
    assert ended.stdout.count("cost        $0.104282\n") == 2
    assert str(tmp_path / "demo" / "sales.yaml") in ended.stdout


def test_the_real_model_without_a_key_is_refused_in_words(tmp_path: Path) -> None:
    ended = subprocess.run(
        [PROGRAM, "demo", "--provider", "anthropic", "--dir", tmp_path / "demo"],
        env=build_environ(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(
        "error: --provider anthropic needs ANTHROPIC_API_KEY, and it is not set\n"
    )
    assert not (tmp_path / "demo").exists()
