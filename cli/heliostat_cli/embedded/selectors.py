"""Label and field selectors, read as the API server reads them."""

import re
from collections.abc import Callable

from heliostat_core.reading import part
from heliostat_core.worlds import InvalidError, JsonObject, Selection

Matcher = Callable[[JsonObject], bool]

_KEY = r"(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EQUALITY = re.compile(rf"^({_KEY})\s*(==|=|!=)\s*([A-Za-z0-9._-]*)$")
_MEMBER = re.compile(rf"^({_KEY})\s+(in|notin)\s+\(([^()]*)\)$")
_PRESENCE = re.compile(rf"^(!?)\s*({_KEY})$")
_COMMA = re.compile(r",(?![^(]*\))")  # not the commas inside `in (a,b)`


def build_matcher(selection: Selection) -> Matcher:
    """Whether an object is selected; the namespace is looked at too.

    Raises InvalidError for a selector that can't be read.
    """
    terms = [_label_term(term) for term in _split(selection.label_selector)]
    fields = dict(selection.fields or {})

    def matches(obj: JsonObject) -> bool:
        metadata = part(obj, "metadata")
        if selection.namespace is not None and metadata.get("namespace") != selection.namespace:
            return False
        labels = part(metadata, "labels")
        return all(term(labels) for term in terms) and all(
            _field_text(obj, path) == wanted for path, wanted in fields.items()
        )

    return matches


def _split(selector: str) -> list[str]:
    return [term.strip() for term in _COMMA.split(selector) if term.strip()]


def _label_term(term: str) -> Matcher:
    if found := _EQUALITY.match(term):
        key, operator, wanted = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != wanted
        return lambda labels: labels.get(key) == wanted
    if found := _MEMBER.match(term):
        key, operator, listed = found.groups()
        members = {each.strip() for each in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in members
        return lambda labels: labels.get(key) not in members
    if found := _PRESENCE.match(term):
        negated, key = found.groups()
        return lambda labels: (key in labels) != bool(negated)
    raise InvalidError(f"unable to parse requirement {term!r} of the label selector")


def _field_text(obj: JsonObject, path: str) -> str:
    """The value of a selectable field as text; empty when it is not there."""
    *way, last = path.split(".")
    value = part(obj, *way).get(last)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
