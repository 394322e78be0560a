"""Token counts: what becomes of a provider that does not answer."""

import asyncio

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


class Silent:
    """A provider that takes a request and never answers."""

    name = "silent"
    dialect = Dialect.MESSAGES
    target_is_model = counts_tokens = True
    checks_signatures = takes_details = False
    signature_mark = ""

    async def send(self, call: ProviderCall) -> ProviderAnswer:  # noqa: ARG002
        await asyncio.Event().wait()
        raise AssertionError("it was cancelled")

    async def close(self) -> None:
        return None


async def test_a_count_that_does_not_come_in_time_is_refused_in_words() -> None:
    way = Candidate(Silent(), NO_CREDENTIAL, "m", FlatRates({}), Timeouts(total=0.01))
    request = ModelRequest(
        dialect=Dialect.MESSAGES,
        path="/v1/messages/count_tokens",
        query="",
        headers=[],
        body=b'{"model":"m"}',
        document={"model": "m"},
        caller=Caller(key="k", kind=KeyKind.SERVICE, account="k"),
    )
    with pytest.raises(RefusalError, match=r"silent gave no count in 0.01 seconds") as refused:
        await count_tokens(request, Plan("m", (way,)), {})
    assert refused.value.status == 502
