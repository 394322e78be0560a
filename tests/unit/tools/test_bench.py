"""`make bench BASE=…`: what benchmarks print is read back, paired and judged."""

import pytest

from bench.figures import Report
from tools.bench_figures import Comparison, Measure, alone, compare, read_table, table_of


def printed(report: Report) -> str:
    """As pytest prints it, with what stands around."""
    return "\n".join(
        [
            "..s",
            "=========================== figures ===========================",
            *report.lines(),
            "=================== short test summary info ===================",
            "SKIPPED [1] tests/bench/test_x.py:3: nothing here does that, 12 ms or not",
            "2 passed, 1 skipped, 40 deselected in 61.00s (0:01:01)",
        ]
    )


@pytest.fixture
def report() -> Report:
    made = Report()
    made.add("this machine", "2 cores", beside="load average 1.0, 2.0, 3.0")
    made.add("added at 100/s", "p50 2.34 ms, p99 4.04 ms", "p50 <= 1.0 ms", False, "bare: 1.00 ms")
    made.add(
        "  the same / a proxy", "2.1 x at p50", beside="it: 5000/s; 90 µs of CPU for a request"
    )
    made.add("saturation", "2,345/s", beside="upstream: 9000/s; 382 µs of CPU for a request")
    made.add("  operator's CPU for one", "12 ms")
    return made


def test_every_number_of_a_figure_is_read_with_its_name_and_unit(report: Report) -> None:
    assert [(each.key, each.number) for each in read_table(printed(report))] == [
        (("added at 100/s", "p50", "ms"), 2.34),
        (("added at 100/s", "p99", "ms"), 4.04),
        (("added at 100/s: the same / a proxy", "", "x"), 2.1),
        (("saturation", "", "/s"), 2345.0),
        (("saturation", "CPU", "µs"), 382.0),
        (("saturation: operator's CPU for one", "", "ms"), 12.0),
    ]


def test_without_a_table_there_are_no_figures() -> None:
    assert read_table("no tests ran in 0.01s") == []


def rounds(*numbers: float, unit: str = "ms", name: str = "p50") -> list[list[Measure]]:
    return [[Measure("starts", name, unit, each, 0.01)] for each in numbers]


def only(found: list[Comparison]) -> Comparison:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("base", "here", "unit", "verdict"),
    [
        ((10, 10, 10), (10.4, 10.4, 10.4), "ms", "not slower"),
        ((10, 10, 10), (10.6, 10.6, 10.6), "ms", "SLOWER"),
        ((10, 10, 10), (5, 5, 5), "ms", "not slower"),
        ((1000, 1000), (900, 900), "/s", "SLOWER"),
        ((1000, 1000), (1200, 1200), "/s", "not slower"),
    ],
)
def test_slower_is_more_than_five_percent(
    base: tuple[float, ...], here: tuple[float, ...], unit: str, verdict: str
) -> None:
    found = only(compare(rounds(*base, unit=unit), rounds(*here, unit=unit)))
    assert found.verdict == verdict


def test_rounds_that_lie_apart_widen_the_bound() -> None:
    calm = only(compare(rounds(10, 10, 10), rounds(11, 11, 11)))
    wild = only(compare(rounds(8, 10, 12), rounds(11, 11, 11)))
    assert (calm.verdict, wild.verdict) == ("SLOWER", "not slower")
    assert wild.bound_percent == 20


def test_one_printed_digit_more_is_not_slower() -> None:
    def coarse(number: float) -> list[list[Measure]]:
        return [[Measure("CPU for one", "", "ms", number, 1.0)]]

    assert only(compare(coarse(9), coarse(10))).verdict == "not slower"
    assert only(compare(coarse(9), coarse(11))).verdict == "SLOWER"


@pytest.mark.parametrize(("name", "unit"), [("p99", "ms"), ("max", "ms"), ("", "x"), ("", "")])
def test_the_far_end_of_a_spread_is_shown_but_not_judged(name: str, unit: str) -> None:
    found = only(compare(rounds(1, unit=unit, name=name), rounds(9, unit=unit, name=name)))
    assert found.verdict == ""
    assert found.ratio == 9


def test_medians_stand_beside_each_other() -> None:
    found = compare(rounds(1, 2, 30), rounds(2, 2, 2))
    assert table_of(found) == [
        "figure       base  here  here/base  bound",
        "starts, p50  2 ms  2 ms  1.00       725 %  not slower",
    ]


def test_what_only_one_version_prints_is_said() -> None:
    new = [[Measure("fresh", "", "ms", 1, 1), *rounds(1)[0]]]
    assert alone(rounds(1), new) == ["only here: fresh"]
    assert alone(new, rounds(1)) == ["only in the base: fresh"]
    assert len(compare(new, rounds(1))) == 1
