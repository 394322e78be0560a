"""Who answers which model name, in which order, and the words when nobody does."""

from collections import Counter

import pytest

from heliostat_gateway.calls.requests import is_reasoning
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.providers.catalog import BUILT_IN
from heliostat_gateway.routes.explanation import explain
from heliostat_gateway.routes.plans import NotServed, Plan, RouteReason, deadlines_of
from heliostat_gateway.routes.routing import ANYONE, Router
from heliostat_gateway.routes.table import Timeouts
from heliostat_gateway.settings import NO_PROVIDER
from heliostat_json.objects import JsonObject
from support.routes import BASE_URLS, NOW, build_test_router, caller

ANTHROPIC = {"ANTHROPIC_API_KEY": "a"}
CHAIN = """
providers:
  local: {baseUrl: "http://localhost:1234/v1"}
  paid: {baseUrl: "http://localhost:1235/v1", keyVariable: PAID_API_KEY}
prices:
  local/qwen: {input: "0", output: "0"}
  paid/big: {input: "1.5", output: "3"}
models:
  fast:
    chain:
      - {provider: anthropic, model: claude-haiku-5-5}
      - {provider: gemini, model: gemini-3.8-flash}
      - {provider: paid, model: big}
      - {provider: local, model: qwen}
    timeouts: {firstTokenSeconds: 20}
    cache: {exact: true, ttlSeconds: 60}
  claude-opus-5-5:
    chain: [{provider: scripted, model: hello}]
aliases: {quick: speedy, speedy: fast, news: persona/reporter, old-name: claude-sonnet-5-5}
personas:
  reporter: {system: Report., model: quick, defaults: {max_tokens: 100}}
  critic: {system: Judge., model: claude-sonnet-5-5}
rules:
  - {agents: [papers/*], models: [claude-*], persona: critic}
  - {users: ["*@example.org"], persona: reporter}
timeouts: {idleSeconds: 30}
"""


def planned(
    router: Router, model: str, *, execution: str = "", agent: str = "", user: str = ""
) -> Plan:
    plan = router.plan(model, caller(execution=execution, agent=agent, user=user), NOW)
    assert isinstance(plan, Plan), plan
    return plan


def refused(router: Router, model: str) -> NotServed:
    plan = router.plan(model, ANYONE, NOW)
    assert isinstance(plan, NotServed)
    return plan


def ways(plan: Plan) -> list[str]:
    return [candidate.breaker_key for candidate in plan.candidates]


@pytest.mark.parametrize(
    ("model", "keys", "way"),
    [
        ("scripted/hello", {}, "scripted/hello/no-key"),
        ("scripted/hello", ANTHROPIC, "scripted/hello/no-key"),
        ("claude-opus-5-5", ANTHROPIC, "anthropic/claude-opus-5-5/ANTHROPIC_API_KEY"),
        ("anthropic/claude-opus-5-5", ANTHROPIC, "anthropic/claude-opus-5-5/ANTHROPIC_API_KEY"),
        ("gpt-6.1-sol", {"OPENAI_API_KEY": "o"}, "openai/gpt-6.1-sol/OPENAI_API_KEY"),
        ("gemini-3.8-flash", {"GEMINI_API_KEY": "g"}, "gemini/gemini-3.8-flash/GEMINI_API_KEY"),
        ("glm-5.3", {"ZAI_API_KEY": "z"}, "zai/glm-5.3/ZAI_API_KEY"),
        (
            "moonshotai/kimi-k2",
            {"OPENROUTER_API_KEY": "r"},
            "openrouter/moonshotai/kimi-k2/OPENROUTER_API_KEY",
        ),
        (
            "openrouter/anthropic/claude-opus-5.5",
            {"OPENROUTER_API_KEY": "r"},
            "openrouter/anthropic/claude-opus-5.5/OPENROUTER_API_KEY",
        ),
    ],
)
def test_without_a_file_a_model_goes_to_its_own_provider(
    model: str, keys: dict[str, str], way: str
) -> None:
    plan = planned(build_test_router(keys=keys), model)
    assert ways(plan) == [way]
    assert plan.model == model


