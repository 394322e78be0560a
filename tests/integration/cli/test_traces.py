"""A run is one trace: who asked, the operator, the pod, the runner, the gateway, the provider."""

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliostat_core.traces import trace_of
from support.collector import Collector, Told, attributes, collecting
from support.dev_process import running_dev
from support.screens import follow, run_sample, until_finished


@dataclass(frozen=True)
class Story:
    """What was told of one run, and how it was called."""

    collector: Collector
    correlation_id: str
    uid: str

    def one(self, service: str, name: str) -> Told:
        """The first span of that name in the run's trace."""
        return self.collector.one(self.correlation_id, service, name)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A sample that was run from the dashboard to its end, in a process that has ended."""
    folder: Path = tmp_path_factory.mktemp("traces")
    with collecting() as collector:
        with running_dev(folder, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as dev:
            with dev.browser() as client, closing(follow(client)) as events:
                next(events)
                uid = run_sample(client)
                until_finished(events, uid)
                run = client.get(f"/api/executions/{uid}").json()
            assert dev.end(signal.SIGTERM) == 0
        yield Story(collector, run["correlationId"], uid)


def test_each_part_stands_below_the_one_that_asked_it(story: Story) -> None:
    asked = next(
        each for each in story.collector.told if each.span.name.startswith("ask for a run of ")
    )
    agent = asked.span.name.removeprefix("ask for a run of ")
    run = story.one("operator", f"run {agent}")
    attempt = story.one("operator", "attempt 1")
    runner = story.one("operator", "runner")
    assert asked.service == "heliostat-api"
    assert asked.parent == ""
    assert run.parent == asked.id
    assert story.one("operator", "wait for admission").parent == run.id
    assert attempt.parent == run.id
    assert runner.parent == attempt.id
    story.collector.check_calls(runner)


def test_all_of_it_is_one_trace(story: Story) -> None:
    of_run = [
        each
        for each in story.collector.told
        if attributes(each.span).get("heliostat.correlation.id") == story.correlation_id
    ]
    assert {each.service for each in of_run} == {
        "heliostat-api",
        "heliostat-operator",
        "heliostat-gateway",
    }
    assert {each.trace for each in of_run} == {f"{trace_of(story.correlation_id):032x}"}


def test_a_call_lies_within_its_runner_and_that_within_its_run(story: Story) -> None:
    second = 10**9  # the record of a run is exact to the second
    runner = story.one("operator", "runner")
    attempt = story.one("operator", "attempt 1")
    for inner, outer in [(runner, attempt)] + [
        (each, runner) for each in story.collector.told if each.parent == runner.id
    ]:
        assert inner.span.start_time_unix_nano >= outer.span.start_time_unix_nano - second
        assert inner.span.end_time_unix_nano <= outer.span.end_time_unix_nano + second
