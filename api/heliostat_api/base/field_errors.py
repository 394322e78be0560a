"""Errors of fields: the view that names one, and what pydantic says of it, translated: pure."""

from typing import Final

from pydantic_core import ErrorDetails

from heliostat_api.base.texts import Text, bilingual
from heliostat_api.base.views import View

_KOREAN: Final = {
    "missing": "필수 항목입니다",
    "extra_forbidden": "없는 항목입니다",
    "string_type": "글자여야 합니다",
    "string_too_short": "{min_length}자 이상이어야 합니다",
    "string_too_long": "{max_length}자 이하여야 합니다",
    "string_pattern_mismatch": "형식이 맞지 않습니다: {pattern}",
    "too_short": "{min_length}개 이상이어야 합니다",
    "too_long": "{max_length}개 이하여야 합니다",
    "int_type": "정수여야 합니다",
    "int_parsing": "정수여야 합니다",
    "bool_type": "참 또는 거짓이어야 합니다",
    "bool_parsing": "참 또는 거짓이어야 합니다",
    "greater_than": "{gt}보다 커야 합니다",
    "greater_than_equal": "{ge} 이상이어야 합니다",
    "less_than": "{lt}보다 작아야 합니다",
    "less_than_equal": "{le} 이하여야 합니다",
    "literal_error": "다음 중 하나여야 합니다: {expected}",
    "enum": "다음 중 하나여야 합니다: {expected}",
    "model_type": "객체여야 합니다",
    "dict_type": "객체여야 합니다",
    "list_type": "목록이어야 합니다",
    "tuple_type": "목록이어야 합니다",
    "order_too_long": "input과 parameters는 합쳐서 {most}바이트 이하여야 합니다",
}


class FieldError(View):
    """What is wrong with one field, and what it must be."""

    field: str
    message: Text


def required(field: str) -> FieldError:
    """Of a field that is missing."""
    return FieldError(field=field, message=bilingual(en="is required", ko="필수 항목입니다"))


def words_of(error: ErrorDetails) -> Text:
    """One of `ValidationError.errors()`; a validator of our own says it in English."""
    english = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        english = "there is no such field"
    korean = _KOREAN.get(error["type"])
    return bilingual(en=english, ko=korean.format(**error.get("ctx", {})) if korean else english)
