"""The table of docs/exit-codes.md: the runner's table, in the words of the conditions."""

from heliostat_core.conditions import FinishedReason
from heliostat_runner.reasons import ENDINGS
from tools.sections import table


def build_table() -> str:
    """One row for each reason. Raises ValueError for one that status does not know."""
    rows = [
        (f"{end.exit_code}", f"`{reason}`", end.cause or "-", FinishedReason(reason).description)
        for reason, end in ENDINGS.items()
    ]
    return table(("code", "reason", "cause", "meaning"), rows)
