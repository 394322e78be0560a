"""The provider `scripted`: one request in, one played answer out."""

from collections.abc import AsyncGenerator, Mapping
from uuid import uuid4

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.scripted.bill import Bill, BillLine
from heliostat_gateway.scripted.conversation import Conversation, read_conversation
from heliostat_gateway.scripted.playing import play_message, play_stream
from heliostat_gateway.scripted.scenario import Fault, Scenario, Turn
from heliostat_gateway.scripted.script import (
    Break,
    Counters,
    Script,
    build_script,
    fault_type,
    find_turn,
)
from heliostat_gateway.scripted.sidecalls import side_answer
from heliostat_gateway.wire import Headers, dump_object


class ScriptedProvider:
    """Answers from scenarios; deterministic but for the request id and faults with `times`."""

    name = "scripted"
    dialect = Dialect.MESSAGES
    counts_tokens = True

    def __init__(self, scenarios: Mapping[str, Scenario], bill: Bill) -> None:
        self.scenarios = scenarios
        self.bill = bill
        self._counters = Counters()

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The scenario `call.target` answers. Raises ProviderError where its script says so."""
        request_id = f"req_scripted_{uuid4().hex[:20]}"
        scenario = self.scenarios[call.target]
        seen = read_conversation(call.request, len(call.body.decode(errors="replace")))
        if call.path.endswith("/count_tokens"):
            return _json(200, request_id, dump_object({"input_tokens": -(-seen.characters // 4)}))
        script = side_answer(seen) or self._script(scenario, seen, call)
        if isinstance(script, Fault):
            return _fault(script, request_id)
        line = BillLine(
            bill=self.bill,
            id=request_id,
            execution=call.execution,
            scenario=call.target,
            model=seen.model,
            prices=scenario.prices,
            request_bytes=len(call.body),
        )
        line.write()
        if seen.stream:
            return ProviderAnswer(
                200,
                _headers("text/event-stream; charset=utf-8", request_id),
                _billed(play_stream(script, line), line),
            )
        return await _whole(script, line, request_id)

    async def close(self) -> None:
        """Closes the bill."""
        self.bill.close()

    def _script(self, scenario: Scenario, seen: Conversation, call: ProviderCall) -> Script | Fault:
        index = find_turn(scenario, seen)
        if index is None:
            return Fault(
                status=400,
                message=f"Scenario {call.target} has no turn for this request: turn {seen.turn}, "
                f"last tool {seen.last_tool or 'none'}, result {seen.result[:200]!r}.",
            )
        turn: Turn = scenario.turns[index]
        key = (call.execution, call.target, index)
        if turn.fault and self._counters.is_due((*key, -1), turn.fault.times):
            return turn.fault
        steps = tuple(
            step
            for position, step in enumerate(turn.steps)
            if not step.is_fault or self._counters.is_due((*key, position), step.times)
        )
        return build_script(scenario, turn, seen, steps)


async def _whole(script: Script, line: BillLine, request_id: str) -> ProviderAnswer:
    for action in script.actions:
        if isinstance(action, Break) and action.error is not None:
            line.write()
            error = action.error
            return _fault(Fault(status=529, type=error.type, message=error.message), request_id)
    try:
        body = await play_message(script, line)
    finally:
        line.write()
    return _json(200, request_id, body)


async def _billed(
    chunks: AsyncGenerator[bytes, None], line: BillLine
) -> AsyncGenerator[bytes, None]:
    """`chunks`; however they end, the bill gets the last word."""
    try:
        async for chunk in chunks:
            yield chunk
    except ProviderError:
        raise
    finally:
        line.write()
        await chunks.aclose()


def _fault(fault: Fault, request_id: str) -> ProviderAnswer:
    message = fault.message or f"The scripted provider answers {fault.status} here."
    body = dump_object(
        {
            "type": "error",
            "error": {"type": fault_type(fault), "message": message},
            "request_id": request_id,
        }
    )
    if fault.bad_body:
        body = body[: len(body) // 2]
    answer = _json(fault.status, request_id, body)
    headers = [(name.lower(), value) for name, value in fault.headers.items()]
    return ProviderAnswer(answer.status, answer.headers + headers, answer.chunks)


def _json(status: int, request_id: str, body: bytes) -> ProviderAnswer:
    return ProviderAnswer(status, _headers("application/json", request_id), _once(body))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _headers(content_type: str, request_id: str) -> Headers:
    return [("content-type", content_type), ("request-id", request_id)]
