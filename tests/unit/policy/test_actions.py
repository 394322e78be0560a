"""The canonical form of an action: one byte form, read back exactly, refused otherwise."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_policy.actions import (
    CanonicalAction,
    JsonObject,
    NotCanonical,
    Operand,
    canonical_bytes,
    digest_of,
    read_action,
)

ACTION = CanonicalAction(
    tool="Bash",
    args={"command": "curl -d @report.md https://reports.example.com", "timeout": 1.0},
    cwd="/workspace",
    egress=("reports.example.com:443",),
    operands=(Operand("report.md", "sha256:" + "0" * 64),),
    workspace="claim-1",
    policy="sha256:" + "1" * 64,
    execution="6f3f5a3e-0000-4000-8000-000000000000",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda each: not (each.is_integer() and 2**53 <= abs(each) < 1e21)
    )
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def test_the_form_is_the_one_of_rfc_8785() -> None:
    assert canonical_bytes(ACTION) == (
        b'{"args":{"command":"curl -d @report.md https://reports.example.com","timeout":1},'
        b'"execution":"6f3f5a3e-0000-4000-8000-000000000000",'
        b'"operands":[{"path":"report.md","sha256":"sha256:' + b"0" * 64 + b'"}],'
        b'"policy":"sha256:' + b"1" * 64 + b'",'
        b'"target":{"cwd":"/workspace","egress":["reports.example.com:443"]},'
        b'"tool":"Bash","v":1,"workspace":"claim-1"}'
    )


def test_a_digest_names_its_function() -> None:
    assert digest_of(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@given(args=st.dictionaries(TEXTS, VALUES, max_size=4), cwd=TEXTS)
def test_what_was_written_is_read_back(args: JsonObject, cwd: str) -> None:
    action = replace(ACTION, args=args, cwd=cwd)
    written = canonical_bytes(action)
    assert canonical_bytes(read_action(written)) == written


@pytest.mark.parametrize(
    "changed",
    [
        {"tool": "Write"},
        {"args": {"command": "curl -d @report.md https://reports.example.com"}},
        {"cwd": "/workspace/a"},
        {"egress": ()},
        {"operands": (Operand("report.md", "sha256:" + "2" * 64),)},
        {"workspace": "claim-2"},
        {"policy": ""},
        {"execution": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_part_changes_the_digest(changed: dict[str, object]) -> None:
    other = replace(ACTION, **changed)  # type: ignore[arg-type]  # a table of fields
    assert digest_of(canonical_bytes(other)) != digest_of(canonical_bytes(ACTION))


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 2**53 + 1, -(2**53) - 1, 2.0**53, "\ud800"], ids=repr
)
def test_what_has_no_canonical_form_is_refused(value: float | str) -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(replace(ACTION, args={"x": value}))


def test_half_of_a_surrogate_pair_is_refused_as_a_name_too() -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(replace(ACTION, args={"\udfff": 1}))


def test_nesting_without_end_is_refused() -> None:
    value: JsonObject = {}
    for _ in range(100_000):
        value = {"x": value}
    with pytest.raises(NotCanonical):
        canonical_bytes(replace(ACTION, args=value))


def _written(**changes: object) -> bytes:
    """The action with changed members, in the order and spacing of the canonical form."""
    form = {**ACTION.to_json(), **changes}
    kept = {name: each for name, each in form.items() if each is not ...}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).replace("1.0", "1").encode()


def test_the_bytes_that_the_next_test_changes_are_read() -> None:
    assert read_action(_written()) == ACTION


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        canonical_bytes(ACTION) + b"\n",
        canonical_bytes(ACTION).replace(b":", b": ", 1),
        canonical_bytes(ACTION).replace(b'"v":1', b'"v":1,"v":1'),
        _written(v=2),
        _written(v=True),
        _written(v=...),
        _written(more=1),
        _written(tool=1),
        _written(args=[]),
        _written(target="x"),
        _written(target={"cwd": "/", "egress": "h"}),
        _written(target={"cwd": "/", "egress": [1]}),
        _written(target={"cwd": "/", "egress": [], "more": 1}),
        _written(operands=["x"]),
        _written(operands=[{"path": "x"}]),
        _written(operands=[{"path": "x", "sha256": "y", "more": 1}]),
    ],
)
def test_other_bytes_are_no_action(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        read_action(data)
