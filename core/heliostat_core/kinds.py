"""The registry of kinds: what the programs must know of each, in one table.

What the operator watches in both worlds, which controllers it has, what the api records and which
rights the roles of the manifests hold follow from it: a new kind is one folder and one row here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from heliostat_core.names import (
    CANARY_LABEL,
    FINISHED_LABEL,
    GROUP,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NETWORK_LABEL,
    NETWORK_OF_RUNS,
)
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    EVERYTHING,
    EXECUTION,
    JOB,
    LEASE,
    NETWORK_POLICY,
    POD,
    JsonObject,
    Kind,
    Selection,
)

UNFINISHED = f"{FINISHED_LABEL}!=true"
"""Selects what is watched: finished Executions, their Jobs and pods are left out."""


class Role(StrEnum):
    """Who holds a right. The manifests have one role for each but RELEASE, which the operator makes
    itself for an uninstall."""

    OPERATOR = "operator"
    RELEASE = "release"
    API = "api"
    API_AGENTS = "api, where the agents of its dashboard live"


@dataclass(frozen=True)
class Right:
    """Verbs that a role may use on a kind, or on a subresource of it; and why it needs them."""

    role: Role
    verbs: tuple[str, ...]
    subresource: str = ""
    why: str = ""


READ = ("get", "list", "watch")
OWN_RIGHTS = (
    Right(Role.OPERATOR, (*READ, "patch")),
    Right(Role.OPERATOR, ("patch",), "status"),
    Right(Role.API, READ),
    Right(Role.API_AGENTS, ("create", "patch", "delete")),
)
"""What programs need at least of a kind of ours that people make in the dashboard."""


@dataclass(frozen=True)
class RegisteredKind:
    """A kind as the programs know it.

    `watched` selects what the operator watches of it, in the cluster and, unless it is absent
    there, in the embedded world. `rooms` are the folders of the operator that have controllers for
    it. The api keeps documents of what is recorded. Programs work without the definition of what
    is optional: in an upgrade they may come first.
    """

    kind: Kind
    rights: tuple[Right, ...]
    watched: Selection = EVERYTHING
    rooms: tuple[str, ...] = ()
    is_embedded: bool = True
    is_recorded: bool = False
    is_optional: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether the group is our own: such kinds are listed again at each resync."""
        return self.kind.group == GROUP


_UNFINISHED_CHILDREN = Selection(labels={MANAGED_BY_LABEL: MANAGED_BY}, label_terms=(UNFINISHED,))

