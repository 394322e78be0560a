"""Settings from the environment; a mistake stops the start with its name and what it must be."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from heliostat_core.environment import (
    KeepSeconds,
    RefreshSeconds,
    unknown_settings,
)
from heliostat_core.secret_refs import LATEST, ManagedSecret

PREFIX: Final = "HELIOSTAT_GATEWAY_"
# The field of each provider's key, and the variable that it is read from.
KEY_FIELDS: Final = {
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "openai_api_key": "OPENAI_API_KEY",
    "gemini_api_key": "GEMINI_API_KEY",
    "openrouter_api_key": "OPENROUTER_API_KEY",
    "zai_api_key": "ZAI_API_KEY",
    "compatible_api_key": "COMPATIBLE_API_KEY",
}
NO_PROVIDER: Final = (
    "No usable model provider: set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, "
    "OPENROUTER_API_KEY or ZAI_API_KEY for real models (as a variable, as a file in "
    "HELIOSTAT_GATEWAY_PROVIDER_KEYS_DIR, or by a secret in HELIOSTAT_GATEWAY_SECRET_MANAGER), "
    "HELIOSTAT_GATEWAY_COMPATIBLE_BASE_URL for a server of your own, or "
    "HELIOSTAT_GATEWAY_DEFAULT_PROVIDER=scripted for trials"
)
_PLAIN_NAMES: Final = {
    **KEY_FIELDS,
    "llm_required": "LLM_REQUIRED",
    "redis_url": "REDIS_URL",
    "otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
}
_KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY(_[1-9][0-9]*)?")


class SettingsError(Exception):
    """The environment has a mistake; the text names the variable and what it must be."""


def _without_slash(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise ValueError("must be an http or https address")
    return url.rstrip("/")


def _one_word(key: SecretStr) -> SecretStr:
    text = key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]*", text):
        raise ValueError("must be one word of plain characters")
    return SecretStr(text)


def _checked_key(name: str, text: str) -> SecretStr:
    """A key by its variable; empty for a malformed one that may be another program's."""
    try:
        return _one_word(SecretStr(text))
    except ValueError as error:
        if name.startswith(tuple(KEY_FIELDS.values())):
            raise SettingsError(f"{name}: {error}") from error
        return SecretStr("")


class ManagedKey(BaseModel):
    """A variable, and the secret that it is read from."""

    model_config = ConfigDict(frozen=True)

    variable: Annotated[str, Field(pattern=rf"^{_KEY_VARIABLE.pattern}$")]
    secret: ManagedSecret


def _read_managed(given: object) -> object:
    """`VARIABLE=NAME, VARIABLE=NAME`: easier to write in an environment than JSON."""
    if not isinstance(given, str):
        return given
    pairs = [each.partition("=") for each in given.replace(",", " ").split()]
    names = [(variable, *name.partition("/versions/")) for variable, _, name in pairs]
    return [
        {"variable": variable, "secret": {"secret": secret, "version": version or LATEST}}
        for variable, secret, _, version in names
    ]


def _read_words(given: object) -> object:
    return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given


BaseUrl = Annotated[str, AfterValidator(_without_slash)]
Key = Annotated[SecretStr, AfterValidator(_one_word)]


