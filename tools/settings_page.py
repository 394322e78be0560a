"""Tables of settings, from the classes that read them."""

from typing import Literal, get_args, get_origin

from pydantic import AliasChoices, AliasPath, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from tools.sections import table


def build_table(settings: type[BaseSettings]) -> str:
    """One row for each field. Raises ValueError for a field without description."""
    return table(
        ("variable", "type", "default", "meaning"),
        [build_row(settings, name, field) for name, field in settings.model_fields.items()],
    )


def build_row(settings: type[BaseSettings], name: str, field: FieldInfo) -> tuple[str, ...]:
    if not field.description:
        raise ValueError(f"{settings.__module__}.{name} must have a description")
    return (
        f"`{find_variable(settings, name, field)}`",
        say_type(field),
        say_default(field),
        field.description,
    )


def find_variable(settings: type[BaseSettings], name: str, field: FieldInfo) -> str:
    """The name in the environment: an alias stands alone, other names get the prefix."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    if isinstance(alias, AliasPath):
        alias = str(alias.path[0])
    return alias or f"{settings.model_config.get('env_prefix', '')}{name}".upper()


def say_type(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list"
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return name.replace("typing.", "").replace("pathlib.", "").replace(" | None", "")


def say_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return "computed"
    if isinstance(field.default, tuple):
        return f"`{', '.join(field.default)}`" if field.default else "none"
    empty = field.default in (None, "") or isinstance(field.default, SecretStr)
    return "none" if empty else f"`{field.default}`"
