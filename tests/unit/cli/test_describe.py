"""Everything about one object."""

from datetime import datetime

from heliostat_cli.describe import describe_agent, describe_execution
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution


def test_an_execution_from_head_to_attempts(refused: Execution, now: datetime) -> None:
    assert describe_execution(refused, "embedded (~/x)", now) == (
        "Name:           sales-1\n"
        "Namespace:      default\n"
        "World:          embedded (~/x)\n"
        "Agent:          sales\n"
        "Phase:          Failed\n"
        "Trigger:        Manual\n"
        "Created:        2026-08-20T15:57:00Z (3m ago)\n"
        "Started:        2026-08-20T15:59:08Z (52s ago)\n"
        "Completed:      2026-08-20T15:59:20Z (40s ago)\n"
        "Running time:   12s of 10m (Agent spec.limits.timeoutSeconds)\n"
        "Model:          scripted/demo (scripted)\n"
        "Tokens:         47,380 (1,650 input, 1,560 output, 32,160 cache read, 12,010 cache write)"
        " in 4 model calls\n"
        "Cost:           $0.104282 so far: not every model call is booked yet\n"
        "Correlation:    u-1\n"
        "Result:\n"
        "  24 sales.\n"
        "  Most in West.\n"
        "Conditions:\n"
        "  TYPE        STATUS   REASON               AGE   MESSAGE\n"
        "  Succeeded   False    VerificationFailed   10s   check: totals differ\n"
        "  Settled     False    OpenCalls            10s\n"
        "Attempts:\n"
        "  NUMBER   JOB         POD               NODE   EXIT   REASON     CAUSE   COST        "
        "MESSAGE\n"
        "  1        sales-1-1   sales-1-1-ab3de   here   0      Verified   -       $0.104282"
    )


def test_an_agent_with_its_limits_and_the_beginning_of_its_prompt(
    agent: Agent, now: datetime
) -> None:
    assert describe_agent(agent, "cluster dev", now) == (
        "Name:          sales\n"
        "Namespace:     default\n"
        "World:         cluster dev\n"
        "Model:         claude-sonnet-5-5\n"
        "Runtime:       Claude Code\n"
        "Tools:         Bash, Edit, Glob, Grep, Read, Write\n"
        "Limits:        60m, 200 turns, $5.000000\n"
        "Verify:        no: success counts on the agent's word\n"
        "Active:        0\n"
        "Cost:          $0.000000\n"
        "Created:       2026-08-20T15:55:00Z (5m ago)\n"
        "Prompt:\n"
        "  Report on sales.\n"
        "  Be exact."
    )