@pytest.mark.parametrize("model", ["claude-opus-5-5", "anything"])
def test_a_scenario_answers_real_names_where_it_is_chosen(model: str) -> None:
    plan = planned(build_test_router(keys=ANTHROPIC, scripted=True), model)
    assert ways(plan) == ["scripted/default/no-key"]


@pytest.mark.parametrize(
    ("model", "keys", "reason", "words"),
    [
        ("claude-opus-5-5", {}, RouteReason.PROVIDER_KEY_MISSING, "No usable model provider: set"),
        ("gpt-6.1-sol", ANTHROPIC, RouteReason.PROVIDER_KEY_MISSING, "set OPENAI_API_KEY"),
        ("claude-nonsense", ANTHROPIC, RouteReason.UNKNOWN_MODEL, "no price is known"),
        ("openai/nonsense", ANTHROPIC, RouteReason.UNKNOWN_MODEL, "no price is known"),
        ("gemini/claude-opus-5-5", ANTHROPIC, RouteReason.UNKNOWN_MODEL, "no price is known"),
        ("scripted/none", {}, RouteReason.UNKNOWN_MODEL, "no scenario none"),
        ("persona/none", {}, RouteReason.UNKNOWN_MODEL, "No persona is called none"),
        ("x" * 251, {}, RouteReason.UNKNOWN_MODEL, "at most 250 characters"),
        ("hello", {}, RouteReason.SCRIPTED_NOT_CHOSEN, "use scripted/hello"),
    ],
)
def test_not_served(model: str, keys: dict[str, str], reason: RouteReason, words: str) -> None:
    answer = refused(build_test_router(keys=keys), model)
    assert answer.reason is reason
    assert words in answer.message


def test_a_server_of_ones_own_needs_an_address_and_a_price() -> None:
    priced = 'defaultPrice: {input: "1", output: "2"}'
    assert "COMPATIBLE_BASE_URL" in refused(build_test_router(priced), "compatible/qwen").message
    there = BASE_URLS | {"compatible": "http://localhost:1/v1"}
    plan = planned(build_test_router(priced, base_urls=there), "compatible/qwen")
    assert ways(plan) == ["compatible/qwen/no-key"]
    unpriced = refused(build_test_router(base_urls=there), "compatible/qwen")
    assert unpriced.reason is RouteReason.UNKNOWN_MODEL


@pytest.mark.parametrize(
    ("text", "variables", "scripted", "is_missing"),
    [
        ("", [], False, True),
        ("", [], True, False),
        *(("", [each.key_variable], False, False) for each in BUILT_IN if each.needs_key),
        ("", ["ANTHROPIC_API_KEY_2"], False, False),
        ("", ["COMPATIBLE_API_KEY", "OTHER_API_KEY"], False, True),
        ("providers: {mine: {baseUrl: 'http://localhost:1'}}", [], False, False),
        (
            "providers: {mine: {baseUrl: 'http://localhost:1', keyVariable: MY_API_KEY}}",
            [],
            False,
            True,
        ),
    ],
)
def test_whether_some_provider_can_be_asked(
    text: str, variables: list[str], scripted: bool, is_missing: bool
) -> None:
    router = build_test_router(text, dict.fromkeys(variables, "k"), scripted=scripted)
    assert router.missing == (NO_PROVIDER if is_missing else "")


def test_a_chain_is_taken_in_order_with_all_keys_and_without_what_has_none() -> None:
    router = build_test_router(CHAIN, ANTHROPIC | {"ANTHROPIC_API_KEY_2": "b"})
    plan, told = planned(router, "quick"), explain(router, "quick", caller(), NOW)
    assert ways(plan)[2:] == ["local/qwen/no-key"]
    assert set(ways(plan)[:2]) == {
        "anthropic/claude-haiku-5-5/ANTHROPIC_API_KEY",
        "anthropic/claude-haiku-5-5/ANTHROPIC_API_KEY_2",
    }
    assert "quick is an alias of fast" in told.because
    assert [(each.provider, each.model, each.why) for each in told.dropped] == [
        ("gemini", "gemini-3.8-flash", "no key: set GEMINI_API_KEY"),
        ("paid", "big", "no key: set PAID_API_KEY"),
    ]
    assert plan.cache is not None
    assert plan.cache.ttl_seconds == 60


