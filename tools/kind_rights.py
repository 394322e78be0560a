"""Rights on registered kinds inside of the roles in manifests/, generated from the registry."""

import textwrap
from collections.abc import Sequence
from typing import Final

from heliostat_core.kinds import REGISTRY, RegisteredKind, Right, Role
from heliostat_core.worlds import Kind
from tools.machine import ROOT

_BEGIN: Final = "  # generated:%s, DO NOT EDIT: make generate\n"
_END: Final = "  # generated:end\n"
_CORE: Final = '""'
_WIDTH: Final = 100
OPERATOR_FILE: Final = "operator/rbac.yaml"
API_FILE: Final = "api/rbac.yaml"
_ROLES: Final = {OPERATOR_FILE: (Role.OPERATOR,), API_FILE: (Role.API, Role.API_AGENTS)}


def build_operator_roles() -> str:
    """manifests/operator/rbac.yaml."""
    return render(OPERATOR_FILE)


def build_api_roles() -> str:
    """manifests/api/rbac.yaml."""
    return render(API_FILE)


def render(path: str, registry: Sequence[RegisteredKind] = REGISTRY) -> str:
    """A file of the manifests with the rules of registered kinds in their places."""
    text = (ROOT / "manifests" / path).read_text()
    for role in _ROLES[path]:
        text = _with_rules(text, role, registry)
    return text


def _with_rules(text: str, role: Role, registry: Sequence[RegisteredKind]) -> str:
    """Raises ValueError when the file has no place for them."""
    begin = _BEGIN % role.name.lower().replace("_", "-")
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"the file must have a part from {begin!r} to {_END!r}")
    rules = (
        _rule(each.kind, right) for each in registry for right in each.rights if right.role is role
    )
    return f"{before}{begin}{''.join(rules)}{_END}{after}"


def _rule(kind: Kind, right: Right) -> str:
    resource = f"{kind.plural}/{right.subresource}" if right.subresource else kind.plural
    why = textwrap.wrap(right.why, _WIDTH - 4)
    lines = [
        *(f"  # {line}" for line in why),
        f"  - apiGroups: [{kind.group or _CORE}]",
        f"    resources: [{resource}]",
        f"    verbs: [{', '.join(right.verbs)}]",
    ]
    return "\n".join(lines) + "\n"
