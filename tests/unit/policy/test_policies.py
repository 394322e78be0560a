"""Rules and policies as JSON: read exactly, refused with the name of the field."""

import pytest

from heliostat_policy.classes import ActionClass, Decision
from heliostat_policy.json_values import JsonValue
from heliostat_policy.policies import InvalidPolicy, Mode, Policy, Rule, version_of

RULES: list[JsonValue] = [
    {
        "decision": "Ask",
        "argv": ["curl"],
        "quorum": 2,
        "match": ["curl -d x h"],
        "notMatch": ["ls"],
    },
    {"decision": "Refuse", "class": "Pay"},
    {"decision": "Allow", "mcpTool": "mcp__crm__*"},
    {"decision": "Allow", "host": "*.example.com"},
    {"decision": "Ask", "tool": "WebFetch"},
]
WHOLE: JsonValue = {
    "rules": RULES,
    "egress": True,
    "secretRefs": True,
    "hosts": ["api.example.com:443"],
    "quorum": 3,
    "mode": "Observe",
}


def test_a_policy_is_written_as_it_was_read() -> None:
    assert Policy.from_json(WHOLE).to_json() == WHOLE


def test_a_rule_is_read_into_its_fields() -> None:
    assert Rule.from_json(RULES[0]) == Rule(
        Decision.ASK, argv=("curl",), quorum=2, match=("curl -d x h",), not_match=("ls",)
    )
    assert Rule.from_json(RULES[1]) == Rule(Decision.REFUSE, class_=ActionClass.PAY)


def test_what_is_left_out_has_its_default() -> None:
    assert Policy.from_json({}) == Policy(mode=Mode.ENFORCE)
    assert Policy.from_json(Policy().to_json()) == Policy()


def test_a_version_depends_on_each_field() -> None:
    policies = [
        Policy(),
        Policy(egress=True),
        Policy(secret_refs=True),
        Policy(hosts=("a:443",)),
        Policy(quorum=2),
        Policy(mode=Mode.OBSERVE),
        Policy((Rule(Decision.ASK, argv=("curl",)),)),
        Policy((Rule(Decision.ASK, argv=("curl",), quorum=2),)),
        Policy((Rule(Decision.ASK, tool="curl"),)),
    ]
    assert len({version_of(each) for each in policies}) == len(policies)
    assert version_of(Policy()) == version_of(Policy.from_json({}))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "it must be an object"),
        ({"rule": []}, "rule is no field"),
        ({"rules": {}}, "rules must be a list"),
        ({"rules": [{"decision": "Ask", "tool": "Bash"}] * 65}, "rules must be at most 64"),
        ({"rules": ["x"]}, r"rules\[0\]: it must be an object"),
        ({"rules": [RULES[0], {"tool": "Bash"}]}, r"rules\[1\]: decision must be one of Allow"),
        ({"rules": [{"decision": "allow", "tool": "Bash"}]}, "decision must be one of"),
        ({"rules": [{"decision": "Ask"}]}, "must set exactly one of tool, mcpTool, argv"),
        ({"rules": [{"decision": "Ask", "tool": "x", "host": "y"}]}, "must set exactly one"),
        ({"rules": [{"decision": "Ask", "tool": ""}]}, "tool must be a text"),
        ({"rules": [{"decision": "Ask", "tool": 1}]}, "tool must be a text"),
        ({"rules": [{"decision": "Ask", "argv": []}]}, "must set exactly one"),
        ({"rules": [{"decision": "Ask", "argv": "curl"}]}, "argv must be a list"),
        ({"rules": [{"decision": "Ask", "argv": ["curl", 1]}]}, "argv must be a list"),
        ({"rules": [{"decision": "Ask", "class": "read"}]}, "class must be one of Read"),
        ({"rules": [{"decision": "Ask", "mcpTool": "mcp__*__x"}]}, "one \\*, at its end"),
        ({"rules": [{"decision": "Ask", "tool": "x", "quorum": 0}]}, "quorum must be 1 to 9"),
        ({"rules": [{"decision": "Ask", "tool": "x", "quorum": True}]}, "quorum must be a whole"),
        ({"rules": [{"decision": "Ask", "tool": "x", "quorum": "2"}]}, "quorum must be a whole"),
        ({"quorum": 10}, "quorum must be 1 to 9"),
        ({"egress": "yes"}, "egress must be true or false"),
        ({"mode": "Off"}, "mode must be one of Enforce, Observe"),
    ],
)
def test_what_is_wrong_is_named(value: JsonValue, words: str) -> None:
    with pytest.raises(InvalidPolicy, match=words):
        Policy.from_json(value)