def test_timeouts_are_those_of_the_route_then_of_the_file_then_the_default() -> None:
    router = build_test_router(CHAIN, ANTHROPIC)
    fast = planned(router, "fast").candidates[0].timeouts
    plain = planned(router, "claude-sonnet-5-5").candidates[0].timeouts
    assert (fast.first_token, fast.idle, fast.total) == (20, 30, 1800)
    assert (plain.first_token, plain.idle, plain.total) == (None, 30, 1800)


@pytest.mark.parametrize(
    ("set_", "reasons", "is_last", "expected"),
    [
        (Timeouts(), False, False, (120, 120, 1800)),
        (Timeouts(), True, False, (600, 600, 1800)),  # silence is no fault of a model that reasons
        (Timeouts(), False, True, (1800, 600, 1800)),  # nobody else would answer sooner
        (Timeouts(total=60), True, False, (60, 60, 60)),
        (Timeouts(first_token=5, idle=7), True, True, (5, 7, 1800)),  # what is set holds always
    ],
)
def test_a_model_that_reasons_and_the_last_candidate_have_more_time(
    set_: Timeouts, reasons: bool, is_last: bool, expected: tuple[float, float, float]
) -> None:
    found = deadlines_of(set_, reasons=reasons, is_last=is_last)
    assert (found.first_token, found.idle, found.total) == expected


@pytest.mark.parametrize(
    ("document", "model", "expected"),
    [
        ({}, "claude-haiku-5-5", False),
        ({}, "gpt-6.1-sol", True),
        ({}, "openai/o3", True),
        ({}, "deepseek-reasoner", True),
        ({}, "qwen3-8b", False),
        ({"reasoning_effort": "none"}, "gpt-6.1-sol", False),
        ({"reasoning_effort": "high"}, "qwen3-8b", True),
        ({"reasoning": {"effort": "low"}}, "qwen3-8b", True),
        ({"thinking": {"type": "adaptive"}}, "claude-haiku-5-5", True),
        ({"thinking": {"type": "disabled"}}, "claude-haiku-5-5", False),
        ({"output_config": {"effort": "max"}}, "claude-haiku-5-5", True),
    ],
)
def test_who_may_be_silent_for_minutes(document: JsonObject, model: str, expected: bool) -> None:
    assert is_reasoning(document, model) is expected


def test_a_real_name_may_go_another_way() -> None:
    plan = planned(build_test_router(CHAIN, ANTHROPIC), "claude-opus-5-5")
    assert ways(plan) == ["scripted/hello/no-key"]


@pytest.mark.parametrize(
    ("model", "who", "persona"),
    [
        ("persona/reporter", {}, "reporter"),
        ("news", {}, "reporter"),
        ("claude-sonnet-5-5", {"agent": "papers/daily"}, "critic"),
        ("old-name", {"agent": "papers/daily"}, None),
        ("fast", {"user": "a@example.org"}, "reporter"),
        ("claude-sonnet-5-5", {"agent": "papers/daily", "user": "a@example.org"}, "critic"),
        ("persona/reporter", {"agent": "papers/daily"}, "reporter"),
        ("claude-sonnet-5-5", {"agent": "other/daily", "user": "a@example.com"}, None),
    ],
)
def test_personas_by_name_and_by_rule(model: str, who: dict[str, str], persona: str | None) -> None:
    plan = planned(build_test_router(CHAIN, ANTHROPIC), model, **who)
    assert (plan.persona and plan.persona.name) == persona
    if persona == "reporter":
        assert plan.persona is not None
        assert (plan.persona.system, plan.persona.defaults) == ("Report.", {"max_tokens": 100})
        assert plan.candidates[0].target == "claude-haiku-5-5"


