"""Settings of the egress proxy: environment variables HELIOSTAT_EGRESS_*, checked once at start."""

import os
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from heliostat_core.environment import NetworkText, read_words, unknown_settings
from heliostat_gateway.settings import BaseUrl, SettingsError

PREFIX: Final = "HELIOSTAT_EGRESS_"


Networks = Annotated[tuple[NetworkText, ...], NoDecode, BeforeValidator(read_words)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class EgressSettings(BaseSettings):
    """What can be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    gateway_url: Annotated[
        BaseUrl, Field(description="The gateway, which knows whose key is good and what it opens.")
    ] = "http://heliostat-gateway.heliostat-system:8081"
    host: Annotated[str, Field(description="Address to listen on.")] = "0.0.0.0"
    port: Annotated[
        int,
        Field(ge=0, le=65535, description="Port of the proxy, of /healthz, /readyz and /metrics."),
    ] = 3128
    allowed_networks: Annotated[
        Networks,
        Field(
            description="CIDRs of private or cluster addresses that a named host may have all the "
            "same, separated by commas. Empty: only addresses of the internet."
        ),
    ] = ()
    refused_networks: Annotated[
        Networks,
        Field(
            description="CIDRs that no host may have, even if they are allowed: a cluster's own "
            "public addresses. A run's key adds those of the Kubernetes API."
        ),
    ] = ()
    key_seconds: Annotated[
        Seconds, Field(description="A key that the gateway found good is asked for again then.")
    ] = 10
    connect_seconds: Annotated[
        Seconds, Field(description="How long looking up and connecting may take.")
    ] = 15
    idle_seconds: Annotated[
        Seconds, Field(description="A tunnel in which nothing moves is closed after so long.")
    ] = 600
    longest_seconds: Annotated[Seconds, Field(description="No tunnel lives longer.")] = 86400
    most_tunnels: Annotated[int, Field(ge=1, le=100_000, description="Tunnels at once.")] = 2000
    most_tunnels_each: Annotated[
        int, Field(ge=1, le=100_000, description="Tunnels at once of one Execution.")
    ] = 100
    drain_seconds: Annotated[
        float,
        Field(ge=0, le=3600, description="At a stop, open tunnels may go on for so long."),
    ] = 30


def read_egress_settings() -> EgressSettings:
    """The settings of the process's environment. Raises SettingsError."""
    known = {f"{PREFIX}{name.upper()}" for name in EgressSettings.model_fields}
    if unknown := unknown_settings(os.environ, PREFIX, known):
        raise SettingsError(
            f"{unknown[0]} is no setting of the egress proxy. Known: {', '.join(sorted(known))}."
        )
    try:
        return EgressSettings()
    except ValidationError as error:
        mistakes = (
            f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise SettingsError("; ".join(mistakes)) from error
