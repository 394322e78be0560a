"""Token counts: the provider's own where it counts, else an estimate that says so."""

import asyncio
from dataclasses import replace

from fastapi import Response

from heliostat_gateway.calls.outgoing import build_outgoing
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import translate_error
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.errors import RefusalError, invalid_request
from heliostat_gateway.headers import raw_headers, relayed
from heliostat_gateway.money.costs import counted_input
from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_json.objects import JsonObject, count_at, dump_object, parse_object


async def count_tokens(request: ModelRequest, plan: Plan, known: dict[str, str]) -> Response:
    """The count of the first candidate that counts. Raises RefusalError.

    Providers of the chat dialect have no such question: bytes / 4 then, and the answer carries
    `x-heliostat-estimated: true`.
    """
    failure: RefusalError | None = None
    for candidate in plan.candidates:
        if not candidate.provider.counts_tokens:
            continue
        known["x-heliostat-provider"] = candidate.provider.name
        try:
            return await _ask(request, plan, candidate, known)
        except ProviderError as error:
            failure = RefusalError(502, "api_error", str(error))
        except UntranslatableError as error:
            failure = invalid_request(f"{error.field}: {error.message}")
    if failure is not None:
        raise failure
    known["x-heliostat-estimated"] = "true"
    return _json({"input_tokens": counted_input(len(request.body)).input}, known)


async def _ask(
    request: ModelRequest, plan: Plan, candidate: Candidate, known: dict[str, str]
) -> Response:
    """The candidate's answer, or its refusal. Raises ProviderError, UntranslatableError."""
    call = build_outgoing(request, plan, candidate, None).call
    if candidate.provider.dialect is Dialect.GEMINI:
        call = _gemini_call(call)
    try:
        async with asyncio.timeout(candidate.timeouts.total):
            answer = await candidate.provider.send(call)
            body = b"".join([chunk async for chunk in answer.chunks])
    except TimeoutError as error:
        words = f"{candidate.provider.name} gave no count in {candidate.timeouts.total:g} seconds."
        raise ProviderError(words, sent=True) from error
    if candidate.provider.dialect is request.dialect:
        return _passed(answer, body, known)
    document = parse_object(body)
    if answer.status != 200:
        fault = translate_error(answer.status, document, candidate.provider.dialect)
        raise RefusalError(answer.status, fault.kind, fault.message)
    total = count_at(document or {}, "totalTokens")
    if not total:  # no request has none
        raise ProviderError(f"{candidate.provider.name} answered without a count.", sent=True)
    return _json({"input_tokens": total}, known)


def _gemini_call(call: ProviderCall) -> ProviderCall:
    """Gemini counts a whole request when it stands in a field of its own."""
    document: JsonObject = {
        "generateContentRequest": {"model": f"models/{call.target}", **call.request}
    }
    return replace(call, request=document, body=dump_object(document))


def _passed(answer: ProviderAnswer, body: bytes, known: dict[str, str]) -> Response:
    response = Response(body, answer.status)
    length = ("content-length", str(len(body)))
    response.raw_headers = raw_headers([length, *relayed(answer.headers), *known.items()])
    return response


def _json(document: JsonObject, known: dict[str, str]) -> Response:
    return Response(dump_object(document), headers=known, media_type="application/json")
