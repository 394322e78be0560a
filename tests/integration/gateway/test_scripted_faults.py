"""Each fault as a raw client sees it, in each dialect, and what the bill says of it."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from heliostat_scripted.apis import Api
from heliostat_scripted.faults import FaultName
from support.fake_provider import FakeProviders, run_fake_providers

from .scripted_calls import Ending, Seen, raw_call, send

ANSWER = """
description: Thirty characters in three deltas.
prices: {input: "3", output: "15", cacheRead: "1", cacheWrite5m: "0", cacheWrite1h: "0"}
pace: {characters: 10}
turns:
  - steps: [{text: abcdefghijklmnopqrstuvwxyz1234}]
    usage: {input: 100, output: 20, cacheRead: 7}
"""
TEXT = "abcdefghijklmnopqrstuvwxyz1234"
NAMED = """
description: A fault by its name, once, then an answer.
prices: {input: "3", output: "15", cacheRead: "1", cacheWrite5m: "0", cacheWrite1h: "0"}
turns:
  - fault: {name: cut-after-first-token, times: 1}
    steps: [{text: well}]
    usage: {input: 100, output: 20}
"""
HUGE = 33 * 1024 * 1024
BROKEN = r"Expecting|Unterminated"  # in the words of json
APIS = pytest.mark.parametrize("api", list(Api))
STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
INSIDE = ["cut-after-first-token", "stall", "bad-json", "error-event", "huge-event"]
EXACT = (100, 7, 20, False)  # input, cache reads, output, estimated


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProviders]:
    folder = tmp_path_factory.mktemp("providers")
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    (scenarios / "answer.yaml").write_text(ANSWER)
    (scenarios / "named.yaml").write_text(NAMED)
    with run_fake_providers(folder, scenarios=scenarios) as running:
        yield running


async def meet(
    providers: FakeProviders, api: Api, fault: str, *, stream: bool, execution: str = ""
) -> Seen:
    call = raw_call(api, "answer", providers.key, stream=stream)
    least = HUGE if fault == "huge-event" else 1
    return await send(
        providers, call, least=least, x_scripted_fault=fault, x_scripted_execution=execution
    )


def billed(providers: FakeProviders, execution: str) -> tuple[int, int, int, bool] | None:
    """The one entry; its cost is checked against a hand calculation."""
    entries = providers.bill(execution)
    if not entries:
        return None
    (entry,) = entries
    dollars_per_million = entry.input * 3 + entry.output * 15 + entry.cache_read * 1
    assert entry.cost_nanos == dollars_per_million * 1000
    return entry.input, entry.cache_read, entry.output, entry.estimated


def estimate(api: Api, seen: Seen, characters: int, *, reported: bool) -> tuple[int, ...]:
    """The worded rule: reported input, else a token for four bytes; a token for four characters."""
    known = (100, 7) if reported and api is not Api.CHAT else (-(-seen.sent // 4), 0)
    return (*known, -(-characters // 4), True)


STATUSES = [name for name in FaultName if name.status is not None]


@APIS
@STREAM
@pytest.mark.parametrize("fault", STATUSES)
async def test_an_error_answer_costs_nothing(
    providers: FakeProviders, api: Api, stream: bool, fault: FaultName
) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, fault, stream=stream, execution=execution)
    assert seen.status == fault.status
    error = json.loads(seen.body)["error"]
    assert error["message"]
    assert ("type" in error) == (api is not Api.GEMINI)
    is_told = fault is FaultName.LIMITED and api is not Api.GEMINI
    assert ("retry-after" in seen.headers) == is_told
    assert any("ratelimit" in name for name in seen.headers) == is_told
    assert billed(providers, execution) is None


@APIS
@STREAM
async def test_a_cut_before_the_first_byte(
    providers: FakeProviders, api: Api, stream: bool
) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "cut-before-first-byte", stream=stream, execution=execution)
    assert (seen.status, seen.ending) == (0, Ending.CUT)
    assert billed(providers, execution) == estimate(api, seen, 0, reported=False)


@APIS
@STREAM
async def test_a_cut_before_the_first_token(
    providers: FakeProviders, api: Api, stream: bool
) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "cut-before-first-token", stream=stream, execution=execution)
    assert (seen.status, seen.ending) == (200, Ending.CUT)
    assert b"abc" not in seen.body
    told = stream and api is Api.MESSAGES
    assert told == (b"message_start" in seen.body)
    assert billed(providers, execution) == estimate(api, seen, 0, reported=told)


@APIS
@pytest.mark.parametrize("fault", INSIDE)
async def test_a_stream_that_breaks_after_its_first_token(
    providers: FakeProviders, api: Api, fault: str
) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, fault, stream=True, execution=execution)
    assert seen.status == 200
    assert TEXT[:10].encode() in seen.body
    assert TEXT[10:20].encode() not in seen.body
    assert billed(providers, execution) == estimate(api, seen, 10, reported=True)
    ending = {"cut-after-first-token": Ending.CUT, "bad-json": Ending.WELL}
    standing = {"error-event": Ending.WELL}
    assert seen.ending == {**ending, **standing}.get(fault, Ending.SILENT)
    last = seen.body.rstrip().rpartition(b"data: ")[2]
    if fault == "bad-json":
        with pytest.raises(ValueError, match=BROKEN):
            json.loads(last)
    if fault == "error-event":
        assert json.loads(last)["error"]["message"] == "Overloaded"
    if fault == "huge-event":
        assert len(last) > HUGE
        json.loads(last)


@APIS
@pytest.mark.parametrize("after", [0, 2])
async def test_after_says_how_many_tokens_come_first(
    providers: FakeProviders, api: Api, after: int
) -> None:
    execution = uuid4().hex
    fault = f"cut-after-first-token;after={after}"
    seen = await meet(providers, api, fault, stream=True, execution=execution)
    assert seen.ending is Ending.CUT
    reported = api is Api.MESSAGES or after > 0  # Gemini reports with its first part
    assert billed(providers, execution) == estimate(api, seen, after * 10, reported=reported)


@APIS
@pytest.mark.parametrize("fault", INSIDE)
async def test_a_whole_answer_that_breaks(providers: FakeProviders, api: Api, fault: str) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, fault, stream=False, execution=execution)
    if fault == "error-event":
        assert seen.status == 529
        assert billed(providers, execution) is None
        return
    endings = {"cut-after-first-token": Ending.CUT, "bad-json": Ending.WELL}
    assert (seen.status, seen.ending) == (200, endings.get(fault, Ending.SILENT))
    with pytest.raises(ValueError, match=BROKEN):
        json.loads(seen.body)
    assert (len(seen.body) > HUGE) == (fault == "huge-event")
    assert billed(providers, execution) == estimate(api, seen, 0, reported=False)


@APIS
@STREAM
async def test_a_wrong_content_type(providers: FakeProviders, api: Api, stream: bool) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "wrong-content-type", stream=stream, execution=execution)
    assert seen.status == 200
    assert seen.headers["content-type"].startswith("text/html")
    assert billed(providers, execution) == estimate(api, seen, 0, reported=False)


@APIS
@STREAM
async def test_a_slow_first_token(providers: FakeProviders, api: Api, stream: bool) -> None:
    execution = uuid4().hex
    seen = await meet(
        providers, api, "slow-first-token;after=0.3", stream=stream, execution=execution
    )
    assert (seen.status, seen.ending) == (200, Ending.WELL)
    assert seen.silence >= 0.3 or (stream and api is not Api.GEMINI)
    assert billed(providers, execution) == EXACT


@APIS
@STREAM
async def test_the_final_usage_is_missing(providers: FakeProviders, api: Api, stream: bool) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "no-final-usage", stream=stream, execution=execution)
    assert seen.ending is Ending.WELL
    assert b'"output_tokens":20' not in seen.body
    assert b'"completion_tokens":20' not in seen.body
    assert b'"candidatesTokenCount":20' not in seen.body
    assert billed(providers, execution) == estimate(api, seen, 30, reported=stream)


@APIS
@STREAM
async def test_the_end_is_missing(providers: FakeProviders, api: Api, stream: bool) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "no-end", stream=stream, execution=execution)
    assert seen.ending is Ending.WELL
    for word in (b"message_stop", b"[DONE]", b"finishReason", b'"stop_reason":"end_turn"}]'):
        assert word not in seen.body
    if stream and api is Api.GEMINI:  # its last chunk is both: the end and the final usage
        assert billed(providers, execution) == estimate(api, seen, 30, reported=True)
    else:
        assert billed(providers, execution) == EXACT


@APIS
async def test_an_error_before_anything_of_an_answer_is_a_refusal(
    providers: FakeProviders, api: Api
) -> None:
    execution = uuid4().hex
    seen = await meet(providers, api, "error-event;after=0", stream=True, execution=execution)
    began = api is not Api.GEMINI  # the others' first event announces the answer
    expected = estimate(api, seen, 0, reported=True) if began else None
    assert billed(providers, execution) == expected


@APIS
async def test_a_header_with_times_ends(providers: FakeProviders, api: Api) -> None:
    execution = uuid4().hex
    statuses = [
        (await meet(providers, api, "500;times=2", stream=True, execution=execution)).status
        for _ in range(3)
    ]
    assert statuses == [500, 500, 200]


async def test_an_unknown_fault_is_told(providers: FakeProviders) -> None:
    seen = await meet(providers, Api.CHAT, "explode", stream=False)
    assert seen.status == 400
    assert b"There is no fault 'explode'" in seen.body


async def test_an_armed_fault_waits_for_its_request(providers: FakeProviders) -> None:
    providers.arm("503", times=2, model="answer", dialect="chat", key="default")
    assert (await meet(providers, Api.MESSAGES, "", stream=False)).status == 200
    call = raw_call(Api.CHAT, "hello", providers.key, stream=False)
    assert (await send(providers, call)).status == 200
    statuses = [(await meet(providers, Api.CHAT, "", stream=False)).status for _ in range(3)]
    assert statuses == [503, 503, 200]
    providers.arm("503", times=9)
    providers.disarm()
    assert (await meet(providers, Api.CHAT, "", stream=False)).status == 200


@APIS
async def test_a_scenario_names_a_fault(providers: FakeProviders, api: Api) -> None:
    call = raw_call(api, "named", providers.key, stream=True)
    endings = [(await send(providers, call, x_scripted_execution=api)).ending for _ in range(2)]
    assert endings == [Ending.CUT, Ending.WELL]


@APIS
@STREAM
@pytest.mark.parametrize(
    ("model", "ending"),
    [("cut", Ending.CUT), ("bad-json", Ending.WELL), ("stall", Ending.SILENT)],
)
async def test_the_steps_of_a_scenario_break_every_dialect(
    providers: FakeProviders, api: Api, stream: bool, model: str, ending: Ending
) -> None:
    call = raw_call(api, model, providers.key, stream=stream)
    if model == "stall" and not stream:  # nothing comes, ever
        return
    assert (await send(providers, call)).ending is ending
