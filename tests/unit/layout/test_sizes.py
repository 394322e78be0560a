"""A file can be read in one sitting."""

from unit.layout.test_layout import ROOT, tracked_files

MOST_LINES = 400
GENERATED = ("api/dashboard/src/api/schema.d.ts",)


def lines_of_files() -> dict[str, int]:
    """Every Python and TypeScript file that people write, tests aside."""
    found = {}
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        is_test = "tests" in path.relative_to(ROOT).parts[:-1]
        if path.suffix in (".py", ".ts", ".tsx") and not is_test and name not in GENERATED:
            found[name] = len(path.read_text().splitlines())
    return found


def test_no_file_has_more_than_400_lines() -> None:
    found = {name: lines for name, lines in lines_of_files().items() if lines > MOST_LINES}
    assert found == {}, "split them by the nouns of the field"
