"""What happens to calls is what /metrics says, value by value."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.ports import free_port

from .gateway_process import GatewayProcess
from .upstream import INPUT_NANOS, START, TEXT, event, upstream

CALLS = 6
OPENS_AFTER = 5  # failures, by the breakers' ordinary policy
SEARCHES = {"output_tokens": 50, "server_tool_use": {"web_search_requests": 2}}
ANSWER = (
    START
    + TEXT
    + event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage=SEARCHES)
    + event("message_stop")
)


def routes() -> str:
    """The first provider is not there; the second one's searches have no price."""
    price = {
        "input": "4",
        "output": "20",
        "cacheRead": "0.20",
        "cacheWrite5m": "5",
        "cacheWrite1h": "8",
    }
    chain = [{"provider": "nobody", "model": "x"}, {"provider": "anthropic", "model": "seeker"}]
    return json.dumps(
        {
            "providers": {"nobody": {"baseUrl": f"http://127.0.0.1:{free_port()}"}},
            "prices": {"nobody/x": price, "anthropic/seeker": price},
            "models": {"chained": {"chain": chain}},
        }
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    found = GatewayProcess(tmp_path)
    found.write_public_key()
    yield found
    found.kill()


class Read:
    """Samples as Prometheus reads them."""

    def __init__(self, text: str) -> None:
        self._samples = [
            each for family in text_string_to_metric_families(text) for each in family.samples
        ]

    def of(self, name: str, **labels: str) -> float:
        """The value of one, 0 where there is none."""
        return sum(
            each.value
            for each in self._samples
            if each.name == f"heliostat_gateway_{name}" and each.labels == labels
        )

    def all(self, name: str) -> Mapping[tuple[str, ...], float]:
        """By the labels' values, in the order of their names."""
        return {
            tuple(value for _, value in sorted(each.labels.items())): each.value
            for each in self._samples
            if each.name == f"heliostat_gateway_{name}"
        }


async def test_a_refusal_a_failed_attempt_an_unpriced_kind_and_an_open_breaker_are_counted(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    (tmp_path / "routes.yaml").write_text(routes())
    port = free_port()
    async with upstream(port) as told:
        told.chunks = [ANSWER]
        gateway.start(
            HELIOSTAT_GATEWAY_ROUTES_FILE=str(tmp_path / "routes.yaml"),
            HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{port}",
            ANTHROPIC_API_KEY="sk-of-the-gateway",
        )
        key = gateway.key("counted")
        replies = [await gateway.message(key, "chained") for _ in range(CALLS)]
        refused = [await gateway.message(key, "unknown-model"), await gateway.message("no", "x")]
        read = Read((await gateway.get("/metrics")).decode())
    assert [each.status for each in replies] == [200] * CALLS
    assert [each.status for each in refused] == [404, 401]

    assert read.all("calls_total") == {("messages", "seeker", "answered", "anthropic"): CALLS}
    assert read.all("attempts_total") == {
        ("anthropic", "answered"): CALLS,
        ("nobody", "not_sent"): OPENS_AFTER,
    }
    assert read.all("refusals_total") == {("authentication_error",): 1, ("not_found_error",): 1}
    assert read.of("unpriced_total") == CALLS
    nanos = INPUT_NANOS + 50 * 20_000  # without the searches
    assert read.all("cost_nanodollars_total") == {("seeker", "anthropic"): CALLS * nanos}
    assert (
        read.of("tokens_total", kind="output", model="seeker", provider="anthropic") == CALLS * 50
    )
    assert read.of("breakers", provider="nobody", state="open") == 1
    assert read.of("breakers", provider="nobody", state="half_open") == 0
    assert read.of("first_answer_seconds_count", provider="anthropic") == CALLS
    assert read.of("request_seconds_count", dialect="messages", kind="stream") == CALLS
    assert read.of("open_calls") == 0
    assert read.of("ledger_shared") == 0
