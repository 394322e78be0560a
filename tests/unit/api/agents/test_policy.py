"""Hosts that an agent may name: what the admin allows, refused with the remedy."""

import pytest
from pydantic import JsonValue

from heliostat_api.agents.policy import judge_hosts
from heliostat_api.base.field_errors import FieldError
from heliostat_api.records.contents import judge


def spec(egress: JsonValue) -> dict[str, JsonValue]:
    return {"workspace": {"egress": egress}}


def test_a_host_beyond_the_admins_list_is_refused_at_its_place() -> None:
    egress = spec([{"host": "api.example.com"}, {"host": "EVIL.com", "ports": [80]}])
    faults = judge_hosts(egress, ("*.example.com", "10.0.0.0/8"))
    assert faults == (
        FieldError(
            field="spec.workspace.egress[1].host",
            message="evil.com is not allowed here: must be within *.example.com, 10.0.0.0/8, or "
            "left out; an admin allows more",
        ),
    )


def test_without_a_list_none_is_allowed_and_where_nobody_governs_all_are() -> None:
    one = spec([{"host": "a.example"}])
    (fault,) = judge_hosts(one, ())
    assert fault.message == "a.example is not allowed here: leave it out; an admin allows more"
    assert judge_hosts(one, None) == ()


@pytest.mark.parametrize("workspace", [None, {}, {"egress": {}}, {"egress": [1, {"host": 2}]}])
def test_what_names_no_host_is_not_judged_here(workspace: JsonValue) -> None:
    assert judge_hosts({"workspace": workspace}, ()) == ()


def test_a_wrong_host_is_said_in_plain_words() -> None:
    judgement = judge({"prompt": "x", "workspace": {"egress": [{"host": "http://a"}]}})
    assert [(each.field, each.message) for each in judgement.faults] == [
        (
            "spec.workspace.egress[0].host",
            "must be a domain (api.example.com), *.domain for all names below it, an IP address "
            "or a CIDR",
        )
    ]
