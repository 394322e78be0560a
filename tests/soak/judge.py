"""Whether all went well: pure, over what was made, what was seen and what is there at the end."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from heliostat_core.money import micros_from_nanos
from soak.seen import Run
from soak.stories import BY_NAME, Story

Fault = Literal["stuck", "lost", "double", "wrong end", "left over", "live key", "sum", "twin"]
FAULTS: tuple[Fault, ...] = (
    "stuck",
    "lost",
    "double",
    "wrong end",
    "left over",
    "live key",
    "sum",
    "twin",
)


@dataclass(frozen=True)
class Finding:
    """What is wrong with which run."""

    fault: Fault
    run: str
    words: str


@dataclass(frozen=True)
class Remains:
    """What is there when all is over. Money is in nano-dollars."""

    executions: Collection[str] = ()
    """Uids of those that the history settings keep."""
    children: Mapping[str, str] = field(default_factory=dict)
    """Jobs, pods, Secrets, snapshots: kind and name -> uid of the Execution that owns them."""
    live_keys: Collection[tuple[str, int]] = ()
    """Uid and attempt of finished runs whose key the gateway still takes."""
    takes_good_keys: bool = True
    """Whether the gateway takes one that was never revoked."""
    ledger: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """Rows of the ledger: uid -> attempt -> cost."""
    agents: Mapping[str, int] = field(default_factory=dict)
    """What the gateway says of each Agent."""


def judge(made: Collection[str], runs: Sequence[Run], remains: Remains) -> list[Finding]:
    """Everything that is wrong; `made` are the names that the API server took."""
    unseen = set(made) - {run.name for run in runs}
    return [
        *(Finding("lost", name, "it was made, and nobody saw it") for name in sorted(unseen)),
        *(finding for run in runs for check in CHECKS for finding in check(run, remains)),
        *_refused_all(remains),
        *_left_over(runs, remains),
        *_sums(runs, remains),
    ]


def _stuck(run: Run, _: Remains) -> Iterator[Finding]:
    if not run.is_gone and not run.is_done:
        last = run.attempts[-1] if run.attempts else None
        state = "unsettled or unreleased" if run.ends else f"unfinished, last attempt {last}"
        yield Finding("stuck", run.name, state)


def _lost(run: Run, remains: Remains) -> Iterator[Finding]:
    vanishes = BY_NAME[run.story].vanishes
    if not run.ends and run.uid not in remains.executions and not vanishes:
        yield Finding("lost", run.name, "it went, and nobody saw an end")


def _double(run: Run, _: Remains) -> Iterator[Finding]:
    if len(run.ends) > 1 or run.reopened:
        yield Finding("double", run.name, f"more than one end: {run.ends}")
    for name, uids in run.jobs.items():
        if len(uids) > 1:
            yield Finding("double", run.name, f"{len(uids)} Jobs had the name {name}")
    if run.most_jobs_live > 1:
        yield Finding("double", run.name, f"{run.most_jobs_live} attempts lived at once")
    numbers = [each.number for each in run.attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding("double", run.name, f"attempts {numbers}")
    if len(run.jobs) > len(run.attempts) and not run.is_gone:
        yield Finding("double", run.name, f"{len(run.jobs)} Jobs, {len(run.attempts)} attempts")


def _twin(run: Run, _: Remains) -> Iterator[Finding]:
    """An API server that dies after it has written a pod and before it has said so gets the pod
    asked for once more by the Job controller: Kubernetes promises to start a Job's pod at least
    once, and ends the second one when it sees both."""
    for job, uids in run.pods.items():
        if len(uids) > 1:
            yield Finding("twin", run.name, f"{len(uids)} pods of Job {job} ran")


def _wrong_end(run: Run, _: Remains) -> Iterator[Finding]:
    story = BY_NAME[run.story]
    if story.vanishes or not run.ends:
        return
    if run.ends[0].phase not in story.phases:
        yield Finding("wrong end", run.name, f"{run.story}: {run.ends[0]}")
    elif run.ends[0].phase == "Succeeded" and len(run.attempts) < _fewest_attempts(run, story):
        yield Finding("wrong end", run.name, f"{run.story} in {len(run.attempts)} attempts")


def _fewest_attempts(run: Run, story: Story) -> int:
    """Whose pod was taken needs another, unless that one, or its twin, had ended well all the
    same: it went a moment after its end."""
    is_cut_off = bool(run.taken) and not run.succeeded
    return max(story.fewest_attempts, 2 if is_cut_off else 1)


def _live_key(run: Run, remains: Remains) -> Iterator[Finding]:
    for uid, attempt in remains.live_keys:
        if uid == run.uid:
            yield Finding("live key", run.name, f"the gateway takes the key of attempt {attempt}")


def _cost(run: Run, remains: Remains) -> Iterator[Finding]:
    """What the status says, against the rows; a run that was deleted has no last status."""
    rows = remains.ledger.get(run.uid, {})
    if BY_NAME[run.story].vanishes or not run.is_done:
        return
    if run.cost_micros != micros_from_nanos(sum(rows.values())):
        yield Finding("sum", run.name, f"{run.cost_micros} micros in the status, rows: {rows}")
    for each in run.attempts:
        if each.cost_micros != micros_from_nanos(rows.get(each.number, 0)):
            yield Finding("sum", run.name, f"attempt {each.number}: {each.cost_micros}, {rows}")


Check = Callable[[Run, Remains], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (_stuck, _lost, _double, _twin, _wrong_end, _live_key, _cost)


def _refused_all(remains: Remains) -> Iterator[Finding]:
    if not remains.takes_good_keys:
        words = "it refuses a key that nobody revoked: that it refuses the others shows nothing"
        yield Finding("live key", "the gateway", words)


def _left_over(runs: Sequence[Run], remains: Remains) -> Iterator[Finding]:
    """Children go with their Execution."""
    names = {run.uid: run.name for run in runs}
    for child, owner in remains.children.items():
        if owner not in remains.executions:
            yield Finding("left over", names.get(owner, owner), child)


def _sums(runs: Sequence[Run], remains: Remains) -> Iterator[Finding]:
    """The gateway's word on an Agent is the sum of its runs' rows."""
    rows: dict[str, int] = {}
    for run in runs:
        costs = remains.ledger.get(run.uid, {})
        rows[run.story] = rows.get(run.story, 0) + sum(costs.values())
    for agent, cost in remains.agents.items():
        if cost != rows.get(agent, 0):
            yield Finding("sum", agent, f"{cost} at the gateway, {rows.get(agent, 0)} in its rows")
