"""Variables that carry a program's prefix: which are settings, and which are mistakes."""

import re
from collections.abc import Collection, Iterable

# Kubernetes injects such names into pods beside a Service that is called like the program.
_SERVICE_LINK = r"(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"


def unknown_settings(given: Iterable[str], prefix: str, known: Collection[str]) -> list[str]:
    """Names with our prefix that are no setting: a typing error must not pass in silence."""
    link = re.compile(re.escape(prefix) + _SERVICE_LINK)
    return sorted(
        name
        for name in given
        if name.startswith(prefix) and name not in known and not link.fullmatch(name)
    )
