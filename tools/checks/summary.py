"""What a run of the checks says at its end: a line for each stage, and what the whole took."""

from collections.abc import Sequence
from dataclasses import dataclass

_CPU_SECONDS_OF_A_MINUTE = 120  # on two cores


@dataclass(frozen=True)
class Result:
    """What became of a stage; its work is the CPU time of all its processes."""

    name: str
    outcome: str
    wall_seconds: float
    cpu_seconds: float


def format_result(result: Result) -> str:
    wall, cpu = result.wall_seconds, result.cpu_seconds
    return f"{result.name:<12} {result.outcome:<7} {wall:5.0f} s {cpu:6.0f} CPU s"


def format_summary(results: Sequence[Result], wall_seconds: float, cpu_seconds: float) -> str:
    """The stages in the order in which they ended, then the whole.

    Work that belongs to no stage is the cluster's: its programs and pods outlive what started them.
    """
    lines = [format_result(each) for each in results]
    cluster = cpu_seconds - sum(each.cpu_seconds for each in results)
    lines.append(f"{'cluster':<12} {'':<7} {'':5}   {cluster:6.0f} CPU s")
    lines.append(
        f"total: {wall_seconds / 60:.1f} minutes of wall time,"
        f" {cpu_seconds / _CPU_SECONDS_OF_A_MINUTE:.1f} two-core minutes of work"
    )
    return "\n".join(lines)
