"""In which language the api speaks."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from heliostat_api.base.field_errors import words_of
from heliostat_api.base.texts import bilingual, preferred, speaking


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US, ko; q=0.9", "en"),
        ("fr, de;q=0.9, ko;q=0.1", "ko"),
        ("en;q=0.1, ko;q=0.5", "ko"),
        ("ko;q=0", "en"),
        ("ko;q=never, *", "en"),
    ],
)
def test_the_first_of_ours_that_is_accepted(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_a_text_is_in_the_language_of_the_block() -> None:
    def say() -> str:
        return bilingual(en="yes", ko="네")

    with speaking("ko"):
        assert say() == "네"
    assert say() == "yes"


class Form(BaseModel):
    name: str = Field(min_length=2, max_length=3)
    count: int = Field(ge=1)


@pytest.mark.parametrize(
    ("value", "english", "korean"),
    [
        ({"count": 1}, "Field required", "필수 항목입니다"),
        ({"name": "a", "count": 1}, "String should have at least 2", "2자 이상이어야 합니다"),
        ({"name": "abcd", "count": 1}, "String should have at most 3", "3자 이하여야 합니다"),
        ({"name": "ab", "count": 0}, "greater than or equal to 1", "1 이상이어야 합니다"),
    ],
)
def test_a_field_is_refused_in_that_language(
    value: dict[str, object], english: str, korean: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(value)
    [error] = refused.value.errors()
    assert english in words_of(error)
    with speaking("ko"):
        assert words_of(error) == korean
