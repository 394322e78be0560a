"""What the world refused, field by field, from the API server's own words: pure."""

import re
from collections.abc import Iterator

_FAULT = re.compile(
    r"(?:^|[\s\[])\.?((?:spec|metadata)(?:\.[\w/-]+|\[[^\]]*\])*)"
    r": (?=(?:[A-Z][a-z]+(?: [a-z]+)?: |Required value|field not declared|field is immutable))"
)


def fields_of(refusal: str) -> Iterator[tuple[str, str]]:
    """Each field that is named, with what is said of it; nothing where none can be read."""
    found = list(_FAULT.finditer(refusal))
    for place, each in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(refusal)
        said = refusal[each.end() : end].rstrip().rstrip(",")
        yield each.group(1), said.removesuffix("]") if "[" not in said else said
