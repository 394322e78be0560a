"""What is asked of Firestore: requests made of queries and writes."""

from dataclasses import dataclass
from datetime import datetime

from google.cloud.firestore_v1 import types
from google.protobuf.wrappers_pb2 import Int32Value

from heliostat_api.documents.firestore.values import (
    fields_to_proto,
    from_timestamp,
    to_proto,
    to_timestamp,
)
from heliostat_api.documents.port import (
    Delete,
    Expected,
    Put,
    Query,
    StoreError,
    collection_of,
    kind_of,
)
from heliostat_api.documents.queries import Place, filters_of, read_cursor
from heliostat_api.documents.writes import MOST_WRITES

_ID = "__name__"
COUNT = "count"
"""The name that an answer gives to the number of documents."""


@dataclass(frozen=True)
class Database:
    """A database of a project."""

    project: str
    id: str = "(default)"

    @property
    def name(self) -> str:
        return f"projects/{self.project}/databases/{self.id}"

    @property
    def root(self) -> str:
        return f"{self.name}/documents"

    def name_of(self, path: str) -> str:
        """The full name of a document."""
        return f"{self.root}/{path}" if path else self.root

    def path_of(self, name: str) -> str:
        """The path of a full name."""
        return name.removeprefix(f"{self.root}/")


class VersionError(StoreError):
    """A version that Firestore never gave: no document has it."""


def version_of(document: types.Document) -> str:
    """When it was written last."""
    return from_timestamp(types.Document.pb(document).update_time).isoformat()


def build_write(database: Database, write: Put | Delete) -> types.Write:
    """Raises VersionError."""
    name = database.name_of(write.path)
    condition = _precondition(write.expect)
    if isinstance(write, Delete):
        return types.Write(delete=name, current_document=condition)
    document = types.Document(name=name, fields=fields_to_proto(write.fields))
    return types.Write(update=document, current_document=condition)


def build_query(database: Database, query: Query) -> types.RunQueryRequest:
    """One document more than a page. Raises CursorError."""
    structured = _structured(query)
    structured.limit = Int32Value(value=query.limit + 1)
    if place := read_cursor(query):
        structured.start_at = _behind(place, database.name_of(f"{query.collection}/{place.id}"))
    parent = database.name_of(collection_of(query.collection))
    return types.RunQueryRequest(parent=parent, structured_query=structured)


def build_count(database: Database, query: Query) -> types.RunAggregationQueryRequest:
    """The number of documents, as the one aggregation of its answer."""
    aggregations = types.StructuredAggregationQuery
    counting = aggregations(
        structured_query=_structured(query),
        aggregations=[
            aggregations.Aggregation(alias=COUNT, count=aggregations.Aggregation.Count())
        ],
    )
    parent = database.name_of(collection_of(query.collection))
    return types.RunAggregationQueryRequest(parent=parent, structured_aggregation_query=counting)


def _structured(query: Query) -> types.StructuredQuery:
    """The query without its page."""
    directions = types.StructuredQuery.Direction
    direction = directions.DESCENDING if query.descending else directions.ASCENDING
    structured = types.StructuredQuery(
        from_=[types.StructuredQuery.CollectionSelector(collection_id=kind_of(query.collection))],
        order_by=[
            types.StructuredQuery.Order(field=_field(name), direction=direction)
            for name in (query.order, _ID)
        ],
    )
    if filters := filters_of(query):
        structured.where = _all_equal(filters)
    return structured


def build_descent(database: Database, path: str) -> types.RunQueryRequest:
    """Names of some documents below one, in whatever collection."""
    structured = types.StructuredQuery(
        select=types.StructuredQuery.Projection(fields=[_field(_ID)]),
        from_=[types.StructuredQuery.CollectionSelector(all_descendants=True)],
        limit=MOST_WRITES,
    )
    return types.RunQueryRequest(parent=database.name_of(path), structured_query=structured)


def _precondition(expect: Expected | str) -> types.Precondition | None:
    match expect:
        case Expected.ANY:
            return None
        case Expected.ABSENT:
            return types.Precondition(exists=False)
        case Expected.PRESENT:
            return types.Precondition(exists=True)
    try:
        return types.Precondition(update_time=to_timestamp(datetime.fromisoformat(expect)))
    except ValueError as error:
        raise VersionError(expect) from error


def _all_equal(filters: dict[str, str | int | bool]) -> types.StructuredQuery.Filter:
    each = [
        types.StructuredQuery.Filter(
            field_filter=types.StructuredQuery.FieldFilter(
                field=_field(name),
                op=types.StructuredQuery.FieldFilter.Operator.EQUAL,
                value=to_proto(wanted),
            )
        )
        for name, wanted in sorted(filters.items())
    ]
    every = types.StructuredQuery.CompositeFilter.Operator.AND
    return types.StructuredQuery.Filter(
        composite_filter=types.StructuredQuery.CompositeFilter(op=every, filters=each)
    )


def _behind(place: Place, name: str) -> types.Cursor:
    values = [to_proto(place.value), types.Value(reference_value=name)]
    return types.Cursor(values=values, before=False)


def _field(name: str) -> types.StructuredQuery.FieldReference:
    return types.StructuredQuery.FieldReference(field_path=name)
