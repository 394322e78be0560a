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


@pytest.mark.parametrize(
    ("largest", "format_"), [(2**31 - 1, "int32"), (2**31, "int64"), (2**53, "int64")]
)
def test_an_integer_has_the_format_that_holds_its_largest(largest: int, format_: str) -> None:
    class Sized(BaseModel):
        """A part."""

        size: Annotated[int, Field(ge=0, le=largest, description="A size.")]

    properties = structural_schema(Sized, "spec")["properties"]
    assert isinstance(properties, dict)
    assert properties["size"]["format"] == format_


@pytest.mark.parametrize(("least", "largest"), [(-(2**53) - 1, 0), (0, 2**53 + 1)])
def test_a_bound_is_exact_up_to_2_to_the_53(least: int, largest: int) -> None:
    check(Annotated[int, Field(ge=least, le=largest, description="Big.")], r"at most 2\^53")


def test_items_and_values_of_maps_need_no_description() -> None:
    class Listed(BaseModel):
        """A part."""

        names: Annotated[
            tuple[Annotated[str, Field(max_length=3)], ...],
            Field(max_length=2, description="Names."),
        ]
        sizes: Annotated[
            dict[str, Annotated[int, Field(ge=0, le=9)]],
            Field(description="Sizes.", json_schema_extra={"maxProperties": 4}),
        ]

    schema = structural_schema(Listed, "spec")
    assert schema["required"] == ["names", "sizes"]
    assert schema["properties"] == {
        "names": {
            "type": "array",
            "description": "Names.",
            "maxItems": 2,
            "items": {"type": "string", "maxLength": 3},
        },
        "sizes": {
            "type": "object",
            "description": "Sizes.",
            "maxProperties": 4,
            "additionalProperties": {
                "type": "integer",
                "format": "int32",
                "minimum": 0,
                "maximum": 9,
            },
        },
    }


def test_a_word_that_no_structural_schema_has_is_refused() -> None:
    check(
        Annotated[str, Field(max_length=3, description="A.", json_schema_extra={"not": {}})],
        r"spec\.field: no place in a structural schema for oneOf, allOf, not",
    )
    check(
        Annotated[str, Field(max_length=3, description="A.", examples=["a"])],
        r"spec\.field: no place in a structural schema for \['examples'\]",
    )
