"""What the real APIs refuse: a caller's mistake must show here, not with the first real provider.

Each check takes a parsed request and raises RefusedError with the field's name.
"""

import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from pydantic import JsonValue

from heliostat_json.objects import JsonObject
from heliostat_scripted.refusals import Refusal, RefusedError

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")


def words(text: str) -> frozenset[str]:
    """The names in `text`, apart by spaces."""
    return frozenset(text.split())


def refuse(field: str, message: str, code: str = "") -> NoReturn:
    """400: a field is wrong."""
    raise RefusedError(Refusal(400, "invalid_request_error", f"{field}: {message}", field, code))


def known_fields(value: Mapping[str, JsonValue], known: Collection[str], field: str = "") -> None:
    """Refuses a field that the API does not know."""
    for name in value:
        if name not in known:
            refuse(f"{field}.{name}" if field else name, "Extra inputs are not permitted")


def needed_object(value: JsonValue, field: str) -> JsonObject:
    """`value`, which must be an object."""
    if not isinstance(value, dict):
        refuse(field, "Input should be an object")
    return value


def needed_list(value: JsonValue, field: str) -> list[JsonValue]:
    """`value`, which must be a list with something in it."""
    if value is None:
        refuse(field, "Field required")
    if not isinstance(value, list) or not value:
        refuse(field, "Input should be a list with at least one item")
    return value


def needed_text(value: JsonValue, field: str) -> str:
    """`value`, which must be a text with something in it."""
    if value is None:
        refuse(field, "Field required")
    if not isinstance(value, str) or not value:
        refuse(field, "Input should be a text that is not empty")
    return value


def one_of(value: JsonValue, choices: Collection[str], field: str) -> str:
    """`value`, which must be one of `choices`."""
    text = needed_text(value, field)
    if text not in choices:
        refuse(field, f"Input should be one of {', '.join(sorted(choices))}")
    return text


def count(value: JsonValue, field: str, *, needed: bool = False) -> None:
    """A whole number of one or more, or nothing."""
    if value is None and not needed:
        return
    if value is None:
        refuse(field, "Field required")
    if type(value) is not int or value < 1:
        refuse(field, "Input should be a whole number of 1 or more")


def switch(value: JsonValue, field: str) -> None:
    """True, false or nothing."""
    if value is not None and not isinstance(value, bool):
        refuse(field, "Input should be true or false")
