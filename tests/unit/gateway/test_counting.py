"""Token counts: what becomes of a provider that does not answer."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.counting import count_tokens
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer, ProviderCall
from heliostat_gateway.providers.credentials import NO_CREDENTIAL
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.routes.table import Timeouts
from heliostat_json.objects import JsonObject, dump_object


def request_of(document: JsonObject) -> ModelRequest:
    return ModelRequest(
        dialect=Dialect.MESSAGES,
        path="/v1/messages/count_tokens",
        query="",
        headers=[],
        body=dump_object(document),
        document=document,
        caller=Caller(key="k", kind=KeyKind.SERVICE, account="k"),
    )


class Silent:
    """A provider that takes a request and never answers."""

    name = "silent"
    dialect: Dialect = Dialect.MESSAGES
    target_is_model = counts_tokens = True
    checks_signatures = takes_details = False
    signature_mark = ""

    async def send(self, call: ProviderCall) -> ProviderAnswer:  # noqa: ARG002
        await asyncio.Event().wait()
        raise AssertionError("it was cancelled")

    async def close(self) -> None:
        return None


class Vague(Silent):
    """Answers, but not with the total that was asked for."""

    name = "vague"
    dialect: Dialect = Dialect.GEMINI

    async def send(self, call: ProviderCall) -> ProviderAnswer:  # noqa: ARG002
        async def chunks() -> AsyncGenerator[bytes, None]:
            yield b'{"cachedContentTokenCount": 5}'

        return ProviderAnswer(200, [("content-type", "application/json")], chunks())


async def test_an_answer_without_a_total_is_no_count_of_nothing() -> None:
    way = Candidate(Vague(), NO_CREDENTIAL, "m", FlatRates({}), Timeouts())
    said: JsonObject = {"role": "user", "content": "hello"}
    document: JsonObject = {"model": "m", "messages": [said]}
    request = request_of(document)
    with pytest.raises(RefusalError, match=r"vague answered without a count") as refused:
        await count_tokens(request, Plan("m", (way,)), {})
    assert refused.value.status == 502


async def test_a_count_that_does_not_come_in_time_is_refused_in_words() -> None:
    way = Candidate(Silent(), NO_CREDENTIAL, "m", FlatRates({}), Timeouts(total=0.01))
    request = request_of({"model": "m"})
    with pytest.raises(RefusalError, match=r"silent gave no count in 0.01 seconds") as refused:
        await count_tokens(request, Plan("m", (way,)), {})
    assert refused.value.status == 502
