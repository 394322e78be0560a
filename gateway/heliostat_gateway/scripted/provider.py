"""The provider `scripted` inside the gateway: one Messages request in, one played answer out."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from uuid import uuid4

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.scripted.apis import Api
from heliostat_gateway.scripted.bill import Bill, BillLine
from heliostat_gateway.scripted.conversation import Conversation, read_conversation
from heliostat_gateway.scripted.faults import FaultName
from heliostat_gateway.scripted.limits import limit_headers
from heliostat_gateway.scripted.moments import omissions_of, stream_moments, whole_moments
from heliostat_gateway.scripted.playing import CutError, play
from heliostat_gateway.scripted.refusals import Refusal, refusal_body, refusal_headers
from heliostat_gateway.scripted.rendering.messages import MessagesRendering
from heliostat_gateway.scripted.repertoire import Played, Repertoire
from heliostat_gateway.scripted.scenario import Scenario
from heliostat_json.encoding import dump_object

_API = Api.MESSAGES


class ScriptedProvider:
    """Answers from scenarios; deterministic but for the request id and faults with `times`."""

    name = "scripted"
    dialect = Dialect.MESSAGES
    target_is_model = False
    counts_tokens = True
    checks_signatures = False
    takes_details = False

    def __init__(self, scenarios: Mapping[str, Scenario], bill: Bill) -> None:
        self.scenarios = scenarios
        self.bill = bill
        self._repertoire = Repertoire(scenarios)

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The scenario `call.target` answers. Raises ProviderError where its script says so."""
        request_id = f"req_scripted_{uuid4().hex[:20]}"
        seen = read_conversation(call.request, len(call.body.decode(errors="replace")))
        if call.path.endswith("/count_tokens"):
            return _json(200, request_id, dump_object({"input_tokens": -(-seen.characters // 4)}))
        played = self._repertoire.cast(call.target, seen, call.execution)
        if isinstance(played, Refusal):
            return _refused(played, request_id)
        scenario = self.scenarios[call.target]
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
        answer = await _answer(played, seen, line, request_id)
        told = limit_headers(_API, scenario.rate_limit_headers, time.time())
        return ProviderAnswer(answer.status, answer.headers + told, answer.chunks)

    async def close(self) -> None:
        """Closes the bill."""
        self.bill.close()


async def _answer(
    played: Played, seen: Conversation, line: BillLine, request_id: str
) -> ProviderAnswer:
    fault, script = played.fault, played.script
    if fault is not None and fault.name is FaultName.CUT_BEFORE_FIRST_BYTE:
        raise ProviderError("The scripted provider cut the connection.", sent=True)
    if fault is not None and fault.name is FaultName.WRONG_CONTENT_TYPE:
        return ProviderAnswer(200, _headers("text/html", request_id), _once(b"<html></html>"))
    rendering = MessagesRendering(script, omissions_of(fault))
    if seen.stream:
        moments = stream_moments(script, rendering, fault)
        chunks = _told(play(moments, script.usage, line, rendering.ping))
        headers = _headers("text/event-stream; charset=utf-8", request_id)
        return ProviderAnswer(200, headers, chunks)
    body = b""
    async with aclosing(
        _told(play(whole_moments(script, rendering, fault), script.usage, line))
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
