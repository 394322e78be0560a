"""Tables as kubectl prints them: the columns are those of the generated CRDs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from heliostat_cli.durations import format_age, format_seconds
from heliostat_core.crds import Column, Resource
from heliostat_core.money import format_micros
from heliostat_core.reading import text
from heliostat_core.worlds import JsonObject, JsonValue

MISSING = "-"
_GAP = "   "
_STEP = re.compile(
    r"\.(?P<name>[A-Za-z0-9]+)"
    r"|\[(?P<index>\d+)\]"
    r"|\[\?\(@\.(?P<key>\w+)==\"(?P<wanted>[^\"]*)\"\)\]"
)


def render_objects(
    resource: Resource,
    objects: Iterable[JsonObject],
    now: datetime,
    *,
    wide: bool = False,
    with_namespace: bool = False,
) -> str:
    """One row an object, in the order given."""
    columns = [each for each in resource.columns if wide or each.priority == 0]
    first = ("NAMESPACE", "NAME") if with_namespace else ("NAME",)
    header = [*first, *(_title(each) for each in columns)]
    rows = []
    for obj in objects:
        names = [text(obj, "metadata", key.lower()) for key in first]
        rows.append([*names, *(render_cell(each, obj, now) for each in columns)])
    return render_table(header, rows)


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; no space at the end of a line."""
    lines = [header, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def render_cell(column: Column, obj: JsonObject, now: datetime) -> str:
    value = look_up(obj, column.path)
    if value is None or value == "":
        return MISSING
    if column.type == "date":
        return format_age(datetime.fromisoformat(str(value)), now)
    if _is_money(column) and isinstance(value, int):
        return format_micros(value)
    if column.path.endswith("Seconds") and isinstance(value, int):
        return format_seconds(value)
    return str(value)


def look_up(value: JsonValue, path: str) -> JsonValue:
    """The value at a JSON path of the kind that printer columns use; None when there is none."""
    for step in _STEP.finditer(path):
        value = _take(value, step)
    return value


def _take(value: JsonValue, step: re.Match[str]) -> JsonValue:
    if name := step["name"]:
        return value.get(name) if isinstance(value, Mapping) else None
    members = list(_members(value))
    if step["index"] is not None:
        index = int(step["index"])
        return members[index] if index < len(members) else None
    key, wanted = step["key"], step["wanted"]
    return next(
        (each for each in members if isinstance(each, Mapping) and each.get(key) == wanted), None
    )


def _members(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from value


def _title(column: Column) -> str:
    return "COST" if _is_money(column) else column.name.upper()


def _is_money(column: Column) -> bool:
    return column.path.endswith("Micros")
