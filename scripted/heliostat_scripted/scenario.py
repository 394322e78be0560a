"""The scenario format (docs/scenarios.md), validated once when a file is read."""

import re
from decimal import Decimal, InvalidOperation
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from heliostat_scripted.faults import FaultName

# `<<name>>` is used because it collides with neither Python's nor the shell's own braces.
PLACEHOLDER = re.compile(r"<<([a-z][A-Za-z0-9_]*)>>")
# Eight times as fast, where PyYAML was built with it; no less safe.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
BUILT_IN = frozenset({"prompt", "said", "result", "turn", "model", "cwd", "json"})


class ScenarioError(Exception):
    """A scenario file that can't be used; the text names the file and each mistake."""


def _checked_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


def _checked_price(text: str) -> str:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ValueError('must be a decimal text such as "3.75"') from error
    if not price.is_finite() or price < 0:
        raise ValueError("must be zero or more")
    return text


Pattern = Annotated[str, AfterValidator(_checked_pattern)]
Price = Annotated[str, AfterValidator(_checked_price)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Variant = Literal["flex", "priority", "batch", "fast", "us"]


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True
    )


class Prices(_Strict):
    """US dollars per million tokens, as decimal texts; all five, so that nothing is free unseen.

    `web_searches` is per thousand searches; a scenario that searches must state it.
    """

    input: Price
    output: Price
    cache_read: Price
    cache_write5m: Price = Field(alias="cacheWrite5m")
    cache_write1h: Price = Field(alias="cacheWrite1h")
    web_searches: Price | None = None
    input_audio: Price | None = None
    output_audio: Price | None = None
    factors: dict[Variant, Price] = Field(default_factory=dict)
    """Multiply the price of every token, for answers of a tier, speed or place."""


class Compaction(_Strict):
    """A compaction in an answer, billed beside its other counts."""

    input: Count
    output: Count
    cache_read: Count = 0
    cache_write5m: Count = Field(0, alias="cacheWrite5m")
    cache_write1h: Count = Field(0, alias="cacheWrite1h")


class UsageSpec(_Strict):
    """The exact usage that an answer reports, in tokens. Total input = input + the cache fields.

    `thinking` is a part of `output` and costs the same; `web_searches` counts searches. Audio is a
    part of `input` and `output`. `variant` is the tier, speed or place; `others` are fields of the
    usage object that nobody knows.
    """

    input: Count
    output: Count
    cache_read: Count = 0
    cache_write5m: Count = Field(0, alias="cacheWrite5m")
    cache_write1h: Count = Field(0, alias="cacheWrite1h")
    thinking: Count = 0
    web_searches: Count = 0
    input_audio: Count = 0
    output_audio: Count = 0
    variant: Variant | None = None
    compactions: tuple[Compaction, ...] = ()
    others: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_are_parts(self) -> Self:
        if self.thinking > self.output:
            raise ValueError("thinking is a part of output and can't be more")
        if self.input_audio > self.input or self.output_audio > self.output:
            raise ValueError("audio is a part of input and output and can't be more")
        return self


class Limit(_Strict):
    """One rate limit as its headers tell it."""

    limit: Count
    remaining: Count
    reset_seconds: Seconds = 1


class RateLimits(_Strict):
    """What the rate limit headers of every answer say; each dialect has its own names."""

    requests: Limit | None = None
    tokens: Limit | None = None


class Pace(_Strict):
    """How text is cut into deltas."""

    characters: Annotated[int, Field(ge=1, le=100_000)] = 40
    seconds: Seconds = 0


class Variable(_Strict):
    """A text captured from the request: group 1 of `pattern`, or the whole match without groups."""

    source: Literal["prompt", "said", "result", "system"] = Field(alias="from")
    pattern: Pattern
    default: str = ""


class TurnRange(_Strict):
    """Turns from `from` to `to`, both included."""

    first: Annotated[int, Field(ge=0)] = Field(0, alias="from")
    last: int | None = Field(None, alias="to")


class When(_Strict):
    """What a request must be for a turn to answer it; every given field must hold."""

    turn: Annotated[int, Field(ge=0)] | TurnRange | None = None
    model: Pattern | None = None
    system: Pattern | None = None
    prompt: Pattern | None = None
    said: Pattern | None = None
    result: Pattern | None = None
    result_error: bool | None = None
    last_tool: str | None = None
    offers: tuple[str, ...] = ()


class ToolCall(_Strict):
    """A tool call; every text in `input` is a template."""

    name: Annotated[str, Field(min_length=1)]
    input: dict[str, JsonValue] = Field(default_factory=dict)


class ErrorSpec(_Strict):
    """An error of the API inside a stream."""

    type: str = "overloaded_error"
    message: str = "Overloaded"