REGISTRY: tuple[RegisteredKind, ...] = (
    RegisteredKind(
        AGENT,
        rooms=("agents", "schedules"),
        is_recorded=True,
        rights=(
            Right(
                Role.OPERATOR,
                (*READ, "patch"),
                why="The spec belongs to its author; `patch` is for the finalizer of those with a "
                "job of Cloud Scheduler.",
            ),
            *OWN_RIGHTS[1:],
            Right(Role.RELEASE, ("list", "patch")),
        ),
    ),
    RegisteredKind(
        EXECUTION,
        rooms=("runs",),
        watched=Selection(label_terms=(UNFINISHED,)),
        is_recorded=True,
        rights=(
            Right(
                Role.OPERATOR,
                (*READ, "create", "patch", "delete"),
                why="The spec belongs to its author; `create` is for runs of schedules, whose "
                "author the operator is. `patch` is for the finalizer, `delete` for the history.",
            ),
            *OWN_RIGHTS[1:],
            Right(Role.API, ("patch",), why="The recorded mark is an annotation."),
            Right(Role.RELEASE, (*READ, "patch")),
        ),
    ),
    RegisteredKind(
        APPROVAL,
        rooms=("approvals",),
        is_optional=True,
        is_recorded=True,
        rights=(
            Right(
                Role.OPERATOR,
                (*READ, "create", "patch"),
                why="`create` is for what a run asks; it is tried with a forged decision, too, to "
                "see that the admission policy is in force. `patch` is for the finalizer of what "
                "was granted.",
            ),
            Right(Role.OPERATOR, ("patch",), "status"),
            Right(Role.RELEASE, ("list", "patch")),
            Right(Role.API, READ),
            Right(
                Role.API,
                ("patch",),
                why="Who decides in the dashboard does so under a name of the api's.",
            ),
        ),
    ),
    RegisteredKind(
        JOB,
        watched=_UNFINISHED_CHILDREN,
        rights=(
            Right(
                Role.OPERATOR,
                (*READ, "create", "patch", "delete"),
                why="One Job per attempt; `patch` is for the mark that takes a finished one out of "
                "the watch.",
            ),
        ),
    ),
    RegisteredKind(
        POD,
        watched=_UNFINISHED_CHILDREN,
        rights=(
            Right(
                Role.OPERATOR,
                (*READ, "patch", "delete"),
                why="Pods are made by the Job controller; a stop deletes them directly, with a "
                "short grace; `patch` is for the mark that takes a finished one out of the watch.",
            ),
            Right(Role.RELEASE, (*READ, "delete")),
            Right(
                Role.API,
                ("get",),
                why="Whose pod presents a token of its own when it delivers, and of which attempt "
                "that pod is.",
            ),
            Right(
                Role.API,
                ("get",),
                "log",
                why="The last resort for a transcript that its runner could not deliver.",
            ),
        ),
    ),
    RegisteredKind(
        LEASE,
        watched=Selection(labels={CANARY_LABEL: "true"}),
        is_embedded=False,  # one process hosts a state folder, by a lock
        rights=(
            Right(
                Role.OPERATOR,
                ("list", "watch"),
                why="The watch brings the operator's own Lease back: it watches over all "
                "namespaces, by a label.",
            ),
        ),
    ),
    RegisteredKind(
        NETWORK_POLICY,
        rooms=("network",),
        watched=Selection(labels={NETWORK_LABEL: NETWORK_OF_RUNS}),
        is_embedded=False,  # child processes have no network of their own
        rights=(
            Right(
                Role.OPERATOR,
                ("list", "watch", "create", "patch", "delete"),
                why="What closes the network of runs, in every namespace where an Agent lives.",
            ),
        ),
    ),
)


def watches(
    registry: Sequence[RegisteredKind] = REGISTRY, *, embedded: bool = False
) -> Mapping[Kind, Selection]:
    """What is watched of each kind, in the cluster or in the embedded world."""
    return {each.kind: each.watched for each in registry if each.is_embedded or not embedded}


def recorded_kinds(registry: Sequence[RegisteredKind] = REGISTRY) -> tuple[Kind, ...]:
    """Kinds that the api keeps documents of, in the order in which it reads them."""
    return tuple(each.kind for each in registry if each.is_recorded)


def required(registry: Sequence[RegisteredKind] = REGISTRY) -> tuple[RegisteredKind, ...]:
    """The kinds without which no program works."""
    return tuple(each for each in registry if not each.is_optional)


def optional_kinds(registry: Sequence[RegisteredKind] = REGISTRY) -> frozenset[Kind]:
    """Kinds whose definition may be missing."""
    return frozenset(each.kind for each in registry if each.is_optional)


def rules_of(role: Role, registry: Sequence[RegisteredKind] = REGISTRY) -> list[JsonObject]:
    """The RBAC rules of a role on registered kinds; other objects have rules of their own."""
    return [
        build_rule(each.kind, right)
        for each in registry
        for right in each.rights
        if right.role is role
    ]


def build_rule(kind: Kind, right: Right) -> JsonObject:
    """One RBAC rule."""
    resource = f"{kind.plural}/{right.subresource}" if right.subresource else kind.plural
    return {"apiGroups": [kind.group], "resources": [resource], "verbs": list(right.verbs)}
