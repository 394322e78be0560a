"""The provider `scripted` inside the gateway: one Messages request in, one played answer out.

It alone of the gateway knows how the scripted provider is made.
"""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.settings import Settings, SettingsError
from heliostat_json.objects import dump_object
from heliostat_scripted.apis import Api
from heliostat_scripted.bill import Bill, BillEntry, BillLine
from heliostat_scripted.conversation import Conversation, read_conversation
from heliostat_scripted.faults import FaultName
from heliostat_scripted.limits import limit_headers
from heliostat_scripted.player import CutError, play
from heliostat_scripted.refusals import Refusal, refusal_body, refusal_headers
from heliostat_scripted.rendering.messages import MessagesRendering
from heliostat_scripted.scenario import Scenario, ScenarioError, read_all_scenarios
from heliostat_scripted.scenario_selection import ScenarioSelection, SelectedAnswer
from heliostat_scripted.stream_events import omissions_of, streamed_events, whole_events

_API = Api.MESSAGES
_VARIANTS: Final = {
    "flex": ("tier", "flex"),
    "priority": ("tier", "priority"),
    "batch": ("tier", "batch"),
    "fast": ("speed", "fast"),
    "us": ("geo", "us"),
}


class ScriptedBill(BaseModel):
    """The scripted provider's own invoice."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    total_nanos: int
    entries: list[BillEntry]


class ScriptedProvider:
    """Answers from scenarios; deterministic but for the request id and faults with `times`."""

    name = "scripted"
    dialect = Dialect.MESSAGES
    target_is_model = False
    counts_tokens = True
    checks_signatures = False
    signature_mark = ""
    takes_details = False

    def __init__(self, scenarios: Mapping[str, Scenario], bill: Bill) -> None:
        self._scenarios = scenarios
        self._bill = bill
        self._selection = ScenarioSelection(scenarios)

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The scenario `call.target` answers. Raises ProviderError where its script says so."""
        request_id = f"req_scripted_{uuid4().hex[:20]}"
        seen = read_conversation(call.request, len(call.body.decode(errors="replace")))
        if call.path.endswith("/count_tokens"):
            return _json(200, request_id, dump_object({"input_tokens": -(-seen.characters // 4)}))
        played = self._selection.select(call.target, seen, call.execution)
        if isinstance(played, Refusal):
            return _refused(played, request_id)
        scenario = self._scenarios[call.target]
        line = BillLine(
            bill=self._bill,
            id=request_id,
            execution=call.execution,
            scenario=call.target,
            model=seen.model,
            prices=scenario.prices,
            request_bytes=len(call.body),
        )
        line.write()
        answer = await _answer(played, seen, line, request_id)
        told = limit_headers(_API, scenario.rate_limit_headers, time.time())
        return ProviderAnswer(answer.status, answer.headers + told, answer.chunks)

    @property
    def rates(self) -> dict[str, FlatRates]:
        """The prices of each scenario."""
        return {name: _rates(each) for name, each in self._scenarios.items()}

    def invoice(self, execution: str | None) -> ScriptedBill:
        """What is invoiced, for one execution or in all."""
        entries = self._bill.entries(execution)
        return ScriptedBill(total_nanos=sum(each.cost_nanos for each in entries), entries=entries)

    async def close(self) -> None:
        """Closes the bill."""
        self._bill.close()


def open_scripted(settings: Settings) -> ScriptedProvider:
    """The provider with the scenarios that ship and those of the settings. Raises SettingsError."""
    folder = settings.scenarios_dir
    if folder is not None and not folder.is_dir():
        raise SettingsError(f"HELIOSTAT_GATEWAY_SCENARIOS_DIR ({folder}) must be a folder.")
    try:
        scenarios = read_all_scenarios(folder)
    except ScenarioError as error:
        raise SettingsError(str(error)) from error
    if settings.scripted_default not in scenarios:
        raise SettingsError(
            "HELIOSTAT_GATEWAY_SCRIPTED_DEFAULT must name a scenario, one of: "
            f"{', '.join(sorted(scenarios))}."
        )
    return ScriptedProvider(scenarios, Bill(settings.data_dir / "scripted-bill.jsonl"))


def _rates(scenario: Scenario) -> FlatRates:
    prices = scenario.prices
    rates = {
        "input": Decimal(prices.input),
        "output": Decimal(prices.output),
        "cache_read": Decimal(prices.cache_read),
        "cache_write_5m": Decimal(prices.cache_write5m),
        "cache_write_1h": Decimal(prices.cache_write1h),
    }
    if prices.web_searches is not None:  # per thousand there, per million here
        rates["web_searches"] = Decimal(prices.web_searches) * 1000
    for kind, price in (
        ("input_audio", prices.input_audio),
        ("output_audio", prices.output_audio),
    ):
        if price is not None:
            rates[kind] = Decimal(price)
    named = {
        _VARIANTS[name]: _times(rates, Decimal(factor)) for name, factor in prices.factors.items()
    }
    return FlatRates(rates, named=named)


def _times(rates: Mapping[str, Decimal], factor: Decimal) -> dict[str, Decimal]:
    """The prices of a variant: tokens are dearer or cheaper, searches are not."""
    return {
        kind: price if kind == "web_searches" else price * factor for kind, price in rates.items()
    }


async def _answer(
    played: SelectedAnswer, seen: Conversation, line: BillLine, request_id: str
) -> ProviderAnswer:
    fault, script = played.fault, played.script
    if fault is not None and fault.name is FaultName.CUT_BEFORE_FIRST_BYTE:
        raise ProviderError("The scripted provider cut the connection.", sent=True)
    if fault is not None and fault.name is FaultName.WRONG_CONTENT_TYPE:
        return ProviderAnswer(200, _headers("text/html", request_id), _once(b"<html></html>"))
    rendering = MessagesRendering(script, omissions_of(fault))
    if seen.stream:
        events = streamed_events(script, rendering, fault)
        chunks = _told(play(events, script.usage, line, rendering.ping))
        headers = _headers("text/event-stream; charset=utf-8", request_id)
        return ProviderAnswer(200, headers, chunks)
    body = b""
    async with aclosing(
        _told(play(whole_events(script, rendering, fault), script.usage, line))
    ) as chunks:
        async for chunk in chunks:
            body += chunk
    return _json(200, request_id, body)


async def _told(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """`chunks`, with a cut in the gateway's words."""
    async with aclosing(chunks):
        try:
            async for chunk in chunks:
                yield chunk
        except CutError as error:
            raise ProviderError(str(error), sent=True) from error


def _refused(refusal: Refusal, request_id: str) -> ProviderAnswer:
    answer = _json(refusal.status, request_id, refusal_body(_API, refusal, request_id))
    headers = answer.headers + refusal_headers(_API, refusal, time.time())
    return ProviderAnswer(answer.status, headers, answer.chunks)


def _json(status: int, request_id: str, body: bytes) -> ProviderAnswer:
    return ProviderAnswer(status, _headers("application/json", request_id), _once(body))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _headers(content_type: str, request_id: str) -> Headers:
    return [("content-type", content_type), ("request-id", request_id)]
