"""The format of routes.yaml (docs/routes.md), validated when the file is read."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

PERSONA_PREFIX: Final = "persona/"
SCRIPTED_PREFIX: Final = "scripted/"
LONGEST_SECONDS: Final = 3600
LONGEST_NAME: Final = 250  # of a model, with a provider before it
# What a persona gives by other means, or what is the caller's own.
NO_DEFAULTS: Final = frozenset({"messages", "model", "stream", "stream_options", "system"})


def _as_text(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'must be in quotes, so that it stays exact: "{value}"')
    return str(value) if type(value) is int else value


def _checked_price(text: str) -> str:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ValueError('must be a decimal text such as "3.75"') from error
    if not price.is_finite() or not 0 <= price <= 1_000_000:
        raise ValueError("must be from 0 to 1000000")
    return text


def _checked_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError("must be an http or https address without user, query and fragment")
    return url.rstrip("/")


def _checked_model_name(name: str) -> str:
    if name.startswith((PERSONA_PREFIX, SCRIPTED_PREFIX)):
        raise ValueError("must not begin with persona/ or scripted/: these name something else")
    return name


Price = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_checked_price),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "integer"}]}
    ),
]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
ModelName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$"),
    AfterValidator(_checked_model_name),
]
AnyName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
ShortName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Pattern = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Patterns = Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True
    )


class ServerSpec(_Strict):
    """A server of your own that speaks OpenAI's chat completions: LM Studio, Ollama, vLLM."""

    base_url: Annotated[str, AfterValidator(_checked_url)]
    """Its address up to where OpenAI's `/v1` ends, such as http://localhost:1234/v1."""
    key_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*_API_KEY$")] | None = None
    """Variable or key file with its key; none where it needs none."""


class PriceSpec(_Strict):
    """US dollars per million tokens, as texts. What is left out costs as input."""

    input: Price
    """Input that is not cached."""
    output: Price
    """Output, thinking included."""
    cache_read: Price | None = None
    """Input that was read from the provider's cache."""
    cache_write5m: Price | None = Field(None, alias="cacheWrite5m")
    """Input that was written to the cache for five minutes."""
    cache_write1h: Price | None = Field(None, alias="cacheWrite1h")
    """Input that was written for an hour; left out: as for five minutes."""
    web_search: Price | None = None
    """A thousand web searches."""


class TimeoutSpec(_Strict):
    """Deadlines of one attempt; what is left out is that of the file, else the default."""

    first_token_seconds: Seconds | None = None
    """Until the first content of a stream. Default: 120, 600 where the model reasons, none for the
    last candidate."""
    idle_seconds: Seconds | None = None
    """Between two pieces of a stream. Default: 120, 600 where the model reasons or nobody else can
    be asked."""
    total_seconds: Seconds | None = None
    """Until the end of the answer. Default: 1800."""


class CacheSpec(_Strict):
    """Opt-in to answers that are kept: same caller, same bytes, same answer."""

    exact: Literal[True]
    """Only an equal request gets a kept answer."""
    ttl_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    """How long an answer is kept."""


class HopSpec(_Strict):
    """One entry of a chain."""

    provider: Annotated[str, Field(min_length=1)]
    """A provider of the gateway, or one of `providers`."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    """The model, in the provider's own words."""


class ModelSpec(_Strict):
    """A model name of your own, or a real one that shall go another way."""

    chain: Annotated[tuple[HopSpec, ...], Field(min_length=1, max_length=16)]
    """Who is asked, in this order: the next one when one fails."""
    timeouts: TimeoutSpec | None = None
    """Deadlines of this route."""
    cache: CacheSpec | None = None
    """Kept answers; none by default."""
    prompt_cache: Literal["auto"] | None = None
    """`auto`: Anthropic caches the prompt where the request marks nothing itself; a write costs
    more than plain input, a read a tenth or less."""
    personal: bool = False
    """Requests hold personal data: nothing of them is kept."""


class PersonaSpec(_Strict):
    """A system prompt with a route, asked for as `persona/NAME` or chosen by a rule."""

    system: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    """The system prompt."""
    system_file: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """A file with the system prompt, from the folder of this file."""
    model: AnyName
    """The model or alias that answers."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Fields that a request gets where it does not say them, such as max_tokens, temperature."""

    @model_validator(mode="after")
    def _has_one_prompt(self) -> Self:
        if (self.system is None) == (self.system_file is None):
            raise ValueError("must have either system or systemFile")
        return self


class RuleSpec(_Strict):
    """Requests that get a persona; every given list must match. The first rule that fits counts."""

    agents: Patterns | None = None
    """Patterns of `namespace/name`, such as news/*."""
    users: Patterns | None = None
    """Patterns of users."""
    models: Patterns | None = None
    """Patterns of the model name that was asked for."""
    persona: AnyName
    """Name of the persona."""


class RoutesDocument(_Strict):
    """Routes of the Heliostat gateway."""

    providers: dict[ShortName, ServerSpec] = Field(default_factory=dict)
    """Servers of your own by name."""
    prices: dict[AnyName, PriceSpec] = Field(default_factory=dict)
    """Prices by `PROVIDER/MODEL`; they win over the known ones."""
    default_price: PriceSpec | None = None
    """Price of a model that has no other; without it such a model is refused."""
    timeouts: TimeoutSpec | None = None
    """Deadlines of every route."""
    models: dict[ModelName, ModelSpec] = Field(default_factory=dict)
    """Routes by model name. Other names go to the provider that they are from."""
    aliases: dict[ModelName, AnyName] = Field(default_factory=dict)
    """Other names of models: new name, then the name that is meant."""
    personas: dict[ShortName, PersonaSpec] = Field(default_factory=dict)
    """Personas by name."""
    rules: tuple[RuleSpec, ...] = ()
    """Who gets which persona without asking for it."""
