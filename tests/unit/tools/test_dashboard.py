"""The dashboard is built once for the same sources."""

from pathlib import Path

import pytest

from tools.dashboard import digest, inputs, is_new_enough


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("v20.19.0\n", True),
        ("v20.18.3\n", False),
        ("v21.7.0\n", False),
        ("v22.11.0\n", False),
        ("v22.12.0\n", True),
        ("v24.1.0\n", True),
        ("", False),
        ("nonsense", False),
    ],
)
def test_node_must_be_one_that_vite_runs_on(version: str, is_enough: bool) -> None:
    assert is_new_enough(version) is is_enough


def test_sources_are_inputs_and_what_is_made_of_them_is_not(tmp_path: Path) -> None:
    for name in ("package.json", "src/app.tsx", "node_modules/x/y.js", "tests/a.test.ts"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    found = {path.relative_to(tmp_path).as_posix() for path in inputs(tmp_path)}
    assert found == {"package.json", "src/app.tsx"}


def test_a_changed_or_renamed_file_has_another_digest(tmp_path: Path) -> None:
    one, other = tmp_path / "one.ts", tmp_path / "other.ts"
    one.write_text("text")
    before = digest([one], tmp_path)
    assert digest([one], tmp_path) == before
    one.write_text("texts")
    changed = digest([one], tmp_path)
    one.rename(other)
    other.write_text("text")
    assert len({before, changed, digest([other], tmp_path)}) == 3
