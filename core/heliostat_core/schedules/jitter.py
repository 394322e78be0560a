"""Who starts how long after the time, so that not all start at once: always the same answer."""

import hashlib
from datetime import datetime, timedelta


def jittered(
    scheduled: datetime, following: datetime | None, agent_uid: str, most_seconds: int
) -> datetime:
    """When an agent's run of that time starts: before the time after it, so that none overtakes
    another."""
    room = most_seconds
    if following is not None:
        room = min(room, int((following - scheduled).total_seconds()) - 1)
    if room <= 0:
        return scheduled
    digest = hashlib.sha256(f"{agent_uid}/{int(scheduled.timestamp())}".encode()).digest()
    return scheduled + timedelta(seconds=int.from_bytes(digest[:8]) % (room + 1))