def test_a_key_gets_only_the_models_of_its_patterns() -> None:
    router = build_test_router(CHAIN, ANTHROPIC)
    limited = caller(models=("fast", "claude-haiku-*"))
    assert isinstance(router.plan("fast", limited, NOW), Plan)
    for model in ("claude-opus-5-5", "quick", "anthropic/claude-haiku-5-5", "persona/reporter"):
        answer = router.plan(model, limited, NOW)
        assert isinstance(answer, NotServed)
        assert answer.reason is RouteReason.MODEL_NOT_ALLOWED
        assert "fast, claude-haiku-*" in answer.message
    assert set(router.models(limited, NOW)) >= {"fast", "claude-haiku-5-5"}
    assert all(
        name == "fast" or name.startswith("claude-haiku-") for name in router.models(limited, NOW)
    )
    nothing = router.plan("fast", caller(models=()), NOW)
    assert isinstance(nothing, NotServed)


def test_the_list_has_what_is_served_now() -> None:
    names = build_test_router(CHAIN, ANTHROPIC).models(ANYONE, NOW)
    assert names[:3] == ["fast", "claude-opus-5-5", "quick"]
    assert {"persona/reporter", "old-name", "claude-sonnet-5-5", "scripted/hello"} <= set(names)
    assert "gpt-6.1-sol" not in names
    assert len(names) == len(set(names))
    without = build_test_router(CHAIN).models(ANYONE, NOW)
    assert "fast" in without  # the local server needs no key
    assert not {"old-name", "persona/critic", "claude-sonnet-5-5"} & set(without)


@pytest.mark.parametrize(
    ("names", "least"),
    [("ANTHROPIC OPENAI GEMINI ZAI OPENROUTER", 500), ("GEMINI", 50), ("", 10)],
)
def test_every_listed_name_is_served(names: str, least: int) -> None:
    router = build_test_router(CHAIN, {f"{name}_API_KEY": "k" for name in names.split()})
    listed = router.models(ANYONE, NOW)
    assert len(listed) > least
    assert [n for n in listed if not isinstance(router.plan(n, ANYONE, NOW), Plan)] == []


def test_keys_take_turns_between_requests_of_programs() -> None:
    router = build_test_router(keys={f"ANTHROPIC_API_KEY{n}": n for n in ("", "_2", "_3")})
    plans = [planned(router, "claude-opus-5-5") for _ in range(30)]
    assert set(Counter(plan.candidates[0].credential.name for plan in plans).values()) == {10}
    assert {len(plan.candidates) for plan in plans} == {3}


def test_a_run_stays_with_one_key_and_runs_are_spread() -> None:
    keys = {"ANTHROPIC_API_KEY": "1", "ANTHROPIC_API_KEY_2": "2"}
    router, other = build_test_router(keys=keys), build_test_router(keys=keys)
    first = {
        uid: {
            planned(each, "claude-opus-5-5", execution=uid).candidates[0].credential.name
            for each in (router, other, router)
        }
        for uid in map(str, range(200))
    }
    assert {len(names) for names in first.values()} == {1}
    spread = Counter(name for names in first.values() for name in names)
    assert min(spread.values()) > 60


def test_a_price_of_the_file_wins_and_what_it_leaves_out_costs_as_input() -> None:
    text = 'prices: {anthropic/claude-opus-5-5: {input: "7", output: 9, webSearch: "2"}}'
    plan = planned(build_test_router(text, ANTHROPIC), "claude-opus-5-5")
    assert {
        kind: str(price) for kind, price in plan.candidates[0].rates.table(Usage()).items()
    } == {
        "input": "7",
        "output": "9",
        "cache_read": "7",
        "cache_write_5m": "7",
        "cache_write_1h": "7",
        "web_searches": "2000",
    }
