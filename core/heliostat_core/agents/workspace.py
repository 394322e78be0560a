"""Where and with what an Agent works."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from heliostat_core.egress import Egress
from heliostat_core.resources import (
    ByteQuantity,
    CpuQuantity,
    EnvName,
    Part,
    keyed_by,
    rules,
)
from heliostat_core.secret_refs import SecretRef, not_reserved


class EnvVar(Part):
    """A variable with a plain value."""

    model_config = ConfigDict(json_schema_extra=rules(not_reserved("name")))

    name: Annotated[
        EnvName, Field(description="Name of the variable, for example REPORT_LANGUAGE.")
    ]
    value: Annotated[
        str, StringConstraints(max_length=4096), Field(description="Its value, as it stands.")
    ] = ""


class Resources(Part):
    """What the run may use of the machine."""

    cpu: Annotated[
        CpuQuantity,
        Field(
            description="Processor time that is reserved, in cores: 500m is half a core, 2 two "
            "cores. A run may use more when the machine is idle."
        ),
    ] = "500m"
    memory: Annotated[
        ByteQuantity,
        Field(
            description="Memory that is reserved and at the same time the limit of all processes "
            "together, for example 512Mi or 2Gi. A run that needs more ends as OutOfMemory."
        ),
    ] = "1Gi"


class Storage(Part):
    """Where the working folder lives."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "(self.type == 'Volume') == has(self.size)",
                "must set size with type Volume, and only then",
            )
        )
    )

    type: Annotated[
        Literal["Ephemeral", "Volume"],
        Field(
            description="Ephemeral: the workspace goes with the pod and a further attempt starts "
            "again. Volume: a claim owned by the Execution; a further attempt goes on in the same "
            "session."
        ),
    ] = "Ephemeral"
    size: Annotated[
        ByteQuantity | None,
        Field(description="Size of the volume, for example 1Gi; only with type Volume."),
    ] = None


class Workspace(Part):
    """Where and with what the agent works."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!self.env.exists(e, self.secretRefs.exists(s, s.envName == e.name))",
                "must name a variable in env or in secretRefs, not in both",
            )
        )
    )

    image: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$"),
        Field(
            description="Container image that holds the Heliostat runner; the operator's own "
            "workspace image when not given."
        ),
    ] = None
    resources: Annotated[Resources, Field(description="Processor time and memory of a run.")] = (
        Resources()
    )
    storage: Annotated[Storage, Field(description="Where the working folder lives.")] = Storage()
    env: Annotated[
        tuple[EnvVar, ...],
        Field(
            max_length=64,
            description="Variables for the agent and for every command that it runs.",
            json_schema_extra=keyed_by("name"),
        ),
    ] = ()
    secret_refs: Annotated[
        tuple[SecretRef, ...],
        Field(
            max_length=64,
            description="Values of Secrets in the same namespace, or of Google's Secret Manager, "
            "that become variables. A model provider's key does not belong here: only the gateway "
            "holds those.",
            json_schema_extra=keyed_by("envName"),
        ),
    ] = ()
    egress: Annotated[
        tuple[Egress, ...],
        Field(
            max_length=32,
            description="Hosts outside that runs may reach, beside the gateway and the api. "
            "Nothing else when none is given, where the network enforces it.",
            json_schema_extra=keyed_by("host"),
        ),
    ] = ()
