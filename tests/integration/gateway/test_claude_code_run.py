"""The real Claude Code binary at work while its provider fails: it must not notice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .real_world import PROVIDERS, World, run_world
from .test_claude_code_client import claude, pytestmark

__all__ = ["pytestmark"]
STEPS = 5
_PRICES = '{input: "4", output: "20", cacheRead: "0.20", cacheWrite5m: "5", cacheWrite1h: "8"}'
_WORK = f"""
  - name: step
    when: {{turn: {{from: 0, to: {STEPS - 1}}}}}
    steps:
      - thinking: One step more.
      - text: "Step <<turn>>."
      - tool: {{name: Bash, input: {{command: "echo step <<turn>> >> steps.txt"}}}}
    usage: {{input: 50, output: 40, cacheRead: 6000, cacheWrite5m: 100}}
  - name: done
    steps:
      - text: All steps are done.
    usage: {{input: 50, output: 10, cacheRead: 9000, cacheWrite5m: 100}}
"""
_FAILURES = """
  - name: overloaded
    when: {turn: {from: 1, to: 2}}
    fault: {status: 529}
  - name: broken off
    when: {turn: 3}
    fault: {name: cut-before-first-token}
    steps: [{text: Nobody reads this.}]
    usage: {input: 50, output: 40}
"""


def scenario(turns: str) -> str:
    return f"description: Of a test.\nprices: {_PRICES}\nturns:{turns}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("claude")
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    (scenarios / "steps.yaml").write_text(scenario(_WORK))
    # Gemini 3 refuses calls that nobody signed, and the first ones here are Claude's.
    (scenarios / "gemini-3-steps.yaml").write_text(scenario(_WORK))
    (scenarios / "failing.yaml").write_text(scenario(_FAILURES + _WORK))
    failing = {"provider": "anthropic", "model": "failing"}
    models = {"messages": "steps", "chat": "steps", "gemini": "gemini-3-steps"}
    chains: dict[str, object] = {
        f"work-{dialect}": {"chain": [failing, {"provider": name, "model": models[dialect]}]}
        for dialect, name in PROVIDERS.items()
    }
    with run_world(folder, chains, scenarios) as running:
        yield running


@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_two_overloads_and_a_cut_are_not_noticed(
    world: World, tmp_path: Path, dialect: str
) -> None:
    before = len(world.providers.bill())
    execution = f"cc-work-{dialect}"
    run = await claude(
        *(world.gateway, tmp_path, world.gateway.key(execution), f"work-{dialect}"),
        *("Take the steps.", "--allowedTools", "Bash"),
    )
    assert (run.code, run.result["result"]) == (0, "All steps are done.")
    assert run.result["num_turns"] == STEPS + 1
    steps = (run.folder / "steps.txt").read_text().splitlines()
    assert steps == [f"step {number}" for number in range(STEPS)]
    cost, bill = await world.gateway.cost(execution), world.providers.bill()[before:]
    assert cost.requests == STEPS + 1  # it asked for nothing twice
    assert len(bill) == STEPS + 2  # the cut was paid, the overloads were not
    assert cost.cost_nanos == sum(entry.cost_nanos for entry in bill)
    assert cost.settled


async def test_a_cap_in_the_middle_of_it_stops_it_at_once_with_our_words(
    world: World, tmp_path: Path
) -> None:
    # A step costs 2.7 thousandths of a dollar: 0.2 + 0.8 + 1.2 + 0.5.
    key = world.gateway.key("cc-work-cap", cap=6_000_000)
    run = await claude(
        *(world.gateway, tmp_path, key, "work-chat", "Take the steps."),
        *("--allowedTools", "Bash"),
    )
    assert run.code == 1
    assert "has reached its cost limit" in str(run.result["result"])
    cost = await world.gateway.cost("cc-work-cap")
    assert (cost.requests, cost.cost_nanos) == (3, 8_100_000)  # the fourth is not made


async def test_a_persona_answers(world: World, tmp_path: Path) -> None:
    run = await claude(
        *(world.gateway, tmp_path, world.gateway.key("cc-persona"), "persona/zeitgeist"),
        *("What is new?", "--tools", ""),
    )
    assert run.code == 0
    assert "You said: What is new?" in str(run.result["result"])
    assert (await world.gateway.cost("cc-persona")).model == "default"
