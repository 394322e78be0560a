"""Secrets that an Agent names: of its namespace, or of Google's Secret Manager."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.resources import EnvName, ObjectName, Part, rules

_RESERVED: Final = ("HELIOSTAT_", "ANTHROPIC_", "OPENAI_", "CLAUDE_")
LATEST: Final = "latest"


def not_reserved(field: str) -> tuple[str, str]:
    """The rule that keeps a variable's name free of our own prefixes."""
    rule = " && ".join(f"!self.{field}.startsWith('{prefix}')" for prefix in _RESERVED)
    return rule, (
        f"{field} must not begin with HELIOSTAT_, ANTHROPIC_, OPENAI_ or CLAUDE_: Heliostat sets "
        "those"
    )


SecretName: TypeAlias = Annotated[
    str,
    StringConstraints(
        min_length=20,
        max_length=336,
        pattern=r"^projects/[a-z0-9][-a-z0-9.:]*/secrets/[A-Za-z0-9_-]+$",
    ),
]
"""Of a secret of Secret Manager, without a version."""


class ManagedSecret(Part):
    """A version of a secret in Google's Secret Manager."""

    secret: Annotated[
        SecretName,
        Field(
            description="The secret, as projects/PROJECT/secrets/SECRET. Its label "
            "`heliostat-namespaces` must name this namespace."
        ),
    ]
    version: Annotated[
        str,
        StringConstraints(min_length=1, max_length=10, pattern=r"^(latest|[1-9][0-9]*)$"),
        Field(
            description="Number of a version, which never changes, or latest: a run gets the "
            "newest one at its start."
        ),
    ] = LATEST

    @property
    def id(self) -> str:
        """The last part of its name; the part before may be a project's id or its number."""
        return self.secret.rpartition("/")[2]

    @property
    def is_pinned(self) -> bool:
        return self.version != LATEST

    def __str__(self) -> str:
        return f"{self.secret}/versions/{self.version}"


class SecretRef(Part):
    """A value of a Secret, or of Google's Secret Manager, that becomes a variable."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            not_reserved("envName"),
            (
                "has(self.secretManager) ? !has(self.name) && !has(self.key) "
                ": has(self.name) && has(self.key)",
                "must set either name and key, or secretManager",
            ),
        )
    )

    name: Annotated[
        ObjectName | None, Field(description="Name of a Secret in the same namespace.")
    ] = None
    key: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$"),
        Field(description="Which key of the Secret to take."),
    ] = None
    secret_manager: Annotated[
        ManagedSecret | None,
        Field(
            description="Instead of name and key: a secret of Google's Secret Manager. The "
            "operator reads it when an attempt starts; a workspace never gets access itself."
        ),
    ] = None
    env_name: Annotated[EnvName, Field(description="Name of the variable that gets the value.")]


@dataclass(frozen=True)
class ClusterRef:
    """A key of a Secret in the Agent's namespace."""

    name: str
    key: str
    env_name: str


@dataclass(frozen=True)
class ManagedRef:
    """A secret of Secret Manager, and the variable that gets its value."""

    secret: ManagedSecret
    env_name: str


def cluster_refs(refs: Iterable[SecretRef]) -> tuple[ClusterRef, ...]:
    """Those of the Agent's namespace."""
    return tuple(
        ClusterRef(each.name, each.key, each.env_name)
        for each in refs
        if each.name is not None and each.key is not None
    )


def managed_refs(refs: Iterable[SecretRef]) -> tuple[ManagedRef, ...]:
    """Those of Secret Manager."""
    return tuple(
        ManagedRef(each.secret_manager, each.env_name)
        for each in refs
        if each.secret_manager is not None
    )
