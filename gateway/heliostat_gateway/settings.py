"""Settings from the environment; a mistake stops the start with its name and what it must be."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "HELIOSTAT_GATEWAY_"
# Kubernetes injects such names into pods beside a Service called heliostat-gateway.
_SERVICE_LINK = re.compile(PREFIX + r"(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
NO_PROVIDER: Final = (
    "No usable model provider: set ANTHROPIC_API_KEY for real models, or "
    "HELIOSTAT_GATEWAY_DEFAULT_PROVIDER=scripted for trials"
)


_PLAIN_NAMES: Final = {"anthropic_api_key": "ANTHROPIC_API_KEY", "llm_required": "LLM_REQUIRED"}


class SettingsError(Exception):
    """The environment has a mistake; the text names the variable and what it must be."""


def _without_slash(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise ValueError("must be an http or https address")
    return url.rstrip("/")


class Settings(BaseSettings):
    """What can be set. Variables are HELIOSTAT_GATEWAY_<NAME>, or the alias where one is given."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True
    )

    # A service in a pod: reached from outside of it.
    host: Annotated[str, Field(description="Address to listen on.")] = "0.0.0.0"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of every endpoint.")] = 8081
    keys_dir: Annotated[
        Path, Field(description="Folder with the operator's public keys, `*.pem`; may come later.")
    ] = Path("/etc/heliostat/keys")
    data_dir: Annotated[Path, Field(description="Folder of the ledger and of revoked keys.")] = (
        Path("/var/lib/heliostat-gateway")
    )
    scenarios_dir: Annotated[
        Path | None, Field(description="Folder with scenarios beside those that are packaged.")
    ] = None
    default_provider: Annotated[
        Literal["anthropic", "scripted"],
        Field(description="Who answers real model names. `scripted/NAME` works with either."),
    ] = "anthropic"
    scripted_default: Annotated[
        str, Field(description="Scenario for real names when `scripted` answers them.")
    ] = "default"
    anthropic_base_url: Annotated[
        str, AfterValidator(_without_slash), Field(description="Where Anthropic's API is.")
    ] = "https://api.anthropic.com"
    anthropic_api_key: Annotated[
        SecretStr,
        Field(validation_alias="ANTHROPIC_API_KEY", description="The provider's key."),
    ] = SecretStr("")
    anomaly_action: Annotated[
        Literal["flag", "slow_down", "pause"],
        Field(description="What happens to an agent whose run costs far more than is ordinary."),
    ] = "flag"
    anomaly_floor_micros: Annotated[
        int, Field(ge=0, le=10**12, description="Runs below this cost are never flagged.")
    ] = 10_000
    anomaly_slow_seconds: Annotated[
        float,
        Field(gt=0, le=60, description="How long each call of a slowed-down agent waits."),
    ] = 5
    anomaly_sweep_seconds: Annotated[
        float, Field(ge=1, le=3600, description="How often runs that go on are looked at.")
    ] = 60
    llm_required: Annotated[
        bool,
        Field(
            validation_alias="LLM_REQUIRED",
            description="Do not start without a provider that can answer.",
        ),
    ] = False

    @field_validator("port", mode="before")
    @classmethod
    def _ignore_service_link(cls, value: object) -> object:
        """Kubernetes sets HELIOSTAT_GATEWAY_PORT=tcp://... beside a Service of that name."""
        return 8081 if isinstance(value, str) and value.startswith("tcp://") else value

    @model_validator(mode="after")
    def _has_what_it_requires(self) -> Self:
        if self.llm_required and not self.has_provider:
            raise ValueError(f"LLM_REQUIRED is true, but: {NO_PROVIDER}.")
        return self

    @property
    def has_provider(self) -> bool:
        """Whether a request for a model by its plain name can be answered."""
        return self.default_provider == "scripted" or bool(
            self.anthropic_api_key.get_secret_value()
        )


def read_settings() -> Settings:
    """The settings of the process's environment. Raises SettingsError."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} - {
        f"{PREFIX}{name.upper()}" for name in _PLAIN_NAMES
    }
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and name not in known and not _SERVICE_LINK.fullmatch(name)
    )
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is no setting of the gateway. Known: {', '.join(sorted(known))}."
        )
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_mistake(item) for item in error.errors())) from error


def _mistake(item: ErrorDetails) -> str:
    message = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return message
    name = str(item["loc"][0])
    return f"{name if name in _PLAIN_NAMES.values() else PREFIX + name.upper()}: {message}"
