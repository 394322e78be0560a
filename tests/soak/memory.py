"""Memory and CPU of the operator over all of its processes; pure but for the figures given."""

import statistics
from dataclasses import dataclass, field

from soak.programs import Use

ROOM = 1.10
"""The memory after the last run may be so many times that after a fifth of the runs."""
_AROUND = 0.02
MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """What one process used when so many runs were done."""

    done: int
    use: Use


@dataclass(frozen=True)
class Growth:
    """Median PSS around a fifth of the runs and around the end, in bytes, of one process."""

    early: float
    late: float
    is_one_process: bool

    @property
    def factor(self) -> float:
        return self.late / self.early

    @property
    def is_kept(self) -> bool:
        return self.is_one_process and self.factor <= ROOM


@dataclass
class Meter:
    """Samples in order of time."""

    samples: list[Sample] = field(default_factory=list)

    def add(self, done: int, use: Use | None) -> None:
        if use is not None:
            self.samples.append(Sample(done, use))

    @property
    def words(self) -> str:
        if not self.samples:
            return "no operator"
        last = self.samples[-1].use
        return f"operator {last.rss / MIB:.0f} MiB RSS, {last.pss / MIB:.0f} MiB PSS"

    @property
    def cpu_seconds(self) -> float:
        """Of all processes; what one used after its last sample is missing."""
        last = {each.use.pid: each.use.cpu for each in self.samples}
        return sum(last.values())

    def growth(self, runs: int) -> Growth | None:
        """None without a sample near one of the two points."""
        early, late = self._near(runs // 5, runs), self._near(runs, runs)
        if not early or not late:
            return None
        pids = {each.use.pid for each in (*early, *late)}
        return Growth(_median(early), _median(late), len(pids) == 1)

    def _near(self, done: int, runs: int) -> list[Sample]:
        return [each for each in self.samples if abs(each.done - done) <= runs * _AROUND]


def _median(samples: list[Sample]) -> float:
    return statistics.median(each.use.pss for each in samples)
