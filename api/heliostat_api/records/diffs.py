"""What differs between two states, field by field: pure."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from heliostat_api.base.views import FieldChangeView
from heliostat_api.records.contents import Content


def changes_of(before: Content | None, after: Content) -> tuple[FieldChangeView, ...]:
    """From one content, or from nothing, to another."""
    return changes_between(_document(before) if before else {}, _document(after))


def changes_between(
    before: Mapping[str, JsonValue], after: Mapping[str, JsonValue], path: str = ""
) -> tuple[FieldChangeView, ...]:
    """Objects are compared field by field, lists as a whole; a field with null is as good as none.

    In the order of the fields' paths.
    """
    return tuple(sorted(_between(dict(before), dict(after), path), key=lambda each: each.field))


def _between(before: JsonValue, after: JsonValue, path: str) -> Iterator[FieldChangeView]:
    if before == after:
        return
    if _is_object(before) and _is_object(after) and not before == after == {}:
        left, right = _fields(before), _fields(after)
        for key in left.keys() | right.keys():
            here = f"{path}.{key}" if path else key
            yield from _between(left.get(key), right.get(key), here)
        return
    yield FieldChangeView(field=path, before=before, after=after)


def _is_object(value: JsonValue) -> bool:
    return value is None or isinstance(value, Mapping)


def _fields(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}


def _document(content: Content) -> dict[str, JsonValue]:
    return {
        "name": content.name,
        "description": content.description,
        "spec": dict(content.spec),
    }
