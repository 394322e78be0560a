"""Resolved secrets are what a vault gave for a run; decisions about runs may hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from heliostat_google.problems import SecretProblem


@dataclass(frozen=True)
class ResolvedSecrets:
    """Holds values by variable, or why the first of them can't be had."""

    values: Mapping[str, SecretStr] = field(default_factory=dict)
    problem: SecretProblem | None = None


NOTHING = ResolvedSecrets()
