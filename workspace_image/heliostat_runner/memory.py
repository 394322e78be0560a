"""How often the kernel has ended a process of this container for memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),  # cgroup v2
    Path("/sys/fs/cgroup/memory/memory.oom_control"),  # cgroup v1
)


def out_of_memory_kills(counters: Sequence[Path] = _COUNTERS) -> int:
    """0 where no counter can be read."""
    for path in counters:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.isdecimal():
                return int(value)
    return 0
