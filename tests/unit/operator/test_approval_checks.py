"""Whether an Agent's asks could be decided as it says."""

import pytest

from heliostat_operator.agents.approval_checks import check_approvals, say_authority
from heliostat_operator.approvals.authority import Authority
from support.builders.resources import make_agent

CURL = {"decision": "Ask", "argv": ["curl"], "match": ["curl -d x a.example"], "notMatch": ["ls"]}
SCHEDULE = {"frequency": "hourly"}


@pytest.mark.parametrize(
    ("approvals", "schedule", "authority", "reason"),
    [
        (None, SCHEDULE, Authority.NOBODY, None),
        ({}, None, Authority.NOBODY, None),
        ({"rules": [CURL]}, None, Authority.API_SERVER, None),
        ({"rules": [CURL, {**CURL, "match": ["wget a"]}]}, None, Authority.API, "PolicyInvalid"),
        ({"rules": [{**CURL, "notMatch": ["curl a"]}]}, None, Authority.API, "PolicyInvalid"),
        ({}, SCHEDULE, Authority.API_SERVER, "UnattendedUndecided"),
        ({"unattended": "Refuse"}, SCHEDULE, Authority.API_SERVER, None),
        ({"unattended": "Ask"}, SCHEDULE, Authority.NOBODY, None),
        ({"quorum": 2}, None, Authority.API_SERVER, None),
        ({"quorum": 2}, None, Authority.NOBODY, "NoSecondApprover"),
        ({"requesterMayApprove": False}, None, Authority.NOBODY, "NoSecondApprover"),
        (
            {"rules": [{"decision": "Ask", "class": "Pay", "quorum": 3}]},
            None,
            Authority.NOBODY,
            "NoSecondApprover",
        ),
    ],
)
def test_the_first_that_fails_is_said(
    approvals: object, schedule: object, authority: Authority, reason: str | None
) -> None:
    fault = check_approvals(make_agent(approvals=approvals, schedule=schedule), authority)
    assert (fault[0] if fault else None) == reason


def test_a_wrong_example_is_named_with_its_rule() -> None:
    rules = [CURL, {**CURL, "match": ["wget a"]}]
    fault = check_approvals(make_agent(approvals={"rules": rules}), Authority.API_SERVER)
    assert fault is not None
    assert fault[1] == (
        "spec.approvals.rules[1] does not match 'wget a', an example of its match. Change the rule "
        "or the example."
    )


def test_an_agent_that_asks_says_where_only_the_api_may_approve() -> None:
    asks = make_agent(approvals={})
    assert "Only the api may approve" in say_authority(asks, Authority.API)
    for authority in (Authority.API_SERVER, Authority.NOBODY):
        assert say_authority(asks, authority) == ""
    assert say_authority(make_agent(), Authority.API) == ""
