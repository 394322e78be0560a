"""The reports of events that arrive."""

import json

from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.base.views import OutputView
from heliostat_api.documents.lines import Line, read_lines
from heliostat_api.ingest.outputs import EVENT_BYTES, REPORT_BYTES, build_gap, build_outputs
from support.deliveries import NOW, make_claims

CLAIMS = make_claims("u-1", attempt=2)


def make_line(size: int) -> Line:
    [line] = read_lines(b'{"x":"' + b"y" * (size - 8) + b'"}')
    return line


def test_events_that_arrive_together_are_one_report() -> None:
    [output] = build_outputs(CLAIMS, 5, read_lines(b'{"a":1}\n{"b":2}\n'), NOW)
    assert output.key == "u-1/2/5-7"
    assert (output.report.execution, output.report.correlation_id) == ("u-1", "c-1")
    view = OutputView.model_validate(output.report.payload)
    assert view == OutputView(attempt=2, first=5, events=({"a": 1}, {"b": 2}))


def test_a_long_event_is_told_by_its_beginning() -> None:
    lines = [make_line(EVENT_BYTES), make_line(EVENT_BYTES + 1)]
    [output] = build_outputs(CLAIMS, 0, lines, NOW)
    whole, cut = OutputView.model_validate(output.report.payload).events
    assert whole == lines[0].event
    assert (cut["subtype"], cut["bytes"]) == ("cut", EVENT_BYTES + 1)


@given(st.lists(st.sampled_from([9, 1000, 20_000, EVENT_BYTES, 100_000]), max_size=30))
def test_every_event_is_in_one_report_in_order_and_reports_are_bounded(sizes: list[int]) -> None:
    outputs = build_outputs(CLAIMS, 3, [make_line(size) for size in sizes], NOW)
    expected = 3
    for output in outputs:
        view = OutputView.model_validate(output.report.payload)
        assert view.first == expected
        expected += len(view.events)
        assert output.key == f"u-1/2/{view.first}-{expected}"
        assert len(json.dumps(output.report.payload)) < REPORT_BYTES * 1.2
    assert expected == 3 + len(sizes)


def test_a_gap_is_one_event_that_counts() -> None:
    output = build_gap(CLAIMS, 4, 90, NOW)
    view = OutputView.model_validate(output.report.payload)
    assert (view.first, output.key) == (4, "u-1/2/4-94")
    assert view.events == ({"type": "heliostat", "subtype": "lost", "first": 4, "count": 90},)
