"""Sources that a provider names by itself, as citations of Messages.

Anthropic's citations of the web hold an index that only Anthropic can make. In ours a mark stands
in its place, so that they are told apart when a caller sends them back.
"""

from collections.abc import Iterable
from typing import Final

from pydantic import JsonValue

from heliostat_json.objects import JsonObject, count_at, object_at, text_at

_MARK: Final = "not-of-anthropic"


def citations_of_chat(annotations: Iterable[JsonObject], text: str) -> list[JsonObject]:
    """Of `annotations` on `text`; places are characters."""
    sources = [object_at(each, "url_citation") for each in annotations]
    return [
        _citation(
            text_at(each, "url"),
            text_at(each, "title"),
            text[count_at(each, "start_index") : count_at(each, "end_index")],
        )
        for each in sources
        if text_at(each, "url")
    ]


def citations_of_gemini(sources: Iterable[JsonObject], text: str) -> list[JsonObject]:
    """Of `citationSources` on `text`; places are bytes."""
    raw = text.encode()
    return [
        _citation(
            text_at(each, "uri"),
            text_at(each, "title"),
            raw[count_at(each, "startIndex") : count_at(each, "endIndex")].decode(errors="ignore"),
        )
        for each in sources
        if text_at(each, "uri")
    ]


def annotations_of(citations: Iterable[JsonObject], text: str) -> list[JsonObject]:
    """Citations of the web as annotations of chat completions on `text`."""
    return [_annotation(each, text) for each in citations if text_at(each, "url")]


def is_foreign_citation(value: JsonValue) -> bool:
    """Whether Anthropic would refuse the citation: it is one of ours."""
    return isinstance(value, dict) and value.get("encrypted_index") == _MARK


def _annotation(citation: JsonObject, text: str) -> JsonObject:
    cited = text_at(citation, "cited_text")
    start = max(text.rfind(cited), 0)
    source: JsonObject = {
        "start_index": start,
        "end_index": start + len(cited),
        "title": text_at(citation, "title"),
        "url": text_at(citation, "url"),
    }
    return {"type": "url_citation", "url_citation": source}


def _citation(url: str, title: str, cited: str) -> JsonObject:
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": title or url,
        "cited_text": cited,
        "encrypted_index": _MARK,
    }