class Settings(BaseSettings):
    """What can be set. Variables are HELIOSTAT_GATEWAY_<NAME>, or the alias where one is given."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True
    )

    host: Annotated[
        str,
        Field(
            description="Address to listen on; the image sets `0.0.0.0`, since a pod is reached "
            "from outside."
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of every endpoint.")] = 8081
    keys_dir: Annotated[
        Path, Field(description="Folder with the operator's public keys, `*.pem`; may come later.")
    ] = Path("/etc/heliostat/keys")
    api_keys_dir: Annotated[
        Path | None,
        Field(description="Folder with the api's public keys, `*.pem`; may come later."),
    ] = None
    data_dir: Annotated[Path, Field(description="Folder of the ledger and of revoked keys.")] = (
        Path("/var/lib/heliostat-gateway")
    )
    scenarios_dir: Annotated[
        Path | None, Field(description="Folder with scenarios beside those that are packaged.")
    ] = None
    routes_file: Annotated[
        Path | None,
        Field(
            description="Routes, aliases, personas and prices (routes.md); read again by itself."
        ),
    ] = None
    provider_keys_dir: Annotated[
        Path | None,
        Field(
            description="Folder with providers' keys in files that are named as the variables "
            "below; read again by itself, and stronger than variables."
        ),
    ] = None
    secret_manager: Annotated[
        tuple[ManagedKey, ...],
        NoDecode,
        BeforeValidator(_read_managed),
        Field(
            description="Providers' keys in Google's Secret Manager, separated by commas: "
            "`ANTHROPIC_API_KEY=projects/P/secrets/S`, with `/versions/N` for one version for ever "
            "(secret-manager.md); stronger than files and variables."
        ),
    ] = ()
    secret_manager_endpoint: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][-a-z0-9.]*(:[0-9]{1,5})?$",
            description="Where Google's Secret Manager is.",
        ),
    ] = "secretmanager.googleapis.com"
    secret_refresh_seconds: RefreshSeconds = 60
    secret_keep_seconds: KeepSeconds = 3600
    default_provider: Annotated[
        Literal["anthropic", "scripted", "auto"],
        Field(
            description="Who answers real model names: their own providers (`anthropic`), or a "
            "scenario (`scripted`); `auto` is a scenario until there is a key, a local server or a "
            "routes file. `scripted/NAME` works with each."
        ),
    ] = "anthropic"
    scripted_default: Annotated[
        str, Field(description="Scenario for real names when `scripted` answers them.")
    ] = "default"
    anthropic_base_url: Annotated[BaseUrl, Field(description="Where Anthropic's API is.")] = (
        "https://api.anthropic.com"
    )
    openai_base_url: Annotated[BaseUrl, Field(description="Where OpenAI's API is.")] = (
        "https://api.openai.com/v1"
    )
    gemini_base_url: Annotated[BaseUrl, Field(description="Where Gemini's API is.")] = (
        "https://generativelanguage.googleapis.com"
    )
    openrouter_base_url: Annotated[BaseUrl, Field(description="Where OpenRouter's API is.")] = (
        "https://openrouter.ai/api/v1"
    )
    zai_base_url: Annotated[BaseUrl, Field(description="Z.AI's Anthropic endpoint.")] = (
        "https://api.z.ai/api/anthropic"
    )
    compatible_base_url: Annotated[
        str,
        AfterValidator(lambda url: url and _without_slash(url)),
        Field(
            description="An OpenAI-compatible server (LM Studio, Ollama, vLLM), with its `/v1`; "
            "its models are `compatible/NAME`."
        ),
    ] = ""
    anthropic_api_key: Annotated[
        Key,
        Field(
            validation_alias="ANTHROPIC_API_KEY",
            description="Anthropic's key. More keys of any provider: `..._API_KEY_2`, `_3`.",
        ),
    ] = SecretStr("")
    openai_api_key: Annotated[
        Key, Field(validation_alias="OPENAI_API_KEY", description="OpenAI's key.")
    ] = SecretStr("")
    gemini_api_key: Annotated[
        Key, Field(validation_alias="GEMINI_API_KEY", description="Gemini's key.")
    ] = SecretStr("")
    openrouter_api_key: Annotated[
        Key, Field(validation_alias="OPENROUTER_API_KEY", description="OpenRouter's key.")
    ] = SecretStr("")
    zai_api_key: Annotated[
        Key, Field(validation_alias="ZAI_API_KEY", description="Z.AI's key.")
    ] = SecretStr("")
    compatible_api_key: Annotated[
        Key,
        Field(
            validation_alias="COMPATIBLE_API_KEY",
            description="Key of the OpenAI-compatible server, if it wants one.",
        ),
    ] = SecretStr("")
    admin_key_file: Annotated[
        Path | None,
        Field(
            description="File with a key of the owner's choice (32 characters or more) that opens "
            "/admin: for the very first key."
        ),
    ] = None
    drain_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=600,
            description="How long a gateway that is told to stop lets open answers go on.",
        ),
    ] = 0
    breaker_minimum: Annotated[
        int,
        Field(
            ge=1,
            description="Results within 30 s from which a provider that fails half of the time "
            "is given a rest.",
        ),
    ] = 5
    cors_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_read_words),
        Field(
            description="Origins whose pages may call the gateway from a browser, with commas; `*` "
            "is every one. A page shows its key to whoever opens it."
        ),
    ] = ()
    overload_wait_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="How long a request waits at most while every provider of its model rests, "
            "before it is told when to come back.",
        ),
    ] = 5
    ping_seconds: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            description="Silence of a stream after which the caller gets a ping; the first one "
            "commits the answer to a 200.",
        ),
    ] = 10.0
    redis_url: Annotated[
        SecretStr,
        Field(
            validation_alias="REDIS_URL",
            description="State that replicas share, `redis://...`; without it, one process alone.",
        ),
    ] = SecretStr("")
    otlp_endpoint: Annotated[
        str,
        AfterValidator(lambda url: url and _without_slash(url)),
        Field(
            validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
            description="Receiver of spans (OTLP over HTTP, without `/v1/traces`); none without "
            "it. Other `OTEL_` variables hold as OpenTelemetry says.",
        ),
    ] = ""
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

    def provider_keys(self) -> dict[str, SecretStr]:
        """Keys by variable: those of the fields, then every other `..._API_KEY` and `..._API_KEY_N`
        of the environment, for more keys and for servers of the routes file. Raises SettingsError.
        """
        keys = {
            "ANTHROPIC_API_KEY": self.anthropic_api_key,
            "OPENAI_API_KEY": self.openai_api_key,
            "GEMINI_API_KEY": self.gemini_api_key,
            "OPENROUTER_API_KEY": self.openrouter_api_key,
            "ZAI_API_KEY": self.zai_api_key,
            "COMPATIBLE_API_KEY": self.compatible_api_key,
        }
        for name, text in os.environ.items():
            if name not in keys and _KEY_VARIABLE.fullmatch(name):
                keys[name] = _checked_key(name, text)
        return {name: key for name, key in keys.items() if key.get_secret_value()}

    def managed_secrets(self) -> dict[str, ManagedSecret]:
        """Secrets of Secret Manager by the variable that they stand for."""
        return {each.variable: each.secret for each in self.secret_manager}

    def base_urls(self) -> dict[str, str]:
        """Addresses by provider; without those that have none."""
        urls = {
            "anthropic": self.anthropic_base_url,
            "openai": self.openai_base_url,
            "gemini": self.gemini_base_url,
            "openrouter": self.openrouter_base_url,
            "zai": self.zai_base_url,
            "compatible": self.compatible_base_url,
        }
        return {name: url for name, url in urls.items() if url}


def read_settings() -> Settings:
    """The settings of the process's environment. Raises SettingsError."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} - {
        f"{PREFIX}{name.upper()}" for name in _PLAIN_NAMES
    }
    if unknown := unknown_settings(os.environ, PREFIX, known):
        raise SettingsError(
            f"{unknown[0]} is no setting of the gateway. Known: {', '.join(sorted(known))}."
        )
    try:
        given = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_mistake(item) for item in error.errors())) from error
    return with_somebody_to_answer(given) if given.default_provider == "auto" else given


def with_somebody_to_answer(given: Settings) -> Settings:
    """Real models where there is a way to one, else the scripted provider."""
    ways = (
        given.provider_keys().keys() & set(KEY_FIELDS.values()),
        given.provider_keys_dir,
        given.secret_manager,
        given.compatible_base_url,
        given.routes_file,
    )
    return given.model_copy(update={"default_provider": "anthropic" if any(ways) else "scripted"})


def _mistake(item: ErrorDetails) -> str:
    message = item["msg"].removeprefix("Value error, ")
    if item["type"].startswith("bool_"):
        message = "must be true or false"
    if not item["loc"]:
        return message
    name = str(item["loc"][0])
    return f"{name if name in _PLAIN_NAMES.values() else PREFIX + name.upper()}: {message}"
