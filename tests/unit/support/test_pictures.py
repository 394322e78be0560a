"""Pictures and words of pages: what another font or moment changes is no difference."""

import pytest

from support.pictures import COLUMNS, ROWS, Picture, other_cells, other_words, plain

CELLS = COLUMNS * ROWS


def picture(*greys: int, width: int = 1440) -> Picture:
    return Picture(width, 900, (*greys, *[250] * (CELLS - len(greys))))


def test_shades_of_a_cell_are_no_difference_and_another_one_is() -> None:
    assert other_cells(picture(), picture(*[241] * 100)) == 0
    assert other_cells(picture(), picture(*[20] * 144)) == 0.1
    assert other_cells(picture(*[20] * 144), picture()) == 0.1


def test_a_picture_of_another_size_is_another_one() -> None:
    assert other_cells(picture(), picture(width=1200)) == 1


def test_lines_that_only_one_page_has_are_counted() -> None:
    assert other_words([], []) == 0
    assert other_words(["a", "b"], ["b", "a"]) == 0
    assert other_words(["a", "a"], ["a"]) == pytest.approx(1 / 3)
    assert other_words(["a", "b"], ["a", "c"]) == 0.5
    assert other_words(["a"], []) == 1


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("- text: nightly-backup-0gd0m", "- text: nightly-backup-7x2ab9"),
        ("- definition: Nov 5, 2026, 10:14:02", "- definition: Dec 17, 2027, 1:04:59"),
        ("- time: 12 sec. ago", "- time: 3 min. ago"),
        ("- text: Duration 1 min 3 s", "- text: Duration 4 s"),
        (
            "- code: 730a9fb8-91b7-475a-94ac-9ef8c3aabab6",
            "- code: 3e27e1e9-e827-4627-898c-dbbdfb3129de",
        ),
    ],
)
def test_names_days_and_numbers_of_one_moment_are_no_words(line: str, same: str) -> None:
    assert plain(line) == plain(same)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ('- link "Home":', '- link "Start":'),
        ('- heading "Runs" [level=1]', '- heading "All runs" [level=1]'),
        ("- text: nightly-backup", "- text: nightly-report"),
    ],
)
def test_other_words_stay_other_words(line: str, other: str) -> None:
    assert plain(line) != plain(other)
