"""Edits of agents: a state that was read, and what it becomes."""

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import bilingual, plain
from heliostat_api.base.views import View
from heliostat_api.records.contents import Content, Description, Name, Spec, judge
from heliostat_api.records.loading import ImportRefusedError
from heliostat_api.records.manifests import import_yaml
from heliostat_api.web.problems import refused

Edit = Callable[[Content], Content]


class NewAgent(View):
    """An agent from its fields, or from the YAML of an Agent resource."""

    name: Name | None = None
    description: Description = ""
    spec: Annotated[Spec, Field(default_factory=dict)]
    yaml: Annotated[
        str | None,
        Field(max_length=1_048_576, description="Instead of description and spec: one Agent."),
    ] = None


class WholeAgent(NewAgent):
    """All of an agent from its fields, or from YAML; without a name it keeps the one it has."""


class AgentPatch(View):
    """What changes; `spec` is a JSON merge patch (RFC 7396): null takes a field out."""

    name: Name | None = None
    description: Description | None = None
    spec: Spec | None = None


class NewName(View):
    """What the copy is called."""

    name: Name | None = None


def content_of(body: NewAgent) -> Content:
    """Raises a problem with status 422."""
    if body.yaml is None:
        if body.name is None:
            message = bilingual(en="must be given, or yaml", ko="이름이나 yaml이 있어야 합니다")
            raise refused([FieldError(field="name", message=message)])
        return checked(Content(name=body.name, description=body.description, spec=body.spec))
    if body.spec or body.description:
        message = bilingual(
            en="must stand alone: description and spec are in it",
            ko="description과 spec은 이미 안에 있으니 따로 보내지 마세요",
        )
        raise refused([FieldError(field="yaml", message=message)])
    try:
        return checked(import_yaml(body.yaml, body.name))
    except ImportRefusedError as error:
        raise refused([FieldError(field="yaml", message=plain(str(error)))]) from error


def whole_of(body: WholeAgent) -> Edit:
    """What saving all of it does. The edit raises a problem with status 422."""

    def edit(before: Content) -> Content:
        return content_of(body.model_copy(update={"name": body.name or before.name}))

    return edit


def edit_of(patch: AgentPatch) -> Edit:
    """What a patch does to a content."""

    def edit(before: Content) -> Content:
        merged = merge(before.spec, patch.spec or {})
        assert isinstance(merged, dict)
        return Content(
            name=before.name if patch.name is None else patch.name,
            description=before.description if patch.description is None else patch.description,
            spec=merged,
        )

    return edit


def merge(before: JsonValue | Mapping[str, JsonValue], patch: JsonValue | Spec) -> JsonValue:
    """RFC 7396."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(before) if isinstance(before, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def checked(content: Content) -> Content:
    """The same. Raises a problem with status 422 that names every wrong field."""
    if faults := judge(content.spec).faults:
        raise refused(faults)
    return content
