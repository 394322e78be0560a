"""What is asked of SQLite: statements with their parameters, made of queries.

Values of different types are ordered as in Firestore: null, booleans, numbers, instants, text.
"""

import re
from typing import TypeAlias

from heliostat_api.documents.port import Query
from heliostat_api.documents.queries import Place, filters_of, rank_of, read_cursor
from heliostat_api.documents.values import TIME

Parameter: TypeAlias = "str | int | float"
Statement: TypeAlias = "tuple[str, list[Parameter]]"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_TYPES = {str: "('text')", int: "('integer', 'real')"}


def extract(field: str) -> str:
    """The value of a field."""
    return f"json_extract(fields, '$.{_checked(field)}')"


def column_names(field: str) -> tuple[str, str]:
    """The two columns that order documents by a field."""
    return f"{_checked(field)}_rank", f"{field}_value"


def order_columns(field: str) -> list[tuple[str, str]]:
    """Their names with what they are. The rank is NULL where the field is missing."""
    rank, value = column_names(field)
    type_of = f"json_type(fields, '$.{field}')"
    is_time = f"json_type(fields, '$.{field}.\"{TIME}\"') IS NOT NULL"
    ranks = (
        f"CASE {type_of} WHEN 'null' THEN 0 WHEN 'false' THEN 1 WHEN 'true' THEN 1"
        " WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'text' THEN 4 WHEN 'array' THEN 5"
        f" WHEN 'object' THEN CASE WHEN {is_time} THEN 3 ELSE 6 END END"
    )
    return [(rank, ranks), (value, f"coalesce({extract(field)}, 0)")]


def select_page(query: Query) -> Statement:
    """Rows (id, version, fields), one more than a page. Raises CursorError."""
    rank, value = column_names(query.order)
    conditions, parameters = _conditions(query)
    if place := read_cursor(query):
        sign = "<" if query.descending else ">"
        conditions.append(f"({rank}, {value}, id) {sign} (?, ?, ?)")
        parameters += _place(place)
    way = "DESC" if query.descending else "ASC"
    text = (
        f"SELECT id, version, fields FROM documents WHERE {' AND '.join(conditions)}"
        f" ORDER BY {rank} {way}, {value} {way}, id {way} LIMIT ?"
    )
    return text, [*parameters, query.limit + 1]


def select_count(query: Query) -> Statement:
    """One row with the number of documents."""
    conditions, parameters = _conditions(query)
    return f"SELECT count(*) FROM documents WHERE {' AND '.join(conditions)}", parameters


def _conditions(query: Query) -> tuple[list[str], list[Parameter]]:
    """What holds for each document of a query, on whichever page."""
    rank, _ = column_names(query.order)
    kind = _checked(query.collection.rpartition("/")[2])
    conditions = ["collection = ?", f"kind = '{kind}'", f"{rank} IS NOT NULL"]
    parameters: list[Parameter] = [query.collection]
    for field, wanted in filters_of(query).items():
        condition, parameter = _equality(field, wanted)
        conditions.append(condition)
        parameters.append(parameter)
    return conditions, parameters


def _equality(field: str, wanted: str | int | bool) -> tuple[str, Parameter]:
    type_of = f"json_type(fields, '$.{field}')"
    if isinstance(wanted, str) and not wanted.startswith(("{", "[")):
        # No other type is this text, so the index alone answers, and no document is parsed.
        return f"{extract(field)} = ?", wanted
    if isinstance(wanted, bool):
        condition = f"{type_of} = '{'true' if wanted else 'false'}'"
    else:
        condition = f"{type_of} IN {_TYPES[str if isinstance(wanted, str) else int]}"
    return f"{extract(field)} = ? AND {condition}", wanted


def _place(place: Place) -> list[Parameter]:
    return [*rank_of(place.value), place.id]


def _checked(name: str) -> str:
    """Names stand in the statement itself, for only so the indexes match."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} must be letters and digits")
    return name
