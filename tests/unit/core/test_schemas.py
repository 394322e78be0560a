"""What has no structural form is refused with its path."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from heliostat_core.schemas import SchemaError, structural_schema

Number = Annotated[int, Field(ge=0, le=9, description="A number.")]


class Inner(BaseModel):
    """An inner part."""

    number: Number = 3


def check(annotation: object, message: str) -> None:
    model = type(
        "Model", (BaseModel,), {"__annotations__": {"field": annotation}, "__doc__": "A model."}
    )
    with pytest.raises(SchemaError, match=message):
        structural_schema(model, "spec")


def test_references_are_put_in_place_and_texts_beside_them_win() -> None:
    class Outer(BaseModel):
        """An outer part."""

        inner: Annotated[Inner, Field(description="What is inside.")] = Inner()

    number = {"type": "integer", "format": "int32", "description": "A number."}
    assert structural_schema(Outer, "spec") == {
        "type": "object",
        "description": "An outer part.",
        "properties": {
            "inner": {
                "type": "object",
                "description": "What is inside.",
                "default": {"number": 3},
                "properties": {"number": {**number, "minimum": 0, "maximum": 9, "default": 3}},
            }
        },
    }


def test_an_optional_field_is_the_field_without_default() -> None:
    class Optional(BaseModel):
        """A part."""

        inner: Annotated[Inner | None, Field(description="Or nothing.")] = None

    properties = structural_schema(Optional, "spec")["properties"]
    assert isinstance(properties, dict)
    assert "default" not in properties["inner"]
    assert properties["inner"]["type"] == "object"


def test_a_constant_is_an_enum_of_one() -> None:
    class Constant(BaseModel):
        """A part."""

        kind: Annotated[Literal["Volume"], Field(description="Its kind.")]

    properties = structural_schema(Constant, "spec")["properties"]
    assert isinstance(properties, dict)
    assert properties["kind"]["enum"] == ["Volume"]


def test_a_union_is_refused() -> None:
    text = Annotated[str, Field(max_length=3)]
    check(Annotated[text | Number, Field(description="Either.")], r"spec\.field: .*union")


def test_a_float_is_refused() -> None:
    check(Annotated[float, Field(description="A price.")], r"spec\.field: must have one type")


def test_a_field_without_description_is_refused() -> None:
    check(Annotated[int, Field(ge=0, le=9)], r"spec\.field: must have a description")


@pytest.mark.parametrize(
    ("annotation", "missing"),
    [
        (str, "maxLength"),
        (Annotated[int, Field(ge=0)], "maximum"),
        (Annotated[int, Field(le=9)], "minimum"),
        (tuple[Number, ...], "maxItems"),
        (Annotated[dict[str, Number], Field()], "maxProperties"),
    ],
)
def test_a_value_without_bound_is_refused(annotation: object, missing: str) -> None:
    check(Annotated[annotation, Field(description="A value.")], f"must have {missing}")


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", "(?>a)", "a++", r"a\Z"])
def test_a_pattern_beyond_re2_is_refused(pattern: str) -> None:
    class Wide(BaseModel):
        """A part."""

        text: Annotated[
            str,
            Field(description="A text.", max_length=3, json_schema_extra={"pattern": pattern}),
        ]

    with pytest.raises(SchemaError, match="RE2"):
        structural_schema(Wide, "spec")


def test_a_bound_that_floats_can_not_hold_is_refused() -> None:
    check(Annotated[int, Field(ge=0, le=2**60, description="Big.")], r"at most 2\^53")


def test_a_fixed_tuple_is_refused() -> None:
    check(Annotated[tuple[Number, Number], Field(description="A pair.")], "prefixItems")
