"""No kind of resource and no collection of documents is forgotten anywhere.

What can only be seen at an api that runs is in tests/integration/layout/test_checklist.py; the list
for people is in docs/architecture.md.
"""

import pytest

from support.checklist import (
    READ,
    WAIVED,
    Item,
    below,
    collections,
    items_of,
    kinds,
    read_sources,
    subjects,
)
from tools.machine import ROOT

SOURCES = read_sources()
ASKED = [(name, item) for name in subjects() for item in sorted(READ & items_of(name))]


def test_kinds_and_collections_are_found() -> None:
    assert {"agents", "executions"} <= kinds() <= collections(), "a kind has records of its name"
    assert {"conversations", "webhooks", "people"} <= collections()
    assert below()["chunks"] == "executions"


@pytest.mark.parametrize(("name", "item"), ASKED)
def test_it_is_taken_care_of(name: str, item: Item) -> None:
    assert SOURCES.covers(name, item), f"{item}: {name} is missing. See docs/architecture.md"


@pytest.mark.parametrize(("name", "item"), ASKED)
def test_it_would_be_missed(name: str, item: Item) -> None:
    assert not SOURCES.without(name, item).covers(name, item)


@pytest.mark.parametrize("item", sorted(READ))
def test_a_new_one_is_missing_everywhere(item: Item) -> None:
    assert not SOURCES.covers("inventions", item)


@pytest.mark.parametrize(("name", "item"), sorted(WAIVED))
def test_what_is_not_needed_is_not_there(name: str, item: Item) -> None:
    """Else the reason is out of date."""
    assert name in subjects()
    assert item not in READ or not SOURCES.covers(name, item)


@pytest.mark.parametrize("name", [*subjects(), *sorted(below())])
def test_it_is_described(name: str) -> None:
    page = (ROOT / "docs" / "documents.md").read_text()
    parent = below().get(name)
    path = f"{parent}/" if parent else ""
    spelled = f"{path}{{id}}/{name}" if parent else name
    assert f"`{spelled}/" in page or f"`{spelled.replace('{id}', '{uid}')}/" in page


@pytest.mark.parametrize("item", Item)
def test_the_page_for_people_has_the_same_items(item: Item) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert f"| {item} |" in page
