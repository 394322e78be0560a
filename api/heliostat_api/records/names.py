"""Names and ids of agents that are made in the dashboard."""

import re
import secrets
import unicodedata
from typing import Final

from heliostat_core.names import child_name

_PREFIX: Final = "agent-"
_RANDOM_BYTES: Final = 12
_LONGEST_SLUG: Final = 40
_SUFFIX_LETTERS: Final = 10
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_agent_id() -> str:
    """96 random bits."""
    return _PREFIX + secrets.token_hex(_RANDOM_BYTES)


def slug(name: str, otherwise: str = "agent") -> str:
    """What of a name may be part of a resource's name; `otherwise` when that is nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:_LONGEST_SLUG].rstrip("-") or otherwise


def resource_name(name: str, agent_id: str) -> str:
    """Two people may use one name: the id makes the difference."""
    return child_name(slug(name), agent_id.removeprefix(_PREFIX)[:_SUFFIX_LETTERS])


def trial_name(name: str, suffix: str) -> str:
    """Of the resource of one test run."""
    return child_name(slug(name), f"test-{suffix}")


def new_suffix() -> str:
    """Of a run's name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
