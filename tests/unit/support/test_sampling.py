"""What a landing tries of an exhaustive matrix."""

from collections import Counter

import pytest

from support.sampling import ALL, SEED, rows_of_landing, sample

ROWS = [(kind, number) for kind, size in (("a", 40), ("b", 5), ("c", 1)) for number in range(size)]


def kind_of(row: tuple[str, int]) -> str:
    return row[0]


def test_each_kind_is_there_with_its_share_and_at_least_one_row() -> None:
    found = sample(ROWS, kind_of, "seed", 0.1)
    assert Counter(kind for kind, _ in found) == {"a": 4, "b": 1, "c": 1}
    assert found == sorted(set(found)), "in their order, none twice"


def test_a_seed_chooses_the_same_rows_and_another_one_others() -> None:
    assert sample(ROWS, kind_of, "seed", 0.2) == sample(ROWS, kind_of, "seed", 0.2)
    assert sample(ROWS, kind_of, "seed", 0.2) != sample(ROWS, kind_of, "other", 0.2)


def test_in_time_all_of_them_are_tried() -> None:
    tried = {row for seed in range(60) for row in sample(ROWS, kind_of, str(seed), 0.2)}
    assert tried == set(ROWS)


def test_rows_of_another_kind_change_nothing() -> None:
    more = [*ROWS, *(("d", number) for number in range(9))]
    found = sample(more, kind_of, "seed", 0.2)
    assert [row for row in found if row[0] != "d"] == sample(ROWS, kind_of, "seed", 0.2)


def test_a_landing_takes_a_part_and_make_test_all_takes_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SEED, "seed")
    monkeypatch.delenv(ALL, raising=False)
    found = rows_of_landing("letters", ROWS, kind_of, 0.2)
    assert len(found) == 10
    assert found != rows_of_landing("others", ROWS, kind_of, 0.2), "each matrix has its own chance"
    monkeypatch.setenv(ALL, "true")
    assert rows_of_landing("letters", ROWS, kind_of, 0.2) == ROWS
