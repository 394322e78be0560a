"""What was approved is done once, whatever dies when: random orders of small steps.

Ten thousand of them by `make test-all`, a seeded part on each landing.
"""

import random

import pytest

from heliostat_core.approvals import ApprovalState
from support.asked_runs import AskedRun
from support.sampling import rows_of_landing

HISTORIES = 10_000
SHARE = 0.01
STEPS = 160


def live(seed: int, *, claims_late: bool = False) -> AskedRun:
    """One history: operators, pods, people and faults take turns."""
    chance = random.Random(seed)
    run = AskedRun(chance.randint(1, 3), claims_late=claims_late)
    turns = (
        (16, run.look),
        (16, lambda: run.operate("new")),
        (6, lambda: run.operate("old")),
        (3, lambda: run.kill_operator("new")),
        (2, lambda: run.kill_operator("old")),
        (8, run.make_pods),
        (22, run.run_pod),
        (3, run.kill_pod),
        (12, run.kill_acting_pod),
        (3, run.remove_pod),
        (10, run.settle_asks),
        (8, lambda: run.say("Approve")),
        (1, lambda: run.say("Deny")),
        (4, run.find_out),
        (8, lambda: run.pass_time(chance.choice([1, 5, 30]))),
        (0.3, lambda: run.pass_time(chance.choice([700, 90_000]))),
        (0.1, run.cancel),
        (1, lambda: setattr(run, "has_slot", chance.random() < 0.7)),
        (1, lambda: setattr(run, "gateway_answers", chance.random() < 0.8)),
        (1, lambda: setattr(run, "node_answers", chance.random() < 0.6)),
    )
    weights, hands = [each[0] for each in turns], [each[1] for each in turns]
    for hand in chance.choices(hands, weights, k=STEPS):
        hand()
    run.drain()
    return run


def broken(run: AskedRun) -> str:
    """The promise that this history broke, empty where it kept all."""
    twice = [digest for digest, count in run.done.items() if count > 1]
    if twice:
        return f"done twice: {twice}"
    if run.unasked:
        return f"done without approval: {run.unasked}"
    for approval in run.approvals.values():
        happened = run.done[approval.spec.action.digest] > 0
        if approval.state is ApprovalState.DONE and not happened:
            return f"{approval.metadata.name} says Done, and nothing happened"
        if approval.state is ApprovalState.CLAIMED:
            return f"{approval.metadata.name} is claimed by a run that has ended"
    return ""


@pytest.mark.parametrize("part", range(4))
def test_no_order_of_events_does_an_action_twice_or_unasked(part: int) -> None:
    seeds = rows_of_landing("approval histories", range(HISTORIES), lambda _: 0, SHARE)
    found = {seed: words for seed in seeds[part::4] if (words := broken(live(seed)))}
    assert not found


def test_the_same_histories_find_doubles_where_the_grant_comes_before_the_claim() -> None:
    seeds = rows_of_landing("approval histories", range(HISTORIES), lambda _: 0, SHARE)
    assert any("twice" in broken(live(seed, claims_late=True)) for seed in seeds)
