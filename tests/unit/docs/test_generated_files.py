"""What is generated from the code is in the repository as the code says it."""

from collections.abc import Callable

import pytest

from tools.generate import FILES, ROOT, SECTIONS
from tools.sections import replace_section


@pytest.mark.parametrize(
    ("page", "section", "body"), SECTIONS, ids=[f"{page}-{name}" for page, name, _ in SECTIONS]
)
def test_a_page_has_what_the_code_says(page: str, section: str, body: Callable[[], str]) -> None:
    text = (ROOT / page).read_text()
    assert replace_section(text, section, body()) == text, "run make generate"


@pytest.mark.parametrize(("name", "body"), FILES, ids=[name for name, _ in FILES])
def test_a_generated_file_has_what_the_code_says(name: str, body: Callable[[], str]) -> None:
    assert (ROOT / name).read_text() == body(), "run make generate"
