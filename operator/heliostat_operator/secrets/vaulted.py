"""What a vault gave for a run: pure, so that what is decided of runs may hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from heliostat_google.problems import SecretProblem


@dataclass(frozen=True)
class Vaulted:
    """Values by variable, or why the first of them can't be had."""

    values: Mapping[str, SecretStr] = field(default_factory=dict)
    problem: SecretProblem | None = None


NOTHING = Vaulted()
