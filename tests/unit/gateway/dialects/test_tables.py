"""The tables treat each field in one way, and say what to do. That they know every field of the
official SDKs is shown in integration."""

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.fields import Treatment, apply_rules
from heliostat_gateway.dialects.treatments import TABLES, members_for, rules_for
from heliostat_json.objects import JsonObject
from support.golden import DIRECTIONS


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_field_is_either_carried_or_not(source: Dialect, target: Dialect) -> None:
    rules = rules_for(source, target)
    carried = {rule.field for rule in rules if rule.treatment is Treatment.CARRIED}
    others = {rule.field for rule in rules if rule.treatment is not Treatment.CARRIED}
    assert carried & others == set()


@pytest.mark.parametrize("target", TABLES)
def test_a_refusal_says_what_to_do(target: Dialect) -> None:
    refusals = [rule for rule in TABLES[target] if rule.treatment is Treatment.REFUSED]
    assert [rule.field for rule in refusals if len(rule.note) < len("use tools")] == []


def test_what_is_dropped_is_named_once() -> None:
    block: JsonObject = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    message: JsonObject = {"role": "user", "content": [block, block]}
    rules = rules_for(Dialect.MESSAGES, Dialect.CHAT)
    members = members_for(Dialect.MESSAGES, Dialect.CHAT)
    dropped = apply_rules({"messages": [message]}, rules, members)
    assert dropped == ("messages[].content[].cache_control",)
