"""What an agent may cost and touch."""

import pytest

from heliostat_api.agents.previews import dollars, estimate, forecast, has_field, touches_of
from heliostat_core.agents import AgentSpec


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ([], "No history: it has not run yet. A run stops at about $5.0000."),
        (
            [100],
            "The last run cost $0.0001 on average, $0.0001 at most. A run stops at about $5.0000.",
        ),
        (
            [1, 2],
            "The last 2 runs cost $0.0001 on average, $0.0001 at most."
            " A run stops at about $5.0000.",
        ),
    ],
)
def test_an_estimate_is_said_from_history(costs: list[int], text: str) -> None:
    assert estimate(costs, 5_000_000).text == text


def test_an_average_is_rounded_up() -> None:
    cost = estimate([1, 2], None)
    assert (cost.average_micros, cost.highest_micros, cost.executions) == (2, 2, 2)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "$0.0000"), (1, "$0.0001"), (31_200, "$0.0312"), (12_345_678, "$12.3457")],
)
def test_money_is_said_in_dollars(micros: int, text: str) -> None:
    assert dollars(micros) == text


@pytest.mark.parametrize(
    ("starts", "costs", "total", "text"),
    [
        (
            31,
            [10_000, 30_000],
            620_000,
            "Its schedule starts it 31 times in the next 30 days. At the average so far that is "
            "$0.6200.",
        ),
        (
            1,
            [],
            None,
            "Its schedule starts it once in the next 30 days. Without history nobody knows what "
            "that costs.",
        ),
    ],
)
def test_a_month_is_priced_by_the_average_run(
    starts: int, costs: list[int], total: int | None, text: str
) -> None:
    month = forecast(starts, estimate(costs, None))
    assert (month.starts, month.cost_micros, month.text) == (starts, total, text)


def spec(**fields: object) -> AgentSpec:
    return AgentSpec.model_validate({"prompt": "x", **fields})


@pytest.mark.parametrize(
    ("allow", "deny", "tools", "hosts"),
    [
        (["Read"], [], ("Read",), ()),
        (["Read", "Bash(python3:*)"], [], ("Read", "Bash(python3:*)"), ("*",)),
        (["Bash(ls)", "Read"], ["Bash"], ("Read",), ()),
        (["WebFetch(domain:a.example)"], [], ("WebFetch(domain:a.example)",), ("a.example",)),
        (["WebFetch"], [], ("WebFetch",), ("*",)),
        (["mcp__files__read"], [], ("mcp__files__read",), ("*",)),
    ],
)
def test_tools_tell_which_hosts_are_in_reach(
    allow: list[str], deny: list[str], tools: tuple[str, ...], hosts: tuple[str, ...]
) -> None:
    touches = touches_of(spec(tools={"allow": allow, "deny": deny}))
    assert (touches.tools, touches.hosts) == (tools, hosts)


def test_hosts_are_told_with_their_ports_and_are_all_where_the_network_enforces_it() -> None:
    egress = [{"host": "api.example.com"}, {"host": "10.0.0.0/8", "ports": [443, 8443]}]
    agent = spec(workspace={"egress": egress}, tools={"allow": ["Bash"]})
    named = ("10.0.0.0/8 443 8443", "api.example.com")
    assert touches_of(agent, is_confined=True).hosts == named
    assert touches_of(agent).hosts == ("*", *named)
    assert touches_of(spec(tools={"allow": ["Bash"]}), is_confined=True).hosts == ()


def test_a_command_of_ones_own_may_reach_any_host_and_gets_its_secrets() -> None:
    ref = {"name": "db", "key": "password", "envName": "PGPASSWORD"}
    touches = touches_of(
        spec(runtime={"command": ["run"]}, workspace={"secretRefs": [ref]}, tools={"allow": []})
    )
    assert (touches.tools, touches.hosts) == ((), ("*",))
    assert [each.env_name for each in touches.secrets] == ["PGPASSWORD"]


@pytest.mark.parametrize(
    ("agent", "is_confined", "expected"),
    [
        ({"tools": {"allow": ["Read", "Bash", "WebFetch"]}}, False, ("Bash", "WebFetch")),
        ({"tools": {"allow": ["Read", "Bash"]}}, True, ()),
        (
            {"tools": {"allow": ["Bash"]}, "workspace": {"egress": [{"host": "a.example"}]}},
            True,
            ("Bash",),
        ),
        ({"tools": {"allow": ["Bash", "Write"], "deny": ["Bash"]}}, False, ()),
        ({"runtime": {"command": ["run"]}}, False, ("command",)),
        ({"runtime": {"command": ["run"]}}, True, ()),
    ],
)
def test_what_may_act_outside_of_the_workspace_is_named(
    agent: dict[str, object], is_confined: bool, expected: tuple[str, ...]
) -> None:
    assert touches_of(spec(**agent), is_confined=is_confined).red_actions == expected


def test_a_field_is_said_or_not() -> None:
    assert not has_field({"spec": {"limits": {}}}, "spec.limits.maxTurns")
    assert has_field({"spec": {"limits": {"maxTurns": None}}}, "spec.limits.maxTurns")
