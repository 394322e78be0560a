"""What came out, for people. Pure."""

from collections import Counter
from collections.abc import Sequence

from tools.mutants.trials import Outcome, Verdict

ENOUGH_PERCENT = 85.0


def percent_killed(verdicts: Sequence[Verdict]) -> float:
    """Of all that were tried; a line that no test passes counts as survived."""
    killed = sum(verdict.outcome is Outcome.KILLED for verdict in verdicts)
    return 100.0 * killed / len(verdicts) if verdicts else 100.0


def format_verdict(verdict: Verdict) -> str:
    """One mutant: what became of it, its place, and its line before and after."""
    mutation = verdict.mutation
    by = f" by {verdict.by}" if verdict.by else f" {verdict.tests} tests" if verdict.tests else ""
    head = f"{verdict.outcome}{by}  {mutation.place} {mutation.scope.function}".rstrip()
    if verdict.outcome is Outcome.KILLED:
        return head
    return f"{head}\n  - {mutation.line}\n  + {mutation.becomes}"


def format_summary(verdicts: Sequence[Verdict], area: str, seed: str, places: int) -> str:
    counts = Counter(verdict.outcome for verdict in verdicts)
    parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    return (
        f"AREA={area} SEED={seed}: {len(verdicts)} of {places} places: {parts}; "
        f"{percent_killed(verdicts):.1f} % killed, {ENOUGH_PERCENT:.0f} % are enough"
    )
