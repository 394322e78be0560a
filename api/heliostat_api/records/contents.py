"""What a person writes of an agent, and what is wrong with it or missing: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import BaseModel, Field, JsonValue, StringConstraints, ValidationError

from heliostat_api.base.field_errors import FieldError, words_of
from heliostat_api.base.texts import Text, bilingual
from heliostat_api.base.views import View
from heliostat_api.records.rules import ROOT, breaches
from heliostat_api.records.schedules import faults_in
from heliostat_core.agents import AgentSpec

Spec = Mapping[str, JsonValue]
LONGEST_NAME: Final = 120
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    Field(description="What people call it, in any language."),
]
LONGEST_DESCRIPTION: Final = 1024
Description = Annotated[
    str,
    Field(max_length=LONGEST_DESCRIPTION, description="What it is for, in a sentence for people."),
]
_ELSEWHERE: Final = ("description", "suspend")
_PLACEHOLDER = "-"


class Content(View):
    """An agent as it is written: `spec` is an Agent's, without description and suspend.

    It may lack what it needs; what is there is right.
    """

    name: Name
    description: Description = ""
    spec: Annotated[Spec, Field(default_factory=dict)]


@dataclass(frozen=True)
class Judgement:
    """Paths of fields that are missing, and what is wrong with those that are there."""

    missing: tuple[str, ...] = ()
    faults: tuple[FieldError, ...] = ()


def judge(spec: Spec) -> Judgement:
    """Every field of a spec; a text that is empty and must not be is missing."""
    misplaced = tuple(
        FieldError(field=f"{ROOT}.{name}", message=_say_where(name))
        for name in _ELSEWHERE
        if name in spec
    )
    judgement = judge_model(AgentSpec, _own(spec), ROOT)
    schedule = faults_in(spec.get("schedule"), f"{ROOT}.schedule")
    # As the API server: rules across fields see what is sound by itself.
    broken = () if judgement.faults else breaches(_own(spec), is_whole=not judgement.missing)
    return replace(judgement, faults=(*misplaced, *judgement.faults, *schedule, *broken))


def missing_in(spec: Spec) -> tuple[str, ...]:
    """The paths of fields that are missing."""
    return judge_model(AgentSpec, _own(spec), ROOT).missing


def _own(spec: Spec) -> Spec:
    """What of a resource's spec is written in the spec of a content."""
    return {key: value for key, value in spec.items() if key not in _ELSEWHERE}


def _say_where(name: str) -> Text:
    if name == "description":
        return bilingual(
            en="belongs next to spec, not inside it: set description there",
            ko="spec 밖에 있는 description에 적어야 합니다",
        )
    return bilingual(
        en="is set by activate and deactivate: leave it out",
        ko="활성화와 비활성화가 정합니다. 빼 주세요",
    )


def judge_model(model: type[BaseModel], value: Spec, root: str) -> Judgement:
    """Every field against its bounds; paths begin with `root`."""
    try:
        model.model_validate_json(
            json.dumps(value), strict=True, extra="forbid", by_alias=True, by_name=False
        )
    except ValidationError as error:
        missing: list[str] = []
        faults: list[FieldError] = []
        for each in error.errors(include_url=False):
            path = path_of(each["loc"], root)
            if each["type"] == "missing" or (
                each["type"] == "string_too_short" and each["input"] == ""
            ):
                missing.append(path)
            else:
                faults.append(FieldError(field=path, message=words_of(each)))
        return Judgement(tuple(missing), tuple(faults))
    return Judgement()


def path_of(location: tuple[int | str, ...], root: str = "spec") -> str:
    """`spec.tools.allow[1]`"""
    path = root
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def completed(spec: Spec) -> AgentSpec | None:
    """The spec with its defaults; None when it is wrong, or lacks more than the prompt."""
    return with_defaults({**spec, "prompt": spec.get("prompt") or _PLACEHOLDER})


def with_defaults(spec: Spec) -> AgentSpec | None:
    """As the API server keeps it; None where it would not take it."""
    try:
        return AgentSpec.model_validate(spec)
    except ValidationError:
        return None


def whole_spec(content: Content) -> dict[str, JsonValue]:
    """The spec as a resource has it, but for `suspend`."""
    described = {"description": content.description} if content.description else {}
    return {**described, **content.spec}


def taken_apart(name: str, spec: Spec) -> Content:
    """The content of a resource's spec. Raises ValidationError for a wrong name or description."""
    described = spec.get("description") or ""
    return Content.model_validate({"name": name, "description": described, "spec": _own(spec)})
