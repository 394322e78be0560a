"""A sampler takes a trace whole or not at all, in whatever order its spans are told."""

from collections import Counter

import pytest

from heliostat_core.traces import attempt_context, run_context, runner_context
from heliostat_telemetry.otlp import OtlpSpans
from heliostat_telemetry.spans import Span, Spans
from support.collector import collecting

RUNS = 200
SPANS = ("run", "attempt 1", "runner", "chat model")


def tell(operator: Spans, gateway: Spans, number: int) -> None:
    names = (f"correlation-{number}", f"uid-{number}")
    run, attempt, runner = (
        run_context(*names),
        attempt_context(*names, 1),
        runner_context(*names, 1),
    )
    # The call comes first: the operator tells of a run when it has ended.
    gateway.tell(Span(SPANS[3], "server", 1, 2, parent=runner))
    operator.tell(Span(SPANS[0], "internal", 1, 2, own=run))
    operator.tell(Span(SPANS[1], "internal", 1, 2, parent=run, own=attempt))
    operator.tell(Span(SPANS[2], "internal", 1, 2, parent=attempt, own=runner))


@pytest.mark.parametrize("sampler", ["traceidratio", "parentbased_traceidratio"])
async def test_of_a_sampled_run_every_span_is_told_and_of_another_none(
    sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
    with collecting() as collector:
        operator = OtlpSpans(collector.url, "heliostat-operator")
        gateway = OtlpSpans(collector.url, "heliostat-gateway")
        for number in range(RUNS):
            tell(operator, gateway, number)
        await operator.close()
        await gateway.close()
    told = Counter(each.trace for each in collector.told)
    assert set(told.values()) == {len(SPANS)}
    assert 5 < len(told) < 50


async def test_without_a_sampler_every_span_is_told() -> None:
    with collecting() as collector:
        spans = OtlpSpans(collector.url, "heliostat-operator")
        tell(spans, spans, 1)
        await spans.close()
    assert Counter(each.span.name for each in collector.told) == Counter(SPANS)
