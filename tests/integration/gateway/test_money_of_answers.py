"""Ledger against the scripted provider's bill, for answers that end and answers that do not."""

import asyncio

import pytest

from .gateway_process import GatewayProcess

EXACT = ["hello", "default", "tools", "refusal", "empty", "slow", "parallel", "json", "kinds"]
FREE = ["overloaded", "rate-limited", "broken"]
ESTIMATED = ["cut", "error-event", "bad-json"]


async def post(gateway: GatewayProcess, execution: str, model: str, *, stream: bool) -> bytes:
    return (await gateway.message(gateway.key(execution), model, stream=stream)).body


async def until_settled(gateway: GatewayProcess, execution: str) -> None:
    """Waits until the gateway has noticed that a client went."""
    async with asyncio.timeout(30):
        while not (cost := await gateway.cost(execution)).settled or not cost.requests:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", EXACT)
async def test_a_final_usage_is_booked_exactly(
    shared: GatewayProcess, name: str, stream: bool
) -> None:
    execution = f"exact-{name}-{stream}"
    await post(shared, execution, f"scripted/{name}", stream=stream)
    cost, bill = await shared.cost(execution), await shared.bill(execution)
    assert cost.cost_nanos == bill.total_nanos > 0
    assert (cost.settled, cost.estimated, cost.requests) == (True, False, 1)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", FREE)
async def test_a_refusal_of_the_provider_is_free(
    shared: GatewayProcess, name: str, stream: bool
) -> None:
    execution = f"free-{name}-{stream}"
    await post(shared, execution, f"scripted/{name}", stream=stream)
    cost, bill = await shared.cost(execution), await shared.bill(execution)
    assert cost.cost_nanos == bill.total_nanos == 0
    assert (cost.settled, cost.estimated, cost.requests) == (True, False, 1)


@pytest.mark.parametrize("name", ESTIMATED)
async def test_a_stream_that_breaks_is_an_error_event_and_an_estimate(
    shared: GatewayProcess, name: str
) -> None:
    execution = f"broken-{name}"
    body = await post(shared, execution, f"scripted/{name}", stream=True)
    last = body.rstrip().split(b"\n\n")[-1]
    assert last.startswith(b"event: error\ndata: {")
    cost, bill = await shared.cost(execution), await shared.bill(execution)
    assert cost.cost_nanos == bill.total_nanos > 0
    assert (cost.settled, cost.estimated) == (True, True)
    assert bill.entries[0]["estimated"] is True


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", ["stall", "stall-start"])
async def test_a_client_that_goes_cancels_the_call_at_once_and_pays(
    shared: GatewayProcess, name: str, stream: bool
) -> None:
    execution = f"gone-{name}-{stream}"
    call = asyncio.create_task(post(shared, execution, f"scripted/{name}", stream=stream))
    async with asyncio.timeout(30):
        while not (await shared.bill(execution)).entries:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    call.cancel()
    await until_settled(shared, execution)
    cost, bill = await shared.cost(execution), await shared.bill(execution)
    assert cost.cost_nanos == bill.total_nanos > 0
    assert cost.estimated
    if stream and name == "stall":
        assert cost.usage == {  # reported input; 18 characters were shown
            "inputTokens": 500,
            "outputTokens": 5,
            "cacheReadTokens": 0,
            "cacheWriteTokens": 0,
        }


async def test_many_at_once_are_all_on_the_bill(shared: GatewayProcess) -> None:
    names = [*EXACT[:-1], *FREE, *ESTIMATED] * 6
    await asyncio.gather(
        *(
            post(shared, "crowd", f"scripted/{name}", stream=index % 2 == 0 or name in ESTIMATED)
            for index, name in enumerate(names)
        )
    )
    cost, bill = await shared.cost("crowd"), await shared.bill("crowd")
    assert (cost.requests, cost.settled) == (len(names), True)
    assert cost.cost_nanos == bill.total_nanos


async def test_the_cap_is_shared_by_all_attempts(shared: GatewayProcess) -> None:
    cost_of_one = 2_400_000  # scripted/hello
    replies = [
        await shared.message(
            shared.key("capped", attempt=attempt, cap=3 * cost_of_one), "scripted/hello"
        )
        for attempt in (1, 1, 2, 2)
    ]
    assert [reply.status for reply in replies] == [200, 200, 200, 402]
    assert replies[-1].headers["x-should-retry"] == "false"
    assert replies[-1].error[0] == "billing_error"
    assert "$0.007200 of $0.007200" in replies[-1].error[1]
    cost = await shared.cost("capped")
    assert [(a.attempt, a.requests) for a in cost.attempts] == [(1, 2), (2, 1)]


async def test_the_token_cap(shared: GatewayProcess) -> None:
    key = shared.key("tokens", tokens=1370)  # scripted/hello uses exactly so many
    replies = [await shared.message(key, "scripted/hello") for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 402]
    assert "1370 of 1370 tokens" in replies[-1].error[1]


async def test_parallel_calls_of_one_execution_do_not_pass_the_cap(shared: GatewayProcess) -> None:
    """Each call reserves its counted input, which fills this cap until it is settled, and after."""
    key = shared.key("parallel", cap=1000)
    replies = await asyncio.gather(*(shared.message(key, "scripted/slow") for _ in range(20)))
    assert sorted(reply.status for reply in replies) == [200] + [402] * 19


async def test_a_fault_that_happens_once_is_counted_per_execution(shared: GatewayProcess) -> None:
    for execution in ("once-a", "once-b"):
        key = shared.key(execution)
        replies = [await shared.message(key, "scripted/overloaded-once") for _ in range(3)]
        assert [reply.status for reply in replies] == [529, 200, 200]


async def test_an_error_before_the_answer_is_no_200(shared: GatewayProcess) -> None:
    answer = await shared.message(shared.key("early"), "scripted/rate-limited")
    assert answer.status == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["anthropic-ratelimit-requests-limit"] == "50"
