"""Whatever a routes file says, compiling it ends, and nothing that is told holds a key."""

from collections.abc import Mapping

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.routes.explanation import explain
from heliostat_gateway.routes.plans import NotServed, Plan
from heliostat_gateway.routes.reading import Finding, RoutesError, parse_routes
from heliostat_gateway.routes.table import resolve_alias
from support.routes import KNOWN, NOW, build_test_router, caller

NAMES = st.sampled_from(["a", "b", "c", "d", "persona/a", "claude-opus-5-5", "scripted/hello"])
ALIASES = st.dictionaries(NAMES, NAMES, max_size=6)
HOP = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(["anthropic", "openai", "scripted", "local", "none"]),
        "model": st.sampled_from(["claude-opus-5-5", "gpt-6.1-sol", "hello", "x"]),
    }
)
MODELS = st.dictionaries(
    st.sampled_from(["a", "b", "m"]),
    st.fixed_dictionaries({"chain": st.lists(HOP, min_size=1, max_size=4)}),
    max_size=3,
)
PERSONAS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.fixed_dictionaries({"system": st.just("s"), "model": NAMES}),
    max_size=2,
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "providers": st.just({"local": {"baseUrl": "http://localhost:1"}}),
        "prices": st.sampled_from([{}, {"local/x": {"input": "1", "output": "2"}}]),
        "models": MODELS,
        "aliases": ALIASES,
        "personas": PERSONAS,
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["models", "chain", "aliases", "rules", "personas", "prices", "a", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
SECRET = "sk-SECRET-VALUE"
KEYS = {name: SECRET for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_2", "OPENAI_API_KEY")}


def refused(text: str) -> tuple[Finding, ...]:
    """The mistakes of a text; nothing else may be raised."""
    try:
        parse_routes(text, KNOWN, NOW)
    except RoutesError as error:
        return error.findings
    return ()


@given(ALIASES)
def test_aliases_always_end(aliases: Mapping[str, str]) -> None:
    for name in aliases:
        assert isinstance(resolve_alias(name, aliases), str)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_a_file_is_refused_or_every_name_of_it_gets_an_answer(document: dict[str, object]) -> None:
    text = yaml.safe_dump(document)
    if refused(text):
        return
    router = build_test_router(text, KEYS)
    table = router.routes.current()
    asked = [*table.models, *table.aliases, *(f"persona/{name}" for name in table.personas)]
    for name in asked:
        plan = router.plan(name, caller(), NOW)
        assert isinstance(plan, Plan)  # each provider of the strategy has a key or needs none
        assert len({each.breaker_key for each in plan.candidates}) == len(plan.candidates)
        told = explain(router, name, caller(agent="ns/a"), NOW)
        assert SECRET not in f"{told.model_dump_json()} {plan!r}"


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_document_is_good_or_refused_with_lines(document: object) -> None:
    assert all(each.line >= 1 and each.message for each in refused(yaml.safe_dump(document)))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_good_or_refused(text: str) -> None:
    assert all(each.line >= 1 and each.message for each in refused(text))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_model_name_gets_a_plan_or_words(name: str) -> None:
    plan = build_test_router(keys=KEYS).plan(name, caller(), NOW)
    assert isinstance(plan, Plan) or (isinstance(plan, NotServed) and plan.message)
