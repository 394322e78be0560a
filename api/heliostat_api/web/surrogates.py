"""Half of a surrogate pair: JSON can say it and UTF-8 can't, so it can't be answered either."""

import json
import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import bilingual
from heliostat_api.web.problems import refused

# As an escape, as bytes, or in UTF-16, which has zeros: of other bodies nothing is read twice.
_SUSPECT: Final = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\x00")
_HALF: Final = re.compile("[\ud800-\udfff]")


def refuse_halves(body: bytes) -> None:
    """Raises a problem with status 422 that names the fields. What is no JSON is left alone."""
    if not _SUSPECT.search(body):
        return
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    message = bilingual(
        en="must be Unicode: it has half of a surrogate pair",
        ko="유니코드여야 합니다. 서로게이트 쌍의 절반만 들어 있습니다",
    )
    if errors := [FieldError(field=path, message=message) for path in halves_in(value, "body")]:
        raise refused(errors)


def halves_in(value: JsonValue, path: str) -> Iterator[str]:
    """Paths of the texts that have one, of an object whose key has one its own."""
    left: list[tuple[JsonValue, str]] = [(value, path)]
    while left:
        each, here = left.pop()
        if isinstance(each, str) and _HALF.search(each):
            yield here
        elif isinstance(each, dict):
            if any(map(_HALF.search, each)):
                yield here
            left += [
                (below, f"{here}.{key}") for key, below in each.items() if not _HALF.search(key)
            ]
        elif isinstance(each, list):
            left += [(below, f"{here}.{place}") for place, below in enumerate(each)]
