"""Reading of documents that may have any shape."""

from heliostat_core.reading import number, part, parts, text, texts, values
from heliostat_core.worlds import JsonObject

DOCUMENT: JsonObject = {
    "spec": {"name": "a", "size": 3, "is_on": True, "items": [{"x": 1}, "b", 2], "empty": None}
}


def test_what_is_there_is_read() -> None:
    assert part(DOCUMENT, "spec")["name"] == "a"
    assert part(DOCUMENT) == DOCUMENT
    assert text(DOCUMENT, "spec", "name") == "a"
    assert number(DOCUMENT, "spec", "size") == 3
    assert values(DOCUMENT, "spec", "items") == [{"x": 1}, "b", 2]
    assert parts(DOCUMENT, "spec", "items") == [{"x": 1}]
    assert texts(DOCUMENT, "spec", "items") == ["b"]


def test_what_is_missing_or_of_another_kind_is_nothing() -> None:
    for path in (("gone",), ("spec", "gone"), ("spec", "name", "further"), ("spec", "empty")):
        assert part(DOCUMENT, *path) == {}
        assert text(DOCUMENT, *path) == ""
        assert number(DOCUMENT, *path) is None
        assert values(DOCUMENT, *path) == ()
    assert text(DOCUMENT, "spec", "size") == ""
    assert number(DOCUMENT, "spec", "name") is None
    assert number(DOCUMENT, "spec", "is_on") is None  # a bool is no number
    assert values(DOCUMENT, "spec", "name") == ()  # nor is a text a list
