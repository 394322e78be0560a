"""Groups of keys take turns, and a crowd leaves workers for whoever comes."""

from heliostat_operator.queues import URGENT, FairLines


def line(*pushed: tuple[str, int], most: int = 100) -> FairLines[str]:
    """Keys `GROUP NAME` with their ranks."""
    lines = FairLines[str](most)
    for key, rank in pushed:
        lines.push(key, rank, key.split()[0])
    return lines


def popped(lines: FairLines[str], count: int) -> list[str | None]:
    return [lines.pop() for _ in range(count)]


def test_groups_take_turns_however_many_keys_one_has() -> None:
    lines = line(*((f"busy {number}", 0) for number in range(1000)), ("calm 1", 0), ("calm 2", 0))
    assert popped(lines, 4) == ["busy 0", "calm 1", "busy 1", "calm 2"]


def test_a_lower_rank_goes_first_and_no_rank_waits_for_ever() -> None:
    kinds = {"end": 0, "new": 1, "wait": 2}
    lines = line(*((f"{kind} {n}", rank) for n in range(100) for kind, rank in kinds.items()))
    order = [str(key).split()[0] for key in popped(lines, 32)]
    assert order[:3] == ["end", "end", "end"]
    assert [order.count(kind) for kind in kinds] == [24, 4, 4]


def test_what_is_urgent_goes_before_everything() -> None:
    lines = line(*((f"a {number}", 0) for number in range(20)), ("b now", URGENT))
    assert popped(lines, 1) == ["b now"]
    lines.push("a 19", URGENT, "a")
    assert popped(lines, 3) == ["a 19", "a 0", "a 1"]
    assert len(lines) == 17


def test_a_key_is_popped_once_however_often_its_rank_rose() -> None:
    lines = line(("a 1", 2), ("a 2", 2))
    assert lines.push("a 1", 0, "a")
    assert not lines.push("a 1", 1, "a")
    assert popped(lines, 3) == ["a 1", "a 2", None]


def test_one_group_never_has_all_workers() -> None:
    lines = line(*((f"busy {number}", 0) for number in range(10)), most=3)
    assert popped(lines, 4) == ["busy 0", "busy 1", "busy 2", None]
    lines.push("calm 1", 2, "calm")
    assert popped(lines, 2) == ["calm 1", None]
    lines.done("busy")
    assert popped(lines, 2) == ["busy 3", None]
