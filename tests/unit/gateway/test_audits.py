"""The ledger beside exports of providers, as their usage APIs and consoles write them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.reports.audits import Booked, book_lines, compare, without_keys
from heliostat_gateway.reports.documents import UsageLine
from heliostat_gateway.reports.exports import Bucket, Cell, Export, ExportError, read_export

ANTHROPIC = {
    "data": [
        {
            "starting_at": "2026-11-20T00:00:00Z",
            "ending_at": "2026-11-21T00:00:00Z",
            "results": [
                {
                    "uncached_input_tokens": 100,
                    "cache_creation": {
                        "ephemeral_1h_input_tokens": 50,
                        "ephemeral_5m_input_tokens": 200,
                    },
                    "cache_read_input_tokens": 1000,
                    "output_tokens": 20,
                    "server_tool_use": {"web_search_requests": 2},
                    "api_key_id": "apikey_1",
                    "workspace_id": None,
                    "model": "claude-opus-5-5",
                }
            ],
        },
        {
            "starting_at": "2026-11-21T00:00:00Z",
            "ending_at": "2026-11-22T00:00:00Z",
            "results": [],
        },
    ],
    "has_more": False,
    "next_page": None,
}
OPENAI = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": 1795132800,
            "end_time": 1795136400,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000,
                    "output_tokens": 500,
                    "input_cached_tokens": 800,
                    "num_model_requests": 5,
                    "api_key_id": None,
                    "model": "gpt-6.1-sol",
                }
            ],
        }
    ],
    "has_more": False,
}
CONSOLE = (
    "\ufeffusage_date_utc,model_version,api_key,workspace,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,"
    "usage_input_tokens_cache_read,usage_output_tokens,web_search_count\n"
    "2026-11-20,claude-opus-5-5,apikey_1,Default,60,100,50,1000,20,2\n"
    "2026-11-20,claude-opus-5-5,apikey_1,Other,40,100,0,0,0,0\n"
)
CELL = Cell("2026-11-20", "claude-opus-5-5", "apikey_1")
FIGURES = {
    "input": 100,
    "output": 20,
    "cacheRead": 1000,
    "cacheWrite5m": 200,
    "cacheWrite1h": 50,
    "webSearches": 2,
}


def line(bucket: str = "2026-11-20", model: str = "claude-opus-5-5", **more: str) -> UsageLine:
    return UsageLine(
        key={"day": bucket, "model": model, **more},
        requests=6,
        calls=7,
        open_calls=0,
        unsent_requests=0,
        tokens=dict(FIGURES),
        cost_nanos=123,
        cost_micros=0,
        estimated_requests=1,
        estimated_nanos=0,
        estimated_basis_points=0,
        cache_hit_basis_points=0,
        cache_saved_nanos=0,
        cache_unpriced_tokens=0,
        errors={"provider_refused": 2, "client_gone": 1},
    )


def test_an_answer_of_anthropics_usage_api() -> None:
    found = read_export(json.dumps(ANTHROPIC), "anthropic", Bucket.DAY)
    assert found.cells == {CELL: FIGURES}
    assert (found.start, found.end, found.has_keys) == (
        datetime(2026, 11, 20, tzinfo=UTC),
        datetime(2026, 11, 22, tzinfo=UTC),
        True,
    )


def test_a_csv_of_anthropics_console_is_summed_over_what_is_not_compared() -> None:
    found = read_export(CONSOLE, "anthropic", Bucket.DAY)
    assert found.cells == {CELL: FIGURES}
    assert found.end == datetime(2026, 11, 21, tzinfo=UTC)


def test_an_answer_of_openais_usage_api() -> None:
    found = read_export(json.dumps([OPENAI, OPENAI]), "openai", Bucket.HOUR)
    assert found.cells == {
        Cell("2026-11-20T00:00:00Z", "gpt-6.1-sol", ""): {
            "allInput": 2000,
            "output": 1000,
            "cacheRead": 1600,
            "requests": 10,
        }
    }
    assert found.end - found.start == timedelta(hours=1)


def test_any_other_provider_has_plain_columns_in_any_order() -> None:
    text = "Output Tokens,model,bucket,cost_usd\n5,m,2026-11-20T07:00:00Z,0.000000123\n"
    found = read_export(text, "zai", Bucket.HOUR)
    cell = Cell("2026-11-20T07:00:00Z", "m", "")
    assert found.cells == {cell: {"output": 5, "costNanos": 123}}


@pytest.mark.parametrize(
    ("text", "bucket", "words"),
    [
        ("", "day", "no rows"),
        ("{", "day", "is no JSON"),
        ("[1]", "day", "must be a JSON object, or a list of objects"),
        ('{"data": [1]}', "day", "must be an object"),
        (json.dumps(ANTHROPIC | {"has_more": True}), "day", "fetch `next_page`, too"),
        (json.dumps(ANTHROPIC), "hour", "more than one hour: use --bucket day"),
        ("model,output_tokens\nm,1\n", "day", "no column bucket or starting_at"),
        ("date,output_tokens\n2026-11-20,1\n", "day", "no column model or model_version"),
        ("date,model\n2026-11-20,m\n", "day", "none of the columns"),
        ("date,model,output_tokens\n2026-11-20,,1\n", "day", "group the export by model"),
        ("date,model,output_tokens\nsoon,m,1\n", "day", "Row 1, date: 'soon' must be a day"),
        ("date,model,output_tokens\n2026-11-20,m,1.5\n", "day", "Row 1, output_tokens: '1.5'"),
        ("date,model,output_tokens\n2026-11-20,m\n", "day", "Line 2 has 2 cells"),
    ],
)
def test_what_can_not_be_compared_is_named(text: str, bucket: str, words: str) -> None:
    with pytest.raises(ExportError) as caught:
        read_export(text, "anthropic", Bucket(bucket))
    assert words in str(caught.value)


def test_equal_sums_have_no_differences() -> None:
    export = without_keys(read_export(json.dumps(ANTHROPIC), "anthropic", Bucket.DAY))
    audit = compare(book_lines([line()], "day", {}, {}), export)
    assert (audit.differences, audit.cells) == ((), 1)


def test_models_and_keys_may_have_other_names_there() -> None:
    export = read_export(json.dumps(ANTHROPIC), "anthropic", Bucket.DAY)
    ours = [line(model="opus", credential="main")]
    booked = book_lines(ours, "day", {"opus": "claude-opus-5-5"}, {"main": "apikey_1"})
    assert compare(booked, export).differences == ()
    assert len(compare(book_lines(ours, "day", {}, {}), export).differences) == 2 * len(FIGURES)


def test_calls_that_no_provider_counts_are_not_counted() -> None:
    (booked,) = book_lines([line()], "day", {}, {}).values()
    assert (booked.figures["requests"], booked.estimated) == (5, 1)
    assert (booked.figures["allInput"], booked.figures["cacheWrite"]) == (1350, 250)


CELLS = st.builds(Cell, st.sampled_from(["d1", "d2"]), st.sampled_from("mn"), st.sampled_from("kl"))
SUMS = st.dictionaries(CELLS, st.fixed_dictionaries({"output": st.integers(0, 9)}), max_size=8)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@given(SUMS, SUMS)
def test_differences_add_up_to_the_difference_of_the_totals(
    ours: dict[Cell, dict[str, int]], theirs: dict[Cell, dict[str, int]]
) -> None:
    export = Export(NOW, NOW, ("output",), has_keys=True, cells=theirs)
    audit = compare({cell: Booked(figures, 0) for cell, figures in ours.items()}, export)
    more = sum(each.ledger - each.provider for each in audit.differences)
    totals = [sum(figures["output"] for figures in side.values()) for side in (ours, theirs)]
    assert more == totals[0] - totals[1]
    assert all(each.ledger != each.provider for each in audit.differences)


@given(SUMS)
def test_a_ledger_is_equal_to_itself_with_and_without_keys(
    sums: dict[Cell, dict[str, int]],
) -> None:
    export = Export(NOW, NOW, ("output",), has_keys=True, cells=sums)
    booked = {cell: Booked(figures, 0) for cell, figures in sums.items()}
    assert compare(booked, export).differences == ()
    summed = without_keys(export)
    booked = {cell: Booked(figures, 0) for cell, figures in summed.cells.items()}
    assert compare(booked, summed).differences == ()