class Step(_Strict):
    """One thing that an answer does; exactly one of its fields but `times` is given."""

    text: str | None = None
    thinking: str | None = None
    tool: ToolCall | None = None
    delay: Seconds | None = None
    stall: Literal[True] | None = None
    cut: Literal[True] | None = None
    bad_json: Literal[True] | None = None
    error: ErrorSpec | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [name for name in self.model_fields_set if name != "times"]
        if len(given) != 1:
            raise ValueError(
                "a step does exactly one of text, thinking, tool, delay, stall, cut, badJson, error"
            )
        if self.times is not None and not self.is_fault:
            raise ValueError("times belongs to stall, cut, badJson and error only")
        return self

    @property
    def is_fault(self) -> bool:
        """Whether the step breaks the answer."""
        return bool(self.stall or self.cut or self.bad_json or self.error)


class Fault(_Strict):
    """An error answer instead of the turn's steps, or (`name`) one of the named faults."""

    status: Annotated[int, Field(ge=400, le=599)] | None = None
    name: FaultName | None = None
    after: Seconds | None = None
    type: str | None = None
    message: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    bad_body: bool = False
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.status is None) == (self.name is None):
            raise ValueError("a fault has either a status or a name")
        if self.after is not None and self.name is None:
            raise ValueError("after belongs to a fault with a name")
        return self

    @property
    def needs_steps(self) -> bool:
        """Whether the turn's steps are played too: now (a named fault) or later (`times`)."""
        return self.times is not None or (self.name is not None and self.name.status is None)


class Turn(_Strict):
    """An answer and the requests that it is for."""

    name: str = ""
    when: When = When()
    fault: Fault | None = None
    steps: tuple[Step, ...] = ()
    usage: UsageSpec | None = None
    stop_reason: (
        Literal["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"] | None
    ) = None

    @model_validator(mode="after")
    def _answers_something(self) -> Self:
        if not self.steps and (self.fault is None or self.fault.needs_steps):
            raise ValueError("a turn needs steps, or a fault without times")
        return self


class Recording(_Strict):
    """What the designer makes of a message that is exactly `said`."""

    said: Annotated[str, Field(min_length=1)]
    task: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    schedule: dict[str, JsonValue] | None = None


class Scenario(_Strict):
    """One scenario file."""

    description: Annotated[str, Field(min_length=1)]
    prices: Prices
    pace: Pace = Pace()
    rate_limit_headers: RateLimits = RateLimits()
    variables: dict[str, Variable] = Field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    plays: Literal["designer"] | None = None
    """A part that takes more than turns; it answers instead of them."""
    recordings: tuple[Recording, ...] = ()

    @model_validator(mode="after")
    def _answers(self) -> Self:
        if bool(self.turns) == bool(self.plays):
            raise ValueError("a scenario has either turns or plays")
        if self.recordings and not self.plays:
            raise ValueError("recordings belong to a scenario with plays")
        return self

    @model_validator(mode="after")
    def _placeholders_known(self) -> Self:
        text = "\n".join(turn.model_dump_json() for turn in self.turns)
        unknown = set(PLACEHOLDER.findall(text)) - BUILT_IN - set(self.variables)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ValueError(f"placeholder without a variable of that name: {names}")
        return self

    @model_validator(mode="after")
    def _searches_priced(self) -> Self:
        searches = any(turn.usage and turn.usage.web_searches for turn in self.turns)
        if searches and self.prices.web_searches is None:
            raise ValueError("prices.webSearches is missing, and a turn reports webSearches")
        return self

    @model_validator(mode="after")
    def _audio_priced(self) -> Self:
        for turn in self.turns:
            for name in ("input_audio", "output_audio"):
                used = turn.usage is not None and getattr(turn.usage, name)
                if used and getattr(self.prices, name) is None:
                    raise ValueError(f"prices.{to_camel(name)} is missing, and a turn reports it")
        return self


def read_scenario(path: Path) -> Scenario:
    """The scenario in `path`. Raises ScenarioError that names the file and each mistake."""
    try:
        return Scenario.model_validate(yaml.load(path.read_text(encoding="utf-8"), _LOADER))
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'scenario'}: {item['msg']}"
            for item in error.errors()
        )
        raise ScenarioError(f"scenario file {path.name}: {mistakes}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"scenario file {path.name}: {error}") from error


def read_all_scenarios(folder: Path | None) -> dict[str, Scenario]:
    """The scenarios that ship and those of `folder`, which win. Raises ScenarioError."""
    with as_file(files("heliostat_scripted") / "scenarios") as packaged:
        return read_scenarios(*([packaged] if folder is None else [packaged, folder]))


def read_scenarios(*folders: Path) -> dict[str, Scenario]:
    """All `*.yaml` of `folders` by file name without suffix; a later folder wins."""
    return {
        path.stem: read_scenario(path)
        for folder in folders
        for path in sorted(folder.glob("*.yaml"))
    }
