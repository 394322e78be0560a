"""Labels of secrets in Secret Manager: who may have them. Pure."""

import re
from collections.abc import Mapping
from typing import Final

NAMESPACES_LABEL: Final = "heliostat-namespaces"
"""Namespaces whose agents may have the secret. Values of labels hold lowercase letters, digits, `-`
and `_`; a namespace's name never has `_`, so that is what stands between two of them."""

USE_LABEL: Final = "heliostat-use"
GATEWAY_USE: Final = "gateway"
AGENTS_USE: Final = "agents"

_NAMESPACES = re.compile(rf"{NAMESPACES_LABEL}(-[0-9]+)?")


def is_for_agents(labels: Mapping[str, str]) -> bool:
    """Whether it may go to agents at all: any other use than theirs keeps it from them."""
    return labels.get(USE_LABEL, AGENTS_USE) == AGENTS_USE


def is_for_gateway(labels: Mapping[str, str]) -> bool:
    """Whether it is marked as the gateway's, which keeps it from every agent."""
    return labels.get(USE_LABEL) == GATEWAY_USE


def namespaces_of(labels: Mapping[str, str]) -> frozenset[str]:
    """Those that the label names; `heliostat-namespaces-2` and so on go on where 63 characters
    end."""
    return frozenset(
        name
        for key, value in labels.items()
        if _NAMESPACES.fullmatch(key)
        for name in value.split("_")
        if name
    )
