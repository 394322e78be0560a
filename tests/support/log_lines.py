"""What holds for every log line of every service."""

import json
from collections.abc import Iterable, Mapping

LEVELS = {"debug", "info", "warning", "error", "critical"}


def read_lines(text: str, secrets: Iterable[str] = ()) -> list[Mapping[str, object]]:
    """Each line as what it says; it is JSON, says the same four things, and holds no secret.

    A last line without an end is that of a process that was killed while it wrote.
    """
    whole = text[: text.rfind("\n") + 1]
    for secret in secrets:
        assert secret not in whole
    return [_read(line) for line in whole.splitlines()]


def _read(line: str) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads(line)
    assert found.keys() >= {"time", "level", "logger", "message"}, line
    assert found["level"] in LEVELS, line
    assert str(found["time"]).endswith("Z"), line
    return found
