"""What the api's token opens under /admin: what its people need, and nothing else. Pure."""

import re
from enum import StrEnum
from typing import Final

from heliostat_core.keys import is_of_people


class Admin(StrEnum):
    """Who asks under /admin."""

    FULL = "full"  # the operator, an admin's key, the owner
    API = "api"


# Whole paths. Everything that is added later is closed until it is named here.
_OF_THE_API: Final = tuple(
    (methods.split(), re.compile(f"/admin/{path}"))
    for methods, path in (
        ("GET PUT DELETE", "budgets/(?P<budget>[^/]+)"),
        ("GET POST", "people/[^/]+/keys"),
        ("DELETE", "people/[^/]+/keys/[^/]+"),
        ("POST", "keys/check"),
        ("DELETE", "users/[^/]+"),
        ("GET", "(usage|forecast|models|catalog)"),
    )
)


def may(admin: Admin, method: str, path: str) -> bool:
    """Whether whoever asks may ask that."""
    if admin is Admin.FULL:
        return True
    for methods, pattern in _OF_THE_API:
        found = pattern.fullmatch(path) if method in methods else None
        if found is not None:
            budget = found.groupdict().get("budget")
            return budget is None or is_of_people(budget)
    return False
