"""Which requests share a kept answer: only those of which the route makes the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.cached import key_of, may_be_kept
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers.credentials import NO_CREDENTIAL, Credential
from heliostat_gateway.providers.scripted import ScriptedProvider
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_gateway.routes.table import CachePolicy, Persona, Timeouts
from heliostat_json.objects import JsonObject, dump_object
from heliostat_scripted.bill import Bill

CALLER = Caller(key="k", kind=KeyKind.USER, account="k", user="ann")
DOCUMENT: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
PROVIDER = ScriptedProvider({}, Bill(Path("unused")))
ONE = Candidate(PROVIDER, NO_CREDENTIAL, "one", FlatRates({}), Timeouts())
TWO = replace(ONE, credential=Credential("KEY_2", SecretStr("s")))
PLAN = Plan("m", (ONE, TWO), Persona("p", "Be brief.", {}), CachePolicy(60))


def ask(
    document: JsonObject = DOCUMENT, headers: Headers | None = None, query: str = ""
) -> ModelRequest:
    return ModelRequest(
        dialect=Dialect.MESSAGES,
        path="/v1/messages",
        query=query,
        headers=headers or [],
        body=dump_object(document),
        document=document,
        caller=CALLER,
    )


@pytest.mark.parametrize(
    ("other", "plan"),
    [
        (ask(), replace(PLAN, persona=Persona("p", "Be long.", {}))),
        (ask(), replace(PLAN, persona=Persona("p", "Be brief.", {"max_tokens": 5}))),
        (ask(), replace(PLAN, persona=Persona("q", "Be brief.", {}))),
        (ask(), replace(PLAN, persona=None)),
        (ask(), replace(PLAN, candidates=(replace(ONE, target="other"),))),
        (ask(headers=[("anthropic-beta", "new")]), PLAN),
        (ask(headers=[("anthropic-version", "2026-10-21")]), PLAN),
        (ask(query="beta=true"), PLAN),
        (ask({**DOCUMENT, "metadata": {"user_id": "x"}}), PLAN),
        (replace(ask(), caller=replace(CALLER, user="bob")), PLAN),
        (replace(ask(), caller=replace(CALLER, user="", agent="ann")), PLAN),
        (replace(ask(), dialect=Dialect.CHAT), PLAN),
    ],
)
def test_whatever_changes_the_answer_changes_the_key(other: ModelRequest, plan: Plan) -> None:
    assert key_of(other, plan) != key_of(ask(), PLAN)


def test_what_does_not_change_the_answer_is_not_in_the_key() -> None:
    turned = replace(PLAN, candidates=(TWO, ONE))  # keys of one provider take turns
    same = replace(ask(headers=[("user-agent", "x")]), caller=replace(CALLER, key="another"))
    assert key_of(same, turned) == key_of(ask(), PLAN)


def test_a_persona_that_brings_tools_is_not_kept() -> None:
    assert may_be_kept(ask(), PLAN)
    assert not may_be_kept(ask(), replace(PLAN, cache=None))
    tools = Persona("p", "", {"tools": [{"name": "Bash"}]})
    assert not may_be_kept(ask(), replace(PLAN, persona=tools))
