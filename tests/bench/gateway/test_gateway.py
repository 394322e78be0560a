"""How fast the gateway is, beside the upstream alone, a proxy that does nothing and LiteLLM's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.figures import Report, percentile
from bench.gateway.litellm_proxy import NoLiteLlmError, run_litellm
from bench.gateway.load import Figures
from bench.gateway.rigs import (
    MODELS,
    BareProxy,
    Rig,
    Target,
    cpu_of,
    put_load,
    run_bare_proxy,
    run_rig,
    run_upstream,
)
from support.redis_server import NoRedisError, run_redis

MEBIBYTE = 1024 * 1024
RATE, STEADY_REQUESTS = 100, 1500
BUSY_CONNECTIONS, BUSY_REQUESTS, NEIGHBOUR_REQUESTS = 32, 20_000, 800
OPEN_STREAMS = 500


@pytest.fixture(scope="module")
def upstream() -> Iterator[Target]:
    with run_upstream() as found:
        yield found


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, upstream: Target) -> Iterator[Rig]:
    try:
        with (
            run_redis(tmp_path_factory.mktemp("redis")) as redis,
            run_rig(tmp_path_factory.mktemp("gateway"), redis, upstream) as found,
        ):
            yield found
    except NoRedisError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def bare_proxy(upstream: Target) -> Iterator[BareProxy]:
    with run_bare_proxy(upstream) as found:
        yield found


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory, upstream: Target) -> Iterator[Target]:
    folder: Path = tmp_path_factory.mktemp("litellm")
    try:
        with run_litellm(folder, upstream) as found:
            yield found
    except NoLiteLlmError as missing:
        pytest.skip(f"LiteLLM can't be installed here: {missing}. Remedy: an index with it")


def millis(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def put_steady_load(target: Target, path: str, *, stream: bool = False) -> Figures:
    return put_load(
        target, path, connections=32, requests=STEADY_REQUESTS, rate=RATE, stream=stream
    )


def put_full_load(target: Target, path: str, requests: int) -> Figures:
    return put_load(target, path, connections=BUSY_CONNECTIONS, requests=requests)


def p50_and_p99(figures: Figures) -> tuple[float, float]:
    assert not figures.failed, figures.sample
    return percentile(figures.latencies, 50), percentile(figures.latencies, 99)


def per_second(figures: Figures) -> float:
    assert not figures.failed, figures.sample
    return len(figures.latencies) / figures.seconds


@pytest.mark.parametrize("path", MODELS)
def test_added_latency(rig: Rig, bare_proxy: BareProxy, path: str, report: Report) -> None:
    for target in (rig.target, bare_proxy.target):  # connections and caches are warm
        put_load(target, path, connections=8, requests=300)
    floor = p50_and_p99(put_steady_load(bare_proxy.target, path))
    bare = p50_and_p99(put_steady_load(rig.upstream, path))
    ours = p50_and_p99(put_steady_load(rig.target, path))
    p50, p99 = ours[0] - bare[0], ours[1] - bare[1]
    report.add(
        f"added at {RATE}/s, {path}",
        f"p50 {millis(p50)} ms, p99 {millis(p99)} ms",
        "p50 <= 1.0 ms, p99 <= 3 ms",
        p50 <= 0.001 and p99 <= 0.003,
        f"the upstream alone: p50 {millis(bare[0])} ms, p99 {millis(bare[1])} ms",
    )
    report.add(
        "  the same / a proxy that does nothing",
        f"{p50 / (floor[0] - bare[0]):.1f} x at p50",
        beside=f"it adds p50 {millis(floor[0] - bare[0])} ms, p99 {millis(floor[1] - bare[1])} ms",
    )


@pytest.mark.parametrize("path", MODELS)
def test_added_time_to_the_first_byte_of_a_stream(rig: Rig, path: str, report: Report) -> None:
    bare = put_steady_load(rig.upstream, path, stream=True)
    ours = put_steady_load(rig.target, path, stream=True)
    assert not ours.failed, ours.sample
    added = percentile(ours.first_bytes, 50) - percentile(bare.first_bytes, 50)
    report.add(
        f"  first byte of a stream, {path}",
        f"p50 +{millis(added)} ms",
        "p50 +2 ms",
        added <= 0.002,
        f"the upstream alone: p50 {millis(percentile(bare.first_bytes, 50))} ms",
    )


@pytest.mark.parametrize("path", MODELS)
def test_saturation(
    rig: Rig, bare_proxy: BareProxy, litellm: Target, path: str, report: Report
) -> None:
    bare = per_second(put_full_load(rig.upstream, path, BUSY_REQUESTS))
    before = rig.cpu()
    ours = per_second(put_full_load(rig.target, path, BUSY_REQUESTS))
    cost = (rig.cpu() - before) / BUSY_REQUESTS
    before = cpu_of(bare_proxy.process)
    floor = per_second(put_full_load(bare_proxy.target, path, BUSY_REQUESTS))
    floor_cost = (cpu_of(bare_proxy.process) - before) / BUSY_REQUESTS
    put_load(litellm, path, connections=4, requests=40)
    theirs = per_second(put_full_load(litellm, path, NEIGHBOUR_REQUESTS))
    report.add(
        f"saturation, {path}",
        f"{ours:.0f}/s",
        ">= 2000/s",
        ours >= 2000,
        f"the upstream alone: {bare:.0f}/s; {cost * 1e6:.0f} µs of CPU for a request",
    )
    report.add(
        "  the same / a proxy that does nothing",
        f"{ours / floor:.2f} x",
        beside=f"it: {floor:.0f}/s; {floor_cost * 1e6:.0f} µs of CPU for a request",
    )
    report.add(
        "  the same / LiteLLM's proxy",
        f"{ours / theirs:.1f} x",
        ">= 10 x",
        ours >= 10 * theirs,
        f"LiteLLM: {theirs:.0f}/s, without database and Redis",
    )


def test_open_streams(rig: Rig, report: Report) -> None:
    path = "/v1/messages"
    found = put_load(
        rig.target,
        path,
        connections=OPEN_STREAMS,
        requests=OPEN_STREAMS,
        stream=True,
        slow=True,
    )
    report.add(
        f"{OPEN_STREAMS} streams of 10 s at once",
        f"{found.failed} cut",
        "none cut",
        not found.failed,
        f"the slowest took {max(found.latencies):.1f} s",
    )
    assert not found.failed, found.sample


def test_memory(rig: Rig, report: Report) -> None:
    path = "/v1/messages"
    put_full_load(rig.target, path, 10_000)
    early = rig.memory() / MEBIBYTE
    put_full_load(rig.target, path, 40_000)
    late = rig.memory() / MEBIBYTE
    report.add(
        "memory after 10,000 and 50,000 more requests",
        f"{early:.0f} and {late:.0f} MiB",
        "<= 120 MB, flat",
        late * MEBIBYTE <= 120e6 and late - early <= 5,
    )
    report.add("ready after", f"{rig.ready_seconds:.2f} s", "<= 1.5 s", rig.ready_seconds <= 1.5)
